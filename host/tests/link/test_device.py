"""A device is one of ours, of this protocol, and is asked in the units of the wire."""

from typing import Any

import pytest

from mesodrive.device import Device, DeviceError
from mesodrive.link.client import DeviceSilentError, RefusedError
from mesodrive.link.port import SerialPort
from mesodrive_rig.scripted import (
    INFO,
    PLAN,
    Exchange,
    ScriptedPort,
    info,
    refusal,
    report,
    result,
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
        (info(protocol=2), r"^The device speaks protocol 2 and this host 1; flash the firmware"),
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
    assert device.load({"shots": 2}).dose_steps == 1845
    port.script.finish()


def test_a_state_that_this_host_does_not_know_is_not_acted_upon() -> None:
    device, _ = opened(status(state="DANCING"))
    with pytest.raises(DeviceError, match="answer to status"):
        device.status()


def test_reports_are_fetched_page_by_page() -> None:
    def page(first: int, *numbers: int) -> Exchange:
        return Exchange(
            "shots", result({"shots": [report(n) for n in numbers]}), params={"first": first}
        )

    device, port = opened(page(3, 3, 4, 5, 6), page(7, 7), page(8))
    assert [shot["shot"] for shot in device.shots(3)] == [3, 4, 5, 6, 7]
    port.script.finish()


def test_no_report_beyond_the_devices_last_number_is_asked_for() -> None:
    last = Exchange("shots", result({"shots": [report(2000)]}), params={"first": 2000})
    device, port = opened(last)
    assert [shot["shot"] for shot in device.shots(2000)] == [2000]
    port.script.finish()


def test_a_real_port_will_do() -> None:
    asked = (info(), status(), Exchange("disarm", result({"state": "SAFE"})))
    with scripted_terminal(*asked) as (path, script), Device(SerialPort(path)) as device:
        assert device.status().state == "SAFE"
        device.disarm()
    script.finish()
