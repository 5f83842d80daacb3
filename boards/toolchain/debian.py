"""Fetches MicroPython's archives from the machine's own Debian mirror.

apt verifies all of it: the index against Debian's keys, each archive against the index.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from toolchain.errors import ToolchainError
from toolchain.paths import LOGS
from toolchain.progress import StepError, run_step
from toolchain.system import apt_percent

# Debian 12 carries no MicroPython, so its successor's sources are taken; never its binaries,
# which want a newer C library.
RELEASE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
WAY_OUT = "or name a MicroPython checkout of your own with MICROPYTHON_DIR=/path"


@dataclass(frozen=True)
class Part:
    """One package and its place in MicroPython's tree; `archive` holds the version we know."""

    package: str
    archive: str
    place: str


MICROPYTHON = Part("micropython", "micropython_1.25.0*.orig.tar.*", ".")
LIBRARIES = (
    Part("pico-sdk", "pico-sdk_2.1.1*.orig.tar.*", "lib/pico-sdk"),
    Part("mbedtls", "mbedtls_3.6.*.orig.tar.*", "lib/mbedtls"),
)
TINYUSB = Part("tinyusb-source", "tinyusb-source_0.18.0*.deb", "lib/tinyusb")


def download(archives: Path, lists: Path) -> None:
    """Put the archive of every part into `archives`; `lists` is apt's scratch folder."""
    if not shutil.which("apt-get"):
        raise ToolchainError(
            "MicroPython's sources come through apt-get, which is missing here: "
            f"use Debian, {WAY_OUT}."
        )
    (lists / "partial").mkdir(parents=True)
    mirror = _mirror(lists)
    signed_by = f"[signed-by={KEYRING}] " if KEYRING.is_file() else ""
    sources_list = lists.parent / "sources.list"
    sources_list.write_text(
        "".join(f"{kind} {signed_by}{mirror} {RELEASE} main\n" for kind in ("deb", "deb-src")),
        encoding="utf-8",
    )
    options = [
        f"-oDir::Etc::sourcelist={sources_list}",
        "-oDir::Etc::sourceparts=-",
        f"-oDir::State::Lists={lists}",
    ]
    packages = [part.package for part in (MICROPYTHON, *LIBRARIES)]
    # --tar-only: upstream's archive is all that is built, Debian's own changes are not.
    source = ["source", "--download-only", "--tar-only", "--only-source", *packages]
    steps = {
        f"Fetch the signed index of Debian {RELEASE}": ["update"],
        "Fetch the sources of MicroPython and its libraries": source,
        "Fetch the source of TinyUSB": ["download", TINYUSB.package],
    }
    for title, command in steps.items():
        try:
            _apt(title, [*options, *command], archives)
        except StepError as failure:
            raise ToolchainError(
                f"The Debian mirror {mirror} did not deliver MicroPython's sources "
                f"({failure.cause}): check the network, {WAY_OUT}."
            ) from failure


def _apt(title: str, arguments: list[str], folder: Path) -> None:
    options = [
        "-oAPT::Status-Fd=1",
        "-oAPT::Update::Error-Mode=any",
        "-oAcquire::Retries=2",
        "-oAcquire::http::Timeout=20",
        "-oAcquire::https::Timeout=20",
    ]
    run_step(
        title,
        ["apt-get", "-q", *options, *arguments],
        LOGS / "sources.log",
        percent=apt_percent,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


def _mirror(lists: Path) -> str:
    """The address from which this machine takes its Debian packages."""
    mirror = _listed_mirror()
    if mirror:
        return mirror
    # apt only tells of sources whose lists it holds, and a fresh container image holds none.
    own_lists = f"-oDir::State::Lists={lists}"
    cause = "its sources name none"
    try:
        _apt("Fetch the machine's own package lists", [own_lists, "update"], lists)
    except StepError as failure:
        cause = failure.cause
    mirror = _listed_mirror(own_lists)
    if not mirror:
        raise ToolchainError(
            f"apt finds no Debian mirror on this machine ({cause}): "
            f"check its sources and the network, {WAY_OUT}."
        )
    return mirror


def _listed_mirror(*options: str) -> str | None:
    wanted = ["Created-By: Packages", "Label: Debian", "Component: main"]
    answer = subprocess.run(
        ["apt-get", *options, "indextargets", "--format", "$(REPO_URI)", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    addresses = answer.stdout.split()
    return addresses[0] if addresses else None
