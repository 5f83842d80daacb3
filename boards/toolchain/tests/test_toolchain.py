"""What the build must hold without building anything."""

import struct
import sys
import sysconfig
from pathlib import Path
from zlib import crc32

import pytest

from toolchain import debian, emulator, firmware, micropython, sources, stamps, system, uf2
from toolchain.errors import ToolchainError
from toolchain.progress import StepError, run_step


def checkout(path: Path, version: tuple[int, int, int] = (1, 25, 0), lacks: str = "") -> Path:
    """The least that passes for a MicroPython checkout with its submodules."""
    for folder in ("lib/pico-sdk", "lib/mbedtls", "lib/tinyusb", "lib/micropython-lib"):
        (path / folder).mkdir(parents=True)
        if folder != lacks:
            (path / folder / "README.md").touch()
    names = ("MAJOR", "MINOR", "MICRO")
    lines = [f"#define MICROPY_VERSION_{name} {n}" for name, n in zip(names, version, strict=True)]
    (path / "py").mkdir()
    (path / "py/mpconfig.h").write_text("\n".join(lines))
    return path


def test_a_changed_renamed_or_added_file_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    seen = {stamps.fingerprint([tmp_path])}
    (tmp_path / "a.py").write_text("2")
    seen.add(stamps.fingerprint([tmp_path]))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    seen.add(stamps.fingerprint([tmp_path]))
    (tmp_path / "c.py").touch()
    seen.add(stamps.fingerprint([tmp_path]))
    assert len(seen) == 4


def test_caches_and_tests_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = stamps.fingerprint([tmp_path])
    for folder in ("__pycache__", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text("2")
    assert stamps.fingerprint([tmp_path]) == before


def test_a_persons_checkout_is_used_and_never_taken_for_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON_DIR", str(checkout(tmp_path, (1, 26, 1))))
    tree = sources.get()
    assert (tree.path, tree.version, tree.identity) == (tmp_path, "1.26.1", None)
    assert not tree.work.is_relative_to(tmp_path)


def test_a_checkout_without_its_submodules_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON_DIR", str(checkout(tmp_path, lacks="lib/tinyusb")))
    with pytest.raises(ToolchainError, match=r"lacks lib/tinyusb: run `make .* submodules`"):
        sources.get()


def test_a_folder_with_a_space_in_its_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON_DIR", str(checkout(tmp_path / "my checkout")))
    with pytest.raises(ToolchainError, match="has a space: move the folder"):
        sources.get()


def test_a_checkout_that_is_too_old_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON_DIR", str(checkout(tmp_path, (1, 9, 4))))
    with pytest.raises(ToolchainError, match=r"is MicroPython 1\.9\.4, .* 1\.25 or newer"):
        sources.get()


def test_a_failed_mirror_is_named_with_its_cause_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed_mirror(*_options: str) -> str:
        return "http://mirror.test/debian"

    def failing_apt(title: str, _arguments: list[str], _folder: Path) -> None:
        raise StepError(title, "E: Could not resolve 'mirror.test'", tmp_path / "log")

    monkeypatch.setattr(debian, "_listed_mirror", listed_mirror)
    monkeypatch.setattr(debian, "_apt", failing_apt)
    with pytest.raises(ToolchainError, match=r"mirror\.test/debian .*resolve.*MICROPYTHON_DIR"):
        debian.download(tmp_path, tmp_path / "lists")


def test_missing_packages_without_root_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.delattr(system, "_apt_install")
    present = system.Need("here", lambda: True)
    absent = system.Need("no-such-package", lambda: False)
    with pytest.raises(ToolchainError, match=r"`sudo apt-get install [a-z-]* no-such-package`"):
        system.ensure([present, absent])


def test_an_unknown_board_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ToolchainError, match=r"'toaster'.*pico"):
        firmware.build("toaster")


def test_our_makes_variables_do_not_reach_micropythons_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "n")
    monkeypatch.setenv("BOARD", "pico")
    tree = sources.SourceTree(checkout(tmp_path), "1.25.0", tmp_path / "work", None)
    assert not {"MAKEFLAGS", "BOARD"} & micropython.build_environment(tree).keys()


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("dlstatus:2:41.0348:Retrieving file 2 of 3", 41.0348),
        ("pmstatus:libnewlib-dev:all:20.5:Unpacking libnewlib-dev (all)", 20.5),
        ("Get:1 http://mirror.test/debian trixie InRelease [140 kB]", None),
    ],
)
def test_apts_progress_is_read(line: str, percent: float | None) -> None:
    assert system.apt_percent(line) == percent


def test_a_failed_python_step_tells_the_last_exception(tmp_path: Path) -> None:
    script = "try: 1 / 0\nexcept ZeroDivisionError: raise OSError('no README')"
    with pytest.raises(StepError, match="Install failed: OSError: no README; "):
        run_step("Install", [sys.executable, "-c", script], tmp_path / "log")


def test_a_failed_step_tells_the_first_error_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    said = [
        "CC a.c",
        "a.c:1:2: error: no semicolon",
        "a.c:9:9: error: end of file",
        "make: Error 1",
    ]
    script = f"print(*{said}, sep='\\n'); exit(2)"
    with pytest.raises(StepError, match=rf"Compile failed: a\.c:1:2: error: no semi.*{log}"):
        run_step("Compile", [sys.executable, "-c", script], log)
    assert "Error 1" in log.read_text()


def test_machine_code_at_an_odd_halfword_is_found() -> None:
    symbols = """100308c0 t fun_data_injector_halt
         U memcpy
100308be t fun_data_injector_note
100308be T main
10050802 r fun_data_injector__lt_module_gt_
"""
    assert firmware.crooked_functions(symbols) == ["fun_data_injector_note"]


def test_an_image_comes_with_a_note_of_its_length_and_checksum() -> None:
    def block(address: int, number: int, page: bytes) -> bytes:
        header = struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, address, 256, number, 2, 7)
        return header + page.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)

    raw = b"an image".ljust(512, b"!")
    packed = block(0x10000000, 0, raw[:256]) + block(0x10000100, 1, raw[256:])
    noted = uf2.with_note(packed, raw, 0x1009FF00)
    headers = [struct.unpack_from("<8I", noted, at) for at in range(0, len(noted), 512)]
    assert [header[3:7] for header in headers] == [
        (0x10000000, 256, 0, 3),
        (0x10000100, 256, 1, 3),
        (0x1009FF00, 256, 2, 3),
    ]
    page = noted[2 * 512 + 32 :][:256]
    assert page == b"mesodrv1" + struct.pack("<II", 512, crc32(raw)) + b"\xff" * 240
    assert noted[-4:] == packed[-4:]
    assert noted[32:508] == packed[32:508]


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An emulator of two parts, as its wheel brings them, and one module of ours."""
    monkeypatch.setattr(emulator, "_NATIVE", tmp_path)
    monkeypatch.setattr(emulator, "_OURS", ours := tmp_path / "ours")
    monkeypatch.setattr(emulator, "LOGS", tmp_path / "logs")
    monkeypatch.setattr(system, "ensure", list)
    for name in ("core", "pin"):
        (tmp_path / f"{name}.c").write_text(f"int {name}(void) {{ return 1; }}")
        (tmp_path / f"{name}.abi3.so").touch()
    ours.mkdir()
    (ours / "loop.py").write_text("class Loop:\n    def __init__(self):\n        self.count = 0\n")
    (ours / "loop.pxd").write_text("cdef class Loop:\n    cdef public int count\n")
    return tmp_path


def compiled(native: Path) -> list[Path]:
    return sorted(native.rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}"))


def test_every_part_of_the_emulator_is_compiled_for_this_python_once(native: Path) -> None:
    emulator.build()
    assert [part.name.split(".")[0] for part in compiled(native)] == ["core", "loop", "pin"]
    assert sorted(file.name for file in (native / "ours").glob("loop.*")) == [
        compiled(native)[1].name,
        "loop.pxd",
        "loop.py",
    ]
    first = [part.stat().st_mtime_ns for part in compiled(native)]
    emulator.build()
    assert [part.stat().st_mtime_ns for part in compiled(native)] == first


@pytest.mark.parametrize("gone", ["core", "loop"])
def test_a_part_of_the_emulator_that_is_gone_is_compiled_anew(native: Path, gone: str) -> None:
    emulator.build()
    before = compiled(native)
    (part,) = (part for part in before if part.name.startswith(gone))
    part.unlink()
    emulator.build()
    assert compiled(native) == before


def test_a_module_of_ours_that_has_changed_is_compiled_anew(native: Path) -> None:
    emulator.build()
    first = compiled(native)[1].stat().st_mtime_ns
    (native / "ours" / "loop.py").write_text("class Loop:\n    pass\n")
    emulator.build()
    assert compiled(native)[1].stat().st_mtime_ns > first


def test_an_emulator_compiled_by_other_rules_is_compiled_anew(native: Path) -> None:
    emulator.build()
    first = [part.stat().st_mtime_ns for part in compiled(native)]
    stamps.write(native / "compiled.stamp", "of other rules")
    emulator.build()
    anew = [part.stat().st_mtime_ns for part in compiled(native)]
    assert all(after > before for before, after in zip(first, anew, strict=True))


def test_an_emulator_that_cannot_be_compiled_stays_whole_and_says_so(
    native: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.build()
    (native / "pin.c").write_text("no C at all")
    emulator.build()
    assert compiled(native) == []
    assert "at a tenth of its speed: Compile the emulator" in capsys.readouterr().out
    assert (native / "pin.abi3.so").exists()
