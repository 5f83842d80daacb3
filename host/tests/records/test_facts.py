"""What goes into the records: the wire's whole numbers in the units that people use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive.records import RecordsError, SessionFacts, ShotOutcome, ShotReport

Wire = dict[str, object]


def test_a_shot_of_the_wire_comes_out_in_human_units(wire: Wire) -> None:
    assert ShotReport.from_wire(wire, depth_commanded_um=3000) == ShotReport(
        number=1,
        t_ms=15400,
        outcome=ShotOutcome.DONE,
        why="",
        commanded_ul=12.0,
        dose_ul=12.01,
        commanded_depth_mm=3.0,
        depth_mm=2.998,
        steps=768,
        audit=768,
        out_ms=7.855,
        back_ms=170.195,
    )


def test_what_no_sensor_saw_stays_unseen(wire: Wire) -> None:
    wire |= {"outcome": "misfire", "depth_um": None, "out_us": None, "back_us": None}
    shot = ShotReport.from_wire(wire, depth_commanded_um=3000)
    assert (shot.depth_mm, shot.out_ms, shot.back_ms) == (None, None, None)


def test_a_shot_from_the_device_s_own_list_has_no_sequence_number(wire: Wire) -> None:
    del wire["seq"]
    assert ShotReport.from_wire(wire, depth_commanded_um=3000).number == 1


@given(nl=st.integers(0, 10**9), um=st.integers(0, 13_000))
def test_the_device_s_whole_number_can_be_had_back(nl: int, um: int) -> None:
    shot = ShotReport.from_wire(
        {
            "shot": 1,
            "t_ms": 0,
            "outcome": "done",
            "why": "",
            "depth_um": um,
            "commanded_nl": nl,
            "dose_nl": nl,
            "steps": 1,
            "audit": 1,
            "out_us": None,
            "back_us": None,
        },
        depth_commanded_um=um,
    )
    assert round(shot.dose_ul * 1000) == nl
    assert round(shot.commanded_depth_mm * 1000) == um


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shot", 0),
        ("shot", True),
        ("shot", "1"),
        ("t_ms", -1),
        ("outcome", "fine"),
        ("why", None),
        ("depth_um", 2.998),
        ("commanded_nl", -1),
        ("commanded_nl", 2**53),
        ("dose_nl", 12.01),
        ("dose_nl", None),
        ("steps", -1),
        ("audit", "768"),
        ("out_us", -1),
        ("surprise", 1),
    ],
)
def test_a_report_of_another_shape_is_refused_by_name(wire: Wire, key: str, value: object) -> None:
    with pytest.raises(RecordsError, match=r"docs/protocol\.md.*same version"):
        ShotReport.from_wire(wire | {key: value}, depth_commanded_um=3000)


def test_every_key_of_a_report_is_needed(wire: Wire) -> None:
    for key in wire.keys() - {"seq"}:
        partial = {k: v for k, v in wire.items() if k != key}
        with pytest.raises(RecordsError, match=key):
            ShotReport.from_wire(partial, depth_commanded_um=3000)


def test_the_facts_keep_the_preset_what_became_of_it_and_the_profile_sent(
    facts: SessionFacts,
) -> None:
    dose = facts.preset["dose"]
    assert isinstance(dose, dict)
    assert (dose["value"], facts.as_run.dose_ul, facts.profile["dose_nl"]) == (10, 12, 12000)
    assert [(change.name, change.used) for change in facts.as_run.changes] == [("dose", "12 µL")]
    assert facts.device.serial == "E66118604B1F2A2C"
