"""The chip, its parts, its program, its flash and its clock, and what resets it."""

from collections.abc import Callable

from rp2040py.irq import IRQ
from rp2040py.peripherals.ssi import CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE

from mesodrive_rig.campaigns.faults.evidence import ANEW
from mesodrive_rig.campaigns.faults.fault import TRAVEL_MS, Deed, Fault, opened
from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.campaigns.faults.session import Session
from mesodrive_rig.emulated.chip_faults import ChipFaults, find_elf
from mesodrive_rig.emulated.flash_faults import FlashFaults
from mesodrive_rig.emulated.rig import ROOT
from mesodrive_rig.plant import Sensor

_RESET = ("restarted", "selftest", "dose_in_doubt", "host_lost")
_FROM_OUTSIDE = ("RUN pin pulled", "brown-out")  # what resets the chip, and nothing tells it
_LEFT_BYTES = 4096
_BEFORE_WRAP_US = 3_000.0
_ONE_BIT = 0x10
_NOT_TO_COME = (Phase.BOOT, Phase.SELF_TEST, Phase.SAFE, Phase.FAULT, Phase.ACKNOWLEDGED)
_ERASED = (Phase.FAULT, Phase.ACKNOWLEDGED)  # what had to be erased has been
WRAPS_US = {"after 71.6 minutes": 1 << 32, "after 12.4 days": 1000 << 30}

_BITES_IN = {
    "depth's counter stands": (Phase.DEPTH_FAST,),
    "depth's PIO machine stands": (Phase.DEPTH_FAST,),
}
_UNSEEN = {
    "memory nearly full": "there is enough",
    "dead-man stands": "it begins anew with each rail; it takes a program that hangs to harm, and"
    " then the watchdog",
    "flash slow": "as slow as it may be",
}


def _chip(kind: str, *args: object) -> Deed:
    def break_it(session: Session) -> None:
        getattr(ChipFaults(session.rig.chip, find_elf(ROOT)), kind)(*args)

    return break_it


def chip() -> list[Fault]:
    """The core, the memory, the parts, the resets. What stops the loop must end in `restarted`; a
    loop that only USB wakes comes too late for the dead-man, which takes the rail. What resets the
    chip from outside leaves nothing to name it but the start itself, which a host sees by the
    uptime."""
    cases: list[tuple[str, Deed, tuple[str, ...], bool, bool]] = [
        ("core locks up", _chip("lock_up"), _RESET, False, True),
        ("program hangs", _chip("hang"), _RESET, False, True),
        ("program runs in a circle", _chip("spin"), _RESET, False, True),
        ("interrupt storm", _chip("storm"), _RESET, False, True),
        ("memory full", _chip("fill_memory"), _RESET, False, True),
        ("memory nearly full", _chip("squeeze_memory", _LEFT_BYTES), _RESET, True, False),
        ("pin interrupt dead", _chip("deafen", IRQ.IO_BANK0), ("misfire", *_RESET), True, False),
        ("USB interrupt dead", _chip("deafen", IRQ.USBCTRL), _RESET, False, False),
        ("timer interrupts dead", _chip("deafen", IRQ.TIMER_3), ("rail_dead", *_RESET), True,
         False),
        ("plunger's PIO machine stands", _chip("stop_machine", 0, 0),
         ("steps_lost", "misfire", *_RESET), True, False),
        ("strike's PIO machine stands", _chip("stop_machine", 0, 1),
         ("misfire", "needle_stuck", *_RESET), True, False),
        ("depth's PIO machine stands", _chip("stop_machine", 0, 2),
         ("home_missing", "home_stuck", "steps_lost", *_RESET), True, False),
        # Of a slow approach it leaves too few steps, as a switch does that closes too soon.
        ("plunger's counter stands", _chip("stop_machine", 1, 0),
         ("steps_lost", "home_stuck", *_RESET), True, False),
        ("depth's counter stands", _chip("stop_machine", 1, 1), ("steps_lost", *_RESET), True,
         False),
        ("dead-man stands", _chip("stop_machine", 1, 2), ("rail_dead", *_RESET), True, False),
        ("DMA stands", _chip("stop_dma"), ("steps_lost", *_RESET), True, False),
        ("clock jumps to its wrap", _chip("leap_timer", _BEFORE_WRAP_US),
         ("misfire", "needle_stuck", "rail_dead", "idle", *_RESET), True, False),
        ("RUN pin pulled", lambda s: s.rig.chip.reset(), _RESET, False, False),
        ("brown-out", lambda s: s.rig.chip.reset(power=True), _RESET, False, False),
        ("watchdog reset", _chip("bite"), _RESET, False, True),
    ]  # fmt: skip
    return [
        Fault(name, "chip", deed, (*codes, ANEW) if restarts or name in _FROM_OUTSIDE else codes,
              ("strike \\d was not told in time", "silent", "does not answer",
               "Nobody did anything", "rail fell"),
              TRAVEL_MS, harmless=harmless, restarts=restarts, bites_in=_BITES_IN.get(name, ()),
              unseen=_UNSEEN.get(name, ""))
        for name, deed, codes, harmless, restarts in cases
    ]  # fmt: skip


def flash() -> list[Fault]:
    """The flash that remembers doses and settings. What is erased only with the rail off is
    revealed by a latched fault, which the settings count."""
    kinds: dict[str, Callable[[FlashFaults], None]] = {
        "flash does not program": lambda f: f.refuse(CMD_PAGE_PROGRAM),
        "flash programs a bit wrong": lambda f: f.keep_bits(CMD_PAGE_PROGRAM, _ONE_BIT),
        "flash does not erase": lambda f: f.refuse(CMD_SECTOR_ERASE),
        "flash erases a bit wrong": lambda f: f.keep_bits(CMD_SECTOR_ERASE, _ONE_BIT),
        "flash slow": lambda f: f.slow_down(),
    }

    def deed(kind: Callable[[FlashFaults], None]) -> Deed:
        return lambda session: kind(FlashFaults(session.rig.chip))

    return [
        Fault(name, "flash", deed(kind), ("ledger", "settings", "selftest"),
              ("ledger", "settings", "flash"), TRAVEL_MS, harmless="program" not in name,
              reveal=opened(Sensor.GUARD) if "erase" in name else None, hidden_in=_ERASED,
              aged=True, unseen=_UNSEEN.get(name, ""))
        for name, kind in kinds.items()
    ]  # fmt: skip


def clock() -> list[Fault]:
    """The µs timer passes the end of its low word, and of what its ms fit into."""
    return [
        Fault(f"clock wraps {when}", "clock", lambda _: None, harmless=True, wraps_us=us,
              not_in=_NOT_TO_COME, unseen="a wrap is no fault")
        for when, us in WRAPS_US.items()
    ]  # fmt: skip
