"""A device is one of ours, of this protocol, and is asked in the units of the wire."""

from pathlib import Path
from typing import Any

import pytest

from mesodrive.cli import output
from mesodrive.device import PING_S, Device, DeviceError
from mesodrive.link.client import DeviceSilentError, RefusedError
from mesodrive.link.port import SerialPort
from mesodrive_rig.scripted import (
    INFO,
    PLAN,
    Exchange,
    ScriptedPort,
    info,
    refusal,
    result,
    row,
    scripted_terminal,
    status,
)
from mesodrive_wire import UNKNOWN_METHOD


def opened(*exchanges: Exchange) -> tuple[Device, ScriptedPort]:
    port = ScriptedPort(info(), *exchanges)
    return Device(port), port


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in INFO.items() if name != key}


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (info(product="toaster"), r"^On scripted is a toaster, not a mesodrive\.$"),
        (info(protocol=1), r"^The device speaks protocol 1 and this host 3; flash the firmware"),
        (Exchange("info", result(without("serial"))), r"answer to info is not as this host exp"),
        (info(ram_free="much"), r"answer to info is not as this host expects; flash"),
        (Exchange("info", result("hello")), r"answer to info is not as this host expects; flash"),
        (Exchange("info", refusal(UNKNOWN_METHOD, "No method 'info'.")), r"^No method 'info'\.$"),
        (Exchange("info"), r"does not answer; check that it is a mesodrive"),
        (Exchange("info", b"Welcome to GRBL 1.1f\r\n" * 200), r"does not answer"),
    ],
    ids=["product", "protocol", "missing", "kind", "text", "method", "silent", "babble"],
)
def test_what_is_not_ours_is_refused_in_one_sentence_and_the_port_given_back(
    answer: Exchange, sentence: str
) -> None:
    port = ScriptedPort(answer)
    with pytest.raises((DeviceError, DeviceSilentError, RefusedError), match=sentence):
        Device(port)
    assert port.closed


def pinged_for(ping_s: float = PING_S) -> float:
    """Seconds until a ping without an answer is given up."""
    port = ScriptedPort(info(), Exchange("ping"))
    device = Device(port, ping_s=ping_s)
    asked_s = port.now_s()
    with pytest.raises(DeviceSilentError):
        device.ping()
    return port.now_s() - asked_s


def test_a_device_that_is_not_heard_is_given_up_after_2_s() -> None:
    assert pinged_for() == pytest.approx(2.0, abs=0.3)


def test_whoever_opens_a_slow_device_may_wait_longer_for_it() -> None:
    assert pinged_for(ping_s=7.0) == pytest.approx(7.0, abs=0.3)


@pytest.mark.parametrize(("simulated", "waited_s"), [(False, 2.0), (True, 10.0)])
def test_the_commands_wait_longer_for_a_simulator(
    monkeypatch: pytest.MonkeyPatch, simulated: bool, waited_s: float
) -> None:
    port = ScriptedPort(info(), Exchange("ping"))

    def opens(_path: str) -> ScriptedPort:
        return port

    def looks(_path: Path) -> bool:
        return simulated

    monkeypatch.setattr(output, "SerialPort", opens)
    monkeypatch.setattr(output, "is_simulated", looks)
    device = output.open_device("scripted", None)
    asked_s = port.now_s()
    with pytest.raises(DeviceSilentError):
        device.ping()
    assert port.now_s() - asked_s == pytest.approx(waited_s, abs=0.3)


def test_a_newer_device_may_tell_more() -> None:
    with Device(ScriptedPort(info(colour="blue", limits={"shots": 2000, "newer": 1}))) as device:
        assert device.info.serial == "E66118604B1F2A2C"


def test_leaving_the_device_gives_the_port_back() -> None:
    device, port = opened()
    with device:
        assert not port.closed
    assert port.closed


def test_volumes_go_out_in_whole_nl() -> None:
    device, port = opened(Exchange("prime", result({}), params={"volume_nl": 40_999}))
    device.prime(40.9994)
    port.script.finish()


def test_a_disarm_is_a_stop_at_once_and_then_a_request() -> None:
    device, port = opened(Exchange("disarm", result({"state": "READY"})))
    device.disarm()
    port.script.finish()
    assert port.script.stops == 1


def test_status_and_selftest_are_typed() -> None:
    checks = [{"name": "ram", "ok": False, "detail": "2 KiB are free"}]
    device, port = opened(
        status(state="FAULT", alarm={"code": "guard_open", "priority": "high", "text": "Close."}),
        Exchange("selftest", result({"passed": False, "checks": checks})),
        Exchange("profile.load", result(PLAN), params={"profile": {"shots": 2}}),
    )
    now = device.status()
    assert (now.state, now.depth_um) == ("FAULT", None)
    assert now.alarm
    assert now.alarm.code == "guard_open"
    assert not device.selftest().passed
    plan = device.load({"shots": 2})
    assert (plan.dose_steps, plan.travel_us, plan.min_period_us) == (1845, 3128, 219_290)
    port.script.finish()


def test_a_state_that_this_host_does_not_know_is_not_acted_upon() -> None:
    device, _ = opened(status(state="DANCING"))
    with pytest.raises(DeviceError, match="answer to status"):
        device.status()


def page(first: int, *numbers: int) -> Exchange:
    rows = [row(number) for number in numbers]
    return Exchange("shots", result({"lost": 0, "rows": rows}), params={"first": first})


def test_strikes_are_fetched_page_by_page_and_no_further_than_wanted() -> None:
    device, port = opened(page(3, 3, 4, 5, 6), page(7, 7, 8, 9))
    assert [shot.shot for shot in device.shots(3, 8)] == [3, 4, 5, 6, 7, 8]
    port.script.finish()


def test_strikes_that_the_device_has_no_more_are_left_out() -> None:
    device, port = opened(page(1, 501, 502), page(503))
    assert [shot.shot for shot in device.shots(1, 600)] == [501, 502]
    port.script.finish()


def test_a_device_that_goes_back_is_not_asked_for_ever() -> None:
    device, port = opened(page(3, 3), page(4, 2, 3))
    assert [shot.shot for shot in device.shots(3, 9)] == [3]
    port.script.finish()


def test_nothing_is_asked_when_nothing_is_wanted() -> None:
    device, port = opened()
    assert device.shots(5, 4) == []
    port.script.finish()


def test_the_trace_is_fetched_page_by_page() -> None:
    def part(first: int, *values: int) -> Exchange:
        rows = [[value, "state", value] for value in values]
        return Exchange("trace", result({"total": 3, "rows": rows}), params={"first": first})

    device, port = opened(part(0, 10, 11), part(2, 12))
    assert [event.value for event in device.trace()] == [10, 11, 12]
    port.script.finish()
    device, port = opened(Exchange("trace", result({"total": 0, "rows": []})))
    assert device.trace() == []
    port.script.finish()


def test_a_real_port_will_do() -> None:
    asked = (info(), status(), Exchange("disarm", result({"state": "SAFE"})))
    with scripted_terminal(*asked) as (path, script), Device(SerialPort(path)) as device:
        assert device.status().state == "SAFE"
        device.disarm()
    script.finish()
