"""`python3 -m toolchain <what>`, with `boards` as PYTHONPATH; the Makefile calls it."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "mesodrive needs Python 3.11 or newer and this is %d.%d: name another with "
        "`make PYTHON=python3.11 ...`." % sys.version_info[:2]
    )

import argparse
import fcntl

from toolchain import emulator, environment, firmware, micropython, sbom, sources
from toolchain.errors import ToolchainError
from toolchain.paths import BUILD, shown


def main() -> int:
    parser = argparse.ArgumentParser(prog="toolchain", description=__doc__)
    parser.add_argument(
        "what",
        choices=[
            "venv",
            "emulator",
            "typings",
            "lock",
            "mpy-cross",
            "unix-port",
            "firmware",
            "sbom",
        ],
    )
    parser.add_argument("--board", default="pico")
    arguments = parser.parse_args()
    try:
        _run(arguments.what, arguments.board)
    except ToolchainError as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"toolchain: {error.filename or 'the build'}: {error.strerror}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntoolchain: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _run(what: str, board: str) -> None:
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        # Two builds at once would write the same files.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another build is running in this checkout; waiting for it...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if what == "venv":
            environment.build_venv()
        elif what == "emulator":
            environment.build_venv()
            emulator.build()
        elif what == "typings":
            environment.install_typings(board)
        elif what == "lock":
            environment.lock()
        elif what == "mpy-cross":
            micropython.build_mpy_cross(sources.get())
            print(shown(micropython.MPY_CROSS))
        elif what == "unix-port":
            micropython.build_unix_port(sources.get())
            print(shown(micropython.UNIX_PORT))
        elif what == "sbom":
            sbom.write(sources.archives())
            print(shown(sbom.SBOM))
        else:
            firmware.build(board)


if __name__ == "__main__":
    sys.exit(main())
