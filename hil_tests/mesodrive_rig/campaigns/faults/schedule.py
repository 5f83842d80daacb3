"""Which faults are tried in which phases."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import zip_longest

from mesodrive_rig.campaigns.faults.catalogue import FAULTS
from mesodrive_rig.campaigns.faults.fault import Fault
from mesodrive_rig.campaigns.faults.phases import COSTLY, CROSSED, Phase

Plan = dict[Phase, list[Fault]]
CROSSED_FAULTS = 60
_SELDOM = 10  # a costly phase meets one fault in so many
_Pair = tuple[Phase, Fault]


def schedule(seed: int, most: int | None, only: str, done: Iterable[tuple[str, str]] = ()) -> Plan:
    """All faults in all phases but the cases that are `done`, or `most` of the cases: each fault
    where it bites; if there is room for it, 60 faults in all of CROSSED; then each other fault
    as often as any other, the pairs by chance."""
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
        cases = _chosen(cases, crossed_faults(faults), most)
    known = set(done)
    plan: Plan = defaultdict(list)
    for phase, fault in cases:
        if (fault.name, str(phase)) not in known:
            plan[phase].append(fault)
    return plan


def crossed_faults(faults: Iterable[Fault]) -> list[Fault]:
    """60 of `faults` that can be tried in all of CROSSED, of each group as many as of any other,
    the first of each; none that wants a session of its own, for these cost one more."""
    groups: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        if not (fault.aged or fault.wraps_us or set(fault.not_in) & set(CROSSED)):
            groups[fault.group].append(fault)
    dealt = [fault for turn in zip_longest(*groups.values()) for fault in turn if fault]
    return dealt[:CROSSED_FAULTS]


def _chosen(cases: list[_Pair], crossed: list[Fault], most: int) -> list[_Pair]:
    first = [(phase, fault) for phase, fault in cases if phase in fault.bites_in]
    taken = set(first)
    product = [
        (phase, fault)
        for phase, fault in cases
        if fault in crossed and phase in CROSSED and (phase, fault) not in taken
    ]
    if len(first) + len(product) <= most:  # a part of it would be no product, only less spread
        first += product
        taken |= set(product)
    met: Counter[Phase] = Counter()
    rest: list[_Pair] = []
    for phase, fault in cases:
        met[phase] += 1
        seldom = phase in COSTLY and met[phase] % _SELDOM != 1
        if not seldom and (phase, fault) not in taken:
            rest.append((phase, fault))
    return (first + _in_turn(rest))[:most]


def _in_turn(cases: list[_Pair]) -> list[_Pair]:
    """Each fault's first, then each one's second, and so on."""
    turns: Counter[Fault] = Counter()
    ranked: list[tuple[int, _Pair]] = []
    for phase, fault in cases:
        turns[fault] += 1
        ranked.append((turns[fault], (phase, fault)))
    return [case for _, case in sorted(ranked, key=lambda one: one[0])]
