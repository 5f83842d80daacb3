"""What goes into the records: the wire's whole numbers in the units that people use."""

from hypothesis import given
from hypothesis import strategies as st

from mesodrive.records import SessionFacts, ShotOutcome, ShotReport
from mesodrive.telemetry import Shot


def test_a_shot_of_the_wire_comes_out_in_human_units(wire: Shot) -> None:
    assert ShotReport.of(wire, commanded_nl=12_000, commanded_depth_um=2998) == ShotReport(
        number=1,
        t_ms=15400.123,
        outcome=ShotOutcome.DONE,
        why="",
        commanded_ul=12.0,
        dose_ul=12.01,
        commanded_depth_mm=2.998,
        depth_mm=2.998,
        steps=768,
        audit=768,
        out_ms=7.855,
        back_ms=170.195,
    )


def test_what_no_sensor_saw_stays_unseen(wire: Shot) -> None:
    unseen = wire._replace(outcome="misfire", out_us=None, back_us=None)
    shot = ShotReport.of(unseen, commanded_nl=12_000, commanded_depth_um=3000)
    assert (shot.depth_mm, shot.out_ms, shot.back_ms) == (None, None, None)
    assert shot.commanded_depth_mm == 3.0


@given(nl=st.integers(0, 10**9), um=st.integers(0, 13_000), us=st.integers(0, 2**48))
def test_the_device_s_whole_number_can_be_had_back(nl: int, um: int, us: int) -> None:
    told = Shot(1, us, "done", nl, 1, 1, None, None, "")
    shot = ShotReport.of(told, commanded_nl=nl, commanded_depth_um=um)
    assert round(shot.dose_ul * 1000) == nl
    assert round(shot.commanded_depth_mm * 1000) == um
    assert round(shot.t_ms * 1000) == us


def test_the_facts_keep_the_preset_what_became_of_it_and_the_profile_sent(
    facts: SessionFacts,
) -> None:
    dose = facts.preset["dose"]
    assert isinstance(dose, dict)
    assert (dose["value"], facts.as_run.dose_ul, facts.profile["dose_nl"]) == (10, 12, 12000)
    assert [(change.name, change.used) for change in facts.as_run.changes] == [("dose", "12 µL")]
    assert facts.device.serial == "E66118604B1F2A2C"


def test_the_times_of_the_prescription_are_kept_in_ms(facts: SessionFacts) -> None:
    run = facts.as_run
    assert (run.settle_ms, run.rest_ms, run.period_ms) == (20, 50, 400)
    assert (run.burst, run.soft_strikes) == (1, 3)
    assert facts.profile["period_us"] == 400_000
    assert facts.zone_area_cm2 is facts.planned_passes is facts.coverage(5) is None
