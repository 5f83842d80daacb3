"""The demonstration: two presets, end to end, on the emulated injector."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mesodrive.cli.output import console
from mesodrive.cli.views import TableView
from mesodrive.device import Device
from mesodrive.errors import MesodriveError
from mesodrive.keys import KeyStore
from mesodrive.ledger.fetch import fetch
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.keeper import LedgerKeeper
from mesodrive.link.client import ANSWER_S
from mesodrive.link.port import SerialPort
from mesodrive.login import log_in
from mesodrive.presets import Prescription, load_preset, prescribe
from mesodrive.presets.coverage import Coverage
from mesodrive.records import Records, SessionRecord, ShotRecord
from mesodrive.session import TreatmentSession
from mesodrive.session_view import Result
from mesodrive.telemetry import LiveStatus

if TYPE_CHECKING:
    from mesodrive_rig.hands import RemoteHands

SESSIONS = (("nappage", 20), ("hyaluronic-booster-9", 5))
DOSE_BOUND_PERCENT = 2.0
DEPTH_BOUND_MM = 0.05

_BOOT_S = 120


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "build/demo"
    ),
) -> None:
    """Treat virtual skin with two presets and check every shot against what truly happened.

    Runs the shipping image on an emulated chip with the virtual injector on its pins, and writes
    a report and the sessions' data. Exits 1 when a shot is off by more than 2 % or 0.05 mm, or
    when the device's ledger says otherwise than the record.
    """
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with Records.open(out / "records.db") as records:
        ends = [_treat(name, shots, records, out) for name, shots in SESSIONS]
        done = [records.session(end.session_id) for end in ends]
    from mesodrive.reports import write_json, write_report

    write_report(done, out / "report.html")
    write_json(done, out / "session.json")
    failures = [line for record in done for line in _failures(record)]
    failures += [warning for end in ends for warning in end.warnings]
    for line in failures:
        console.print(f"[bold red]{line}[/]")
    shots = sum(len(record.shots) for record in done)
    console.print(
        f"{shots} shots in {time.monotonic() - started:.0f} s. "
        f"Report: {out / 'report.html'}  Data: {out / 'session.json'}",
        highlight=False,
        soft_wrap=True,
    )
    if not failures:
        console.print(
            f"Every shot is within ±{DOSE_BOUND_PERCENT:g} % of its dose and "
            f"±{DEPTH_BOUND_MM} mm of its depth, as the virtual injector counted them."
        )
    raise typer.Exit(1 if failures else 0)


def _treat(name: str, shots: int, records: Records, out: Path) -> Result:
    preset = load_preset(name)
    prescription = prescribe(preset, shots=shots)
    console.print(
        f"\n[bold]{preset.title}[/]: {shots} shots of {prescription.dose_ul:g} µL at "
        f"{prescription.depth_mm:g} mm. The emulated chip boots…"
    )
    with _simulator(name, out) as (port, hands, keys), _logged_in(port, keys) as device:
        # Every simulator is a new device, and all have the emulated flash's one serial number.
        fetch(device, device.info.serial, records.ledgers, anew=True)
        view = _OperatorView(prescription, hands)
        before = hands.status()

        def truth(number: int) -> tuple[float, float, float] | None:
            strike = hands.strike(number - 1)
            if strike is None:
                return None
            return strike["skin_ul"], strike["depth_mm"], strike["lost_ul"]

        treatment = TreatmentSession(
            device,
            records,
            preset,
            prescription,
            view,
            operator="demo",
            truth=truth,
            ledger=LedgerKeeper(records, HostKey.load((out / "countersign.key").absolute())),
        )
        wall = time.monotonic()
        with view:
            result = treatment.run()
        wall_s = time.monotonic() - wall
        emulated_s = (hands.status()["emulated_ms"] - before["emulated_ms"]) / 1000
    console.print(
        f"{result.reason} {emulated_s:.1f} s of the device's time took {wall_s:.1f} s: "
        f"{emulated_s / wall_s:.2f} × real time."
    )
    return result


class _OperatorView(TableView):
    """Watches the session, and does what an operator does when the device is armed."""

    def __init__(self, prescription: Prescription, hands: "RemoteHands"):
        super().__init__(prescription)
        self._hands = hands
        self._lifted = False  # a status has shown it

    def state(self, state: str, why: str) -> None:
        super().state(state, why)
        if state == "ARMED":
            # A stamp wants to be lifted for 20 ms before the next one; `live` sets it down again.
            self._lifted = False
            self._hands.set("contact", False)
            self._hands.set("trigger", True)

    def live(self, status: LiveStatus, coverage: Coverage | None) -> None:
        super().live(status, coverage)
        if status.state == "ARMED" and not status.on("contact"):
            if self._lifted:  # by the status before, a tenth of a second ago
                self._hands.set("contact", True)
            self._lifted = True


def _logged_in(port: Path, keys: KeyStore) -> Device:
    device = Device(SerialPort(str(port)), ping_s=ANSWER_S)
    try:
        log_in(device, keys, "operator")
    except BaseException:
        device.close()
        raise
    return device


@contextmanager
def _simulator(preset: str, out: Path) -> Generator[tuple[Path, "RemoteHands", KeyStore]]:
    """A simulator of its own process, as a clinic's device is a computer of its own."""
    from mesodrive_rig.hands import RemoteHands

    with tempfile.TemporaryDirectory(prefix="mesodrive-") as folder:
        port = Path(folder) / "device"
        keys = KeyStore(Path(folder) / "keys")
        log = out / f"simulator-{preset}.log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "mesodrive",
                    "sim",
                    "--preset",
                    preset,
                    "--path",
                    str(port),
                ],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "MESODRIVE_KEYS": str(keys.folder)},
            )
        try:
            _wait_for(port, process, log)
            with RemoteHands(port) as hands:
                yield port, hands, keys
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(port: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _BOOT_S
    while not port.exists():
        if process.poll() is not None or time.monotonic() > until:
            lines = log.read_text().strip().splitlines()
            raise MesodriveError(
                f"The simulator did not start ({lines[-1] if lines else 'no word from it'}); "
                f"its log is {log}."
            )
        time.sleep(0.05)


def _failures(record: SessionRecord) -> list[str]:
    planned = record.facts.as_run.shots
    missing = planned - len(record.shots)
    lines = [f"{record.facts.as_run.title}: {missing} of {planned} shots are missing."]
    return (lines if missing else []) + [
        f"{record.facts.as_run.title}, shot {shot.number}: {fault}"
        for shot in record.shots
        for fault in _faults(shot)
    ]


def _faults(shot: ShotRecord) -> Iterator[str]:
    if shot.true_skin_ul is None or shot.true_depth_mm is None:
        yield "the virtual injector did not measure it."
        return
    percent = 100 * (shot.true_skin_ul / shot.commanded_ul - 1)
    if abs(percent) > DOSE_BOUND_PERCENT:
        yield f"the dose in the skin is off by {percent:+.2f} %."
    off_mm = shot.true_depth_mm - shot.commanded_depth_mm
    if abs(off_mm) > DEPTH_BOUND_MM:
        yield f"the depth is off by {off_mm:+.3f} mm."
