"""Which faults are tried in which phases."""

import random
from collections import defaultdict
from collections.abc import Iterable

from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.fault import Fault
from mesodrive_rig.campaigns.faults.phases import COSTLY, Phase

Plan = dict[Phase, list[Fault]]
_SELDOM = 10  # a costly phase meets one fault in so many


def schedule(seed: int, most: int | None, only: str, done: Iterable[tuple[str, str]] = ()) -> Plan:
    """All faults in all phases but the cases that are `done`, or `most` of the cases: each fault
    and each phase as often as any other of its kind, the pairs by chance; first of all each fault
    where it bites."""
    faults = list(FAULTS)
    phases = list(Phase)
    order = random.Random(seed)
    order.shuffle(faults)
    order.shuffle(phases)
    # Along the diagonals: each meets each other equally often.
    cases = [
        (phases[(row + lap) % len(phases)], fault)
        for lap in range(len(phases))
        for row, fault in enumerate(faults)
    ]
    cases = [
        (phase, fault)
        for phase, fault in cases
        if phase not in fault.not_in and only in f"{fault.name} / {phase}"
    ]
    if most is not None:
        met: dict[Phase, int] = defaultdict(int)
        chosen: list[tuple[Phase, Fault]] = []
        for phase, fault in cases:
            met[phase] += 1
            if phase not in COSTLY or met[phase] % _SELDOM == 1:
                chosen.append((phase, fault))
        biting = [(phase, fault) for phase, fault in cases if phase in fault.bites_in]
        cases = (biting + [case for case in chosen if case not in biting])[:most]
    known = set(done)
    plan: Plan = defaultdict(list)
    for phase, fault in cases:
        if (fault.name, str(phase)) not in known:
            plan[phase].append(fault)
    return plan
