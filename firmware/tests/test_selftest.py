"""Each check of the self-test fails for its own cause and names it."""

import board
import pytest
from stand_ins import Machine

from injector import selftest

ENOUGH = 1 << 20


def checked(
    ram_free: int = ENOUGH, broken: "dict[str, int] | None" = None, **wrong: int
) -> dict[str, object]:
    """The failed checks, name → detail, with these inputs reading what they should not."""
    machine = Machine()
    machine.port.counts.update(broken or {})
    machine.inputs.poll(0)
    machine.sensors.settle()
    for name, state in wrong.items():
        mask = machine.inputs.masks.get(name) or 1 << getattr(board, name.upper())
        machine.inputs.now = machine.inputs.now | mask if state else machine.inputs.now & ~mask
    checks = selftest.run(machine.inputs, machine.sensors, ram_free)
    assert len({str(check["name"]) for check in checks}) == len(checks) == 10
    sentences = selftest.failures(checks)
    failed = {str(check["name"]): check["detail"] for check in checks if not check["ok"]}
    assert list(failed.values()) == [
        sentence.split(": ", 1)[1].split(";")[0] for sentence in sentences
    ]
    return failed


@pytest.mark.requirement("R2")
def test_a_sound_machine_passes():
    assert checked() == {}


@pytest.mark.requirement("R2")
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("rail off", {"rail": 1}),
        ("needle back", {"needle_back": 0}),
        ("needle not out", {"needle_out": 1}),
        ("trigger released", {"trigger": 1}),
        ("interlock line", {"interlock": 0}),
        ("interlock line", {"guard": 0}),
        ("interlock line", {"stop": 0}),
        ("motor drivers", {"driver_ok": 0}),
        ("outputs low", {"strike": 1}),
        ("outputs low", {"strike_peak": 1}),
        ("outputs low", {"plunger_step": 1}),
        ("outputs low", {"depth_step": 1}),
    ],
)
def test_a_wrong_input_fails_its_own_check_alone(name: str, wrong: dict[str, int]):
    failed = checked(**wrong)
    assert list(failed) == [name]
    assert failed[name]


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("open_hands", [{"guard": 0}, {"stop": 0}, {"guard": 0, "stop": 0}])
def test_an_open_guard_or_stop_is_no_failure_when_the_line_agrees(open_hands: dict[str, int]):
    assert checked(**open_hands, interlock=0) == {}


@pytest.mark.requirement("R2")
def test_too_little_memory_fails_with_the_figure():
    assert checked(ram_free=64 * 1024) == {}
    assert "65535" in str(checked(ram_free=64 * 1024 - 1)["memory"])


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("count", [0, 4095])
@pytest.mark.parametrize("sensor", ["coil", "supply", "force"])
def test_a_sensor_whose_wire_is_broken_or_shorted_fails_and_is_named(sensor: str, count: int):
    failed = checked(broken={sensor: count})
    if (sensor, count) == ("supply", 0):
        assert failed == {}  # a supply that is not plugged in is no defect of its sensor
    else:
        assert sensor in str(failed["sensors"])


@pytest.mark.requirement("R2")
def test_memory_that_does_not_keep_a_pattern_fails():
    assert selftest.memory_holds(4 * 1024)
    machine = Machine()
    machine.inputs.poll(0)
    machine.sensors.settle()
    checks = selftest.run(machine.inputs, machine.sensors, ENOUGH, holds=False)
    assert [check["name"] for check in checks if not check["ok"]] == ["memory pattern"]


@pytest.mark.requirement("R2")
def test_a_bit_that_sticks_is_found(monkeypatch: pytest.MonkeyPatch):
    def stuck(view: bytearray) -> object:
        class View:
            def __setitem__(self, part: slice, value: bytes) -> None:
                view[part] = value
                view[77] |= 0x10

            def __getitem__(self, part: slice) -> bytes:
                return bytes(view[part])

        return View()

    monkeypatch.setattr(selftest, "memoryview", stuck, raising=False)
    assert not selftest.memory_holds(1024)


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("sticks_at", [0, 1])
@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("place", [0, 1_023, 1_024, 2_047])
def test_each_bit_that_sticks_is_found(
    place: int, bit: int, sticks_at: int, monkeypatch: pytest.MonkeyPatch
):
    def stuck(view: bytearray) -> object:
        class View:
            def __setitem__(self, part: slice, value: bytes) -> None:
                view[part] = value
                if sticks_at:
                    view[place] |= 1 << bit
                else:
                    view[place] &= ~(1 << bit)

            def __getitem__(self, part: slice) -> bytes:
                return bytes(view[part])

        return View()

    monkeypatch.setattr(selftest, "memoryview", stuck, raising=False)
    assert not selftest.memory_holds(2_048)


@pytest.mark.requirement("R2")
def test_memory_that_is_not_there_does_not_hold(monkeypatch: pytest.MonkeyPatch):
    def none_left(_: int) -> bytearray:
        raise MemoryError

    monkeypatch.setattr(selftest, "bytearray", none_left, raising=False)
    assert not selftest.memory_holds(1_024)
