"""The device remembers its last 32 strikes and hands out four at a time."""

from stand_ins import Machine

from injector.reports import Reports
from mesodrive_wire import encode, result


def kept(strikes: int) -> Reports:
    reports = Reports()
    for shot in range(1, strikes + 1):
        reports.add({"shot": shot})
    return reports


def numbers(reports: Reports, first: int) -> list[object]:
    return [report["shot"] for report in reports.first(first)]


def test_reports_come_from_the_number_asked_for_four_at_a_time():
    assert numbers(kept(10), 1) == [1, 2, 3, 4]
    assert numbers(kept(10), 5) == [5, 6, 7, 8]
    assert numbers(kept(10), 9) == [9, 10]
    assert numbers(kept(10), 11) == []


def test_the_last_32_are_kept():
    assert numbers(kept(40), 1) == [9, 10, 11, 12]
    assert numbers(kept(32), 1) == [1, 2, 3, 4]
    assert numbers(kept(2_000), 2_000) == [2_000]


def test_a_new_profile_starts_afresh():
    reports = kept(5)
    reports.clear()
    assert numbers(reports, 1) == []


def test_four_reports_fit_a_line_even_when_all_were_stopped():
    machine = Machine().boot().make_ready()
    machine.request("arm")
    machine.pull()
    machine.port.set("needle_sticks", 1)
    machine.run(500)
    ((_, report),) = [told for told in machine.told if told[0] == "shot"]
    longest = {
        **report,
        "shot": 2_000,
        "t_ms": 2**40,
        "why": "the needle was not seen at its stop",
        "commanded_nl": 100_000,
        "dose_nl": 100_000,
        "steps": 100_000,
        "audit": 100_000,
        "out_us": 2**32,
        "back_us": 2**32,
    }
    assert encode(result(2**53 - 1, {"shots": [longest] * 4}))
