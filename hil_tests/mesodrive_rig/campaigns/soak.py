"""Fourteen days of a clinic, compressed: `make soak` → build/soak.json.

The shipping image on the emulated chip. Idle hours are leapt (docs/rig.md); all that happens at a
wrap of the clock, and everything that moves, comes by itself.
"""

import argparse
import sys
import time
from collections.abc import Callable

from rich.progress import Progress

from mesodrive_rig.campaigns.arguments import at_least_one
from mesodrive_rig.campaigns.soak_bench import (
    DOSE_BOUND_NL,
    LOW,
    SMALL_MS,
    WORD,
    Account,
    Bench,
)
from mesodrive_rig.campaigns.soak_days import (
    MODES,
    STATES,
    at_the_12_day_wrap,
    day,
    in_turns,
)
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.results import Metric, write_results

_RESULTS = ROOT / "build" / "soak.json"
_DAYS = 14
_SMALL_MS_DAYS = SMALL_MS.us / 86_400e6
_US_OF_AN_INTERRUPT = 20  # from an edge to the reading of the timer

Tell = Callable[[str, float], None]  # what goes on, and how much of the whole is done


def run(seed: int, days: int, tell: Tell) -> Account:
    """`days` of use without a restart."""
    done = 0.0
    bench = Bench(seed, lambda what: tell(what, done))
    bench.close()
    for number in range(days):
        done = number / days
        day(bench, number)
    return bench.end()


def leave_on(seed: int, states: list[str], tell: Tell) -> list[Account]:
    """For each state, a device that is left on for 12.4 days and then used in that state."""
    accounts: list[Account] = []
    for number, state in enumerate(states):
        tell(f"{state} after 12.4 days", number / len(states))
        bench = Bench(seed + number, lambda _: None)
        at_the_12_day_wrap(bench, state)
        accounts.append(bench.end())
    return accounts


def treat(seed: int, sessions: int, tell: Tell) -> Account:
    """So many sessions, the modes by turns, weighed after each; no days in between."""
    bench = Bench(seed, lambda what: tell(what, bench.account.modes.total() / sessions))
    in_turns(bench, sessions)
    return bench.end()


def steps_of_memory(account: Account) -> tuple[int, int]:
    """Bytes that the heap lost from the second like point to the last before ms outgrow a small
    int, or after; and what that itself costs, once."""
    before = [free for at, free in account.free if at < _SMALL_MS_DAYS][1:]
    after = [free for at, free in account.free if at >= _SMALL_MS_DAYS]
    lost = sum(part[0] - part[-1] for part in (before, after) if part)
    return lost, before[-1] - after[0] if before and after else 0


def slope(points: list[tuple[float, int]]) -> float:
    """Bytes a day that the free memory falls, by least squares."""
    if len(points) < 2:
        return 0.0
    days = [at for at, _ in points]
    frees = [free for _, free in points]
    middle, mean = sum(days) / len(days), sum(frees) / len(frees)
    spread = sum((at - middle) ** 2 for at in days)
    fall = sum((at - middle) * (mean - free) for at, free in points)
    return fall / spread if spread else 0.0


def metrics(account: Account, left_on: list[Account]) -> list[Metric]:
    """The figures, with their bounds."""
    every = [account, *left_on]
    lost, once = steps_of_memory(account)
    crossed = account.crossings.copy()
    for one in left_on:
        crossed += one.crossings
    in_use = [point for point in account.free if point[0] < _SMALL_MS_DAYS][1:]

    def long(bound: str) -> str | None:
        return bound if left_on else None

    alarms = sum(sum(abs(times) for times in _uncaused(one).values()) for one in every)
    figures = [
        Metric("emulated days without a restart", round(account.days, 2), "days", long(">= 14")),
        Metric("leaps", account.leaps, ""),
        Metric("strikes", sum(one.strikes for one in every), "", ">= 1"),
        Metric("dose, reported", sum(one.dose_nl for one in every) / 1000, "µL"),
        Metric("modes used", len(account.modes), "", long(f"== {len(MODES)}")),
        Metric("pauses", account.pauses, "", long(">= 1")),
        Metric("hosts that came", account.reconnections, ""),
        Metric("alarms caused", account.caused.total(), "", long(">= 1")),
        Metric("alarms too many or too few", alarms, "", "== 0"),
        Metric("strikes told wrongly or not at all", _sum(every, "strikes_untold"), "", "== 0"),
        Metric("notifications lost", _sum(every, "gaps"), "", "== 0"),
        Metric("plunger steps, reported less counted", _sum(every, "steps_off"), "", "== 0"),
        Metric(
            "dose of a session, reported less pushed",
            round(max(one.pushed_off_nl for one in every), 1),
            "nL",
            f"<= {DOSE_BOUND_NL}",
        ),
        Metric(
            "uptime off the chip's clock",
            max(one.clock_off_ms for one in every),
            "ms",
            "<= 0",
        ),
        Metric(
            "start of a strike off its edge",
            round(max(one.strike_off_us for one in every), 1),
            "µs",
            f"<= {_US_OF_AN_INTERRUPT}",
        ),
        Metric("heap lost, first to last like point", lost, "B", "== 0"),
        Metric("heap slope", round(slope(in_use), 3), "B/day", "== 0"),
        Metric("heap that ms beyond a small int take, once", once, "B"),
    ]
    for wrap in (LOW, WORD, SMALL_MS):
        states = {state for name, state in crossed if name == wrap.name} & STATES.keys()
        count = sum(times for (name, _), times in crossed.items() if name == wrap.name)
        figures.append(Metric(f"wraps crossed: {wrap.name}", count, ""))
        wanted = f"== {len(STATES)}" if left_on else None
        figures.append(Metric(f"states crossed in: {wrap.name}", len(states), "", wanted))
    return figures


def _uncaused(account: Account) -> dict[str, int]:
    """How often each alarm came more often than it was caused; below 0: less often."""
    codes = account.alarms.keys() | account.caused.keys()
    more = {code: account.alarms[code] - account.caused[code] for code in sorted(codes)}
    return {code: times for code, times in more.items() if times}


def _sum(accounts: list[Account], name: str) -> int:
    return sum(getattr(account, name) for account in accounts)


def main() -> int:
    """Run the campaign; return 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one state at the 12-day wrap only")
    parser.add_argument(
        "--sessions", type=at_least_one, help="only so many sessions, one after another"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=at_least_one, default=_DAYS)
    arguments = parser.parse_args()
    started = time.monotonic()
    with Progress() as progress:
        task = progress.add_task("soak", total=1)

        def tell(what: str, done: float) -> None:
            progress.update(task, description=f"soak: {what}", completed=done)

        if arguments.sessions:
            account, left_on = treat(arguments.seed, arguments.sessions, tell), []
        elif arguments.quick:
            account, left_on = leave_on(arguments.seed, ["DELIVERING"], tell)[0], []
        else:
            account = run(arguments.seed, arguments.days, tell)
            left_on = leave_on(arguments.seed, [*STATES], tell)
    for number, one in enumerate([account, *left_on]):
        if uncaused := _uncaused(one):
            print(f"device {number + 1}: alarms too many or few: {uncaused}", file=sys.stderr)
        if len({free for _, free in one.free}) > 1:
            points = ", ".join(f"{free} B on day {at:.2f}" for at, free in one.free)
            print(f"device {number + 1}: free memory at like points: {points}", file=sys.stderr)
    seconds = time.monotonic() - started
    figures = metrics(account, left_on)
    return write_results("soak", figures, _RESULTS, seed=arguments.seed, seconds=seconds)


if __name__ == "__main__":
    sys.exit(main())
