"""How the session does on the emulated chip: `make bench-session` → build/bench/session.json.

Times of the device are emulated, so they are the same on every machine; the real-time factor says
how fast this machine emulates.
"""

import argparse
import math
import random
import sys
import time
from dataclasses import replace

from rich.progress import Progress, track

from mesodrive.device import Device
from mesodrive.presets import Prescription, load_preset, prescribe
from mesodrive_rig.emulated.provision import KEYS
from mesodrive_rig.emulated.rig import ROOT, EmulatedRig
from mesodrive_rig.plant import Sensor
from mesodrive_rig.results import Metric, write_results
from mesodrive_rig.specs import plant_for

_RESULTS = ROOT / "build" / "bench" / "session.json"
_SEED = 1


def main() -> int:
    """Run the benchmark; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick
    started = time.monotonic()
    random.seed(_SEED)
    prescription = prescribe(load_preset("nappage"), shots=5 if quick else 20)
    rig = EmulatedRig(plant_for(prescription.cartridge, prescription.syringe))
    metrics = _boot(rig)
    device = Device(rig.connect())
    device.login("operator", KEYS["operator"])
    metrics += [
        Metric("boot to SAFE, by the device's clock", device.info.safe_ms, "ms"),
        Metric("free RAM after start", round(device.info.ram_free / 1024, 1), "KiB"),
    ]
    metrics += _round_trips(rig, device, 50 if quick else 300)
    metrics += _session(rig, device, prescription.to_profile())
    metrics += _fastest(rig, device, prescription)
    seconds = time.monotonic() - started
    return write_results("session", metrics, _RESULTS, seed=_SEED, seconds=seconds)


def _boot(rig: EmulatedRig) -> list[Metric]:
    """Until the first answer: what a host that opens the port at once has to wait."""
    port = rig.connect()
    device = Device(port)
    first_ms = rig.now_ms()
    device.close()
    rig.run_for(20)
    return [Metric("power-on to the first answer on the wire", round(first_ms, 1), "ms")]


def _round_trips(rig: EmulatedRig, device: Device, count: int) -> list[Metric]:
    """Pings at random moments of the firmware's loop."""
    trips: list[float] = []
    for _ in track(range(count), description="round trips"):
        rig.run_for(random.uniform(0, 20))
        start = rig.now_ms()
        device.client.call("ping")
        trips.append(rig.now_ms() - start)
    trips.sort()
    return [
        Metric("round trip of a request, p50", round(trips[len(trips) // 2], 2), "ms"),
        Metric("round trip of a request, p99", round(trips[int(len(trips) * 0.99)], 2), "ms"),
    ]


def _session(rig: EmulatedRig, device: Device, profile: dict[str, object]) -> list[Metric]:
    """A session as the demo runs it, from homing to the last shot."""
    wall, emulated = time.monotonic(), rig.now_ms()
    _deliver(rig, device, profile, prime_ul=41)
    emulated_s = (rig.now_ms() - emulated) / 1000
    factor = emulated_s / (time.monotonic() - wall)
    skin_ul = [strike.skin_ul for strike in rig.truth().strikes]
    asked_ul = float(str(profile["dose_nl"])) / 1000
    worst = max(abs(ul / asked_ul - 1) for ul in skin_ul) * 100
    return [
        Metric("emulated time per wall time, whole session", round(factor, 2), "×", ">= 0.2"),
        Metric("worst dose in the skin against the preset", round(worst, 3), "%", "<= 2"),
        Metric("free RAM when armed and done", round(_ram_kib(device), 1), "KiB"),
    ]


def _fastest(rig: EmulatedRig, device: Device, prescription: Prescription) -> list[Metric]:
    """Doses of 2 µL as fast as this firmware accepts them."""
    before = len(rig.truth().strikes)
    fast = replace(
        prescription,
        dose_ul=2.0,
        flow_ul_s=190.0,
        settle_us=1_000,
        dwell_us=32_000,
        rest_us=1_000,
        soft_strikes=0,
        shots=20,
        fill_ul=math.floor(rig.truth().left_ul),
    )
    least_us = device.load(fast.to_profile()).min_period_us
    _deliver(rig, device, replace(fast, period_us=least_us).to_profile(), prime_ul=1)
    starts = [strike.start_ms for strike in rig.truth().strikes[before:]]
    rate = 1000 * (len(starts) - 1) / (starts[-1] - starts[0])
    return [Metric("dosed shots per second reached (2 µL)", round(rate, 2), "1/s")]


def _deliver(
    rig: EmulatedRig, device: Device, profile: dict[str, object], prime_ul: float
) -> None:
    device.load(profile)
    device.home()
    device.prime(prime_ul)
    device.arm()
    rig.set(Sensor.CONTACT, True)
    rig.set(Sensor.TRIGGER, True)
    with Progress() as progress:
        task = progress.add_task("shots", total=device.status().shots_total)
        while (status := device.status()).state != "READY":
            progress.update(task, completed=status.shots_done)
            device.client.pump(0.05)
        progress.update(task, completed=status.shots_done)
    rig.set(Sensor.TRIGGER, False)
    rig.set(Sensor.CONTACT, False)


def _ram_kib(device: Device) -> float:
    return device.client.call("info")["ram_free"] / 1024


if __name__ == "__main__":
    sys.exit(main())
