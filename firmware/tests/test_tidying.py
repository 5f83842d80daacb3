"""Memory is freed while idle long before it is used up, and never while something may move."""

import pytest
from situations import in_state
from stand_ins import Machine

pytestmark = pytest.mark.requirement("R22")

KIB = 1024
FULL = 100 * KIB


class Heap:
    """A memory that remembers in which states it was freed."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self.free = FULL
        self.collected_in: list[str] = []

    def collect(self) -> None:
        self.collected_in.append(self._machine.state)
        self.free = FULL

    def mem_free(self) -> int:
        return self.free


def with_heap(state: str) -> tuple[Machine, Heap]:
    machine = in_state(state)
    machine._memory = heap = Heap(machine)
    machine._free = FULL
    return machine, heap


@pytest.mark.parametrize("state", ["SAFE", "READY", "FAULT"])
def test_what_is_used_while_idle_is_freed_at_16_kib(state: str):
    machine, heap = with_heap(state)
    heap.free = FULL - 16 * KIB
    machine.run(600)
    assert heap.collected_in == []
    heap.free -= 1
    machine.run(600)
    assert heap.collected_in == [state]
    machine.run(600)
    assert heap.collected_in == [state]


@pytest.mark.parametrize("state", ["HOMING", "ARMED", "PAUSED"])
def test_nothing_is_tidied_while_something_may_move(state: str):
    machine, heap = with_heap(state)
    heap.free = 20 * KIB
    machine.run(600)
    assert machine.state == state
    assert heap.collected_in == []
