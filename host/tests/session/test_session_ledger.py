"""A session and the device's ledger: refused with a dose in doubt, joined when it is over."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mesodrive.device import Device
from mesodrive.errors import MesodriveError
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.keeper import LedgerError, LedgerKeeper
from mesodrive.presets import load_preset, prescribe
from mesodrive.records import Records, SessionOutcome, SessionRecord
from mesodrive.session import SessionError, TreatmentSession
from mesodrive.session_view import Result
from mesodrive_rig.ledger_model import LedgerModel
from mesodrive_rig.scripted import (
    PLAN,
    PROFILE_ID,
    STATUS,
    Exchange,
    Item,
    ScriptedPort,
    Vanish,
    info,
    refusal,
    result,
    shot,
    state,
    status,
)
from mesodrive_wire import UNAUTHORIZED, WRONG_STATE

pytestmark = [pytest.mark.requirement("R16"), pytest.mark.requirement("R27")]

PRESET = load_preset("nappage")
KEY = HostKey(bytes(range(32)))
BOOTED = {**STATUS, "why": "self-test passed", "profile": None}
TWO_DONE = {**STATUS, "state": "READY", "profile": PROFILE_ID, "shots_done": 2}


class Unwatched:
    """A view that only remembers the steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, text: str) -> None:
        self.steps.append(text)

    def state(self, state: str, why: str) -> None: ...
    def shot(self, report: object) -> None: ...
    def live(self, status: object, coverage: object) -> None: ...
    def alarm(self, code: str, text: str) -> None: ...


def does(act: Callable[[], object], answer: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """The answer of a device that does something first."""

    def answered(id: int) -> bytes:
        act()
        return answer(id)

    return answered


class Clinic:
    """A scripted device with a real ledger, and a host that treats with it."""

    def __init__(self, records: Records, shots: int = 3):
        self.records = records
        self.model = LedgerModel()
        self.shots = shots
        self.port = ScriptedPort()
        self.view = Unwatched()
        self.ended: Result | None = None

    def armed(self, *items: Item, planned: int) -> tuple[Exchange, ...]:
        """From the start to the armed device, which has announced a pull and does `items`."""
        profile = int(PROFILE_ID, 16)
        ready = result({"state": "READY"})
        return (
            status(),
            Exchange("profile.load", does(lambda: self.model.load(profile), result(PLAN))),
            Exchange("home", *state(1, "READY"), ready),
            Exchange("prime", does(self.model.prime, ready)),
            Exchange(
                "arm",
                *state(2, "ARMED"),
                does(lambda: self.model.announce(planned), result({"state": "ARMED"})),
                1.0,
                *items,
            ),
        )

    def treat(self, *exchanges: Exchange, found: ScriptedPort | None = None) -> SessionRecord:
        self.port = ScriptedPort(info(), *exchanges, ledger=self.model)

        def find_again() -> Device:
            if found is None:
                raise MesodriveError("There is none.")
            return Device(found)

        self.ended = TreatmentSession(
            Device(self.port),
            self.records,
            PRESET,
            replace(prescribe(PRESET, shots=self.shots)),
            self.view,
            find_again=find_again,
            ledger=LedgerKeeper(self.records, KEY),
        ).run()
        self.port.script.finish()
        return self.records.session("last")

    def end(self, strikes: int) -> None:
        """The pull under way is over."""
        ((number, _, _),) = self.model.ledger.pending
        self.model.end(number, strikes, strikes * 9997)

    def over(self, strikes: int, *, in_ledger: int | None = None) -> Exchange:
        """The status of a device whose pull has just ended; its ledger may have other strikes."""
        told = status(profile=PROFILE_ID, shots_done=strikes, state="READY")
        answer = told.arrivals[0][0]
        assert callable(answer)
        kept = strikes if in_ledger is None else in_ledger
        return Exchange("status", does(lambda: self.end(kept), answer))

    def warned(self) -> str:
        """What the session's end warned of; then it was not as planned."""
        assert self.ended
        assert self.ended.as_planned == (not self.ended.warnings)
        noted = [event.text for event in self.records.session("last").events]
        assert set(self.ended.warnings) <= set(noted)
        return " ".join(self.ended.warnings)


@pytest.fixture
def clinic(records: Records) -> Clinic:
    return Clinic(records)


SHOTS: tuple[Item, ...] = (0.4, shot(3, 1), 0.4, shot(4, 2), 0.4, shot(5, 3))
READY = state(6, "READY", "all shots are done")


def test_a_session_ends_with_its_ledger_fetched_and_countersigned(clinic: Clinic) -> None:
    record = clinic.treat(*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3))
    assert record.outcome is SessionOutcome.COMPLETE
    assert (record.uncertain_shots, record.lost_shots) == (0, 0)
    ledger = record.ledger
    assert ledger
    assert (ledger.strikes, ledger.given_ul, ledger.whole) == (3, 29.991, True)
    assert ledger.differences == ()
    assert clinic.warned() == ""
    assert clinic.ended
    assert clinic.ended.as_planned
    known = clinic.records.ledgers.current(record.facts.device.serial)
    assert known
    assert clinic.records.ledgers.raws(known.key) == clinic.model.all()
    assert clinic.model.asked.count("ledger.countersign") == 1
    assert any(head.host_key == KEY.number for head in clinic.records.ledgers.heads(known.key))


def test_a_dose_in_doubt_refuses_the_session_and_names_the_way_out(clinic: Clinic) -> None:
    with pytest.raises(SessionError, match=r"up to 100\.000 µL.* mesodrive ledger resolve"):
        clinic.treat(status(in_doubt=[[7, 10, 10_000]]))
    assert clinic.port.script.methods() == ["info", "status"]
    assert clinic.records.sessions() == []


def test_a_ledger_that_is_not_the_one_seen_before_refuses_the_session(clinic: Clinic) -> None:
    clinic.treat(*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3))
    clinic.model = LedgerModel(b"another")
    with pytest.raises(LedgerError, match="has another ledger than the one seen before"):
        clinic.treat(status())
    assert clinic.port.script.methods() == ["info", "status"]
    assert len(clinic.records.sessions()) == 1


def test_a_restarted_device_has_told_by_its_ledger_what_is_in_doubt(clinic: Clinic) -> None:
    """Ten were announced, one is recorded; the device went through a reset in the pull."""
    clinic.shots = 10
    model = clinic.model
    gone = clinic.armed(0.4, shot(3, 1), 0.4, Vanish(), planned=10)
    found = ScriptedPort(
        info(), Exchange("status", does(model.boot, result(BOOTED))), ledger=model
    )
    record = clinic.treat(*gone, found=found)
    assert record.outcome is SessionOutcome.LINK_LOST
    assert "its ledger has told the rest" in record.reason
    assert (record.uncertain_shots, record.uncertain_ul, record.lost_shots) == (9, 90.0, 0)
    assert record.ledger
    assert record.ledger.in_doubt_strikes == 10
    assert any("have no known outcome" in event.text for event in record.events)


def test_a_device_that_ended_its_pull_before_it_was_reset_leaves_nothing_in_doubt(
    clinic: Clinic,
) -> None:
    clinic.shots = 10
    gone = clinic.armed(0.4, shot(3, 1), 0.4, Vanish(), planned=10)

    def end_and_boot() -> None:
        clinic.end(4)
        clinic.model.boot()

    found = ScriptedPort(
        info(), Exchange("status", does(end_and_boot, result(BOOTED))), ledger=clinic.model
    )
    record = clinic.treat(*gone, found=found)
    assert (record.uncertain_shots, record.lost_shots) == (3, 3)
    assert record.uncertain_ul == pytest.approx(3 * 9.997)


def test_a_device_that_is_gone_for_good_leaves_the_bound_until_its_ledger_is_fetched(
    clinic: Clinic,
) -> None:
    clinic.shots = 10
    record = clinic.treat(*clinic.armed(0.4, shot(3, 1), 0.4, Vanish(), planned=10))
    assert record.ledger is None
    assert record.uncertain_shots is not None
    assert record.uncertain_shots > 0
    clinic.end(1)
    with Device(ScriptedPort(info(), ledger=clinic.model)) as device:
        LedgerKeeper(clinic.records, KEY).after(device)
    record = clinic.records.session("last")
    assert record.ledger
    assert (record.uncertain_shots, record.uncertain_ul, record.lost_shots) == (0, 0.0, 0)


def test_a_ledger_that_cannot_be_fetched_afterwards_costs_the_session_nothing(
    clinic: Clinic,
) -> None:
    heads = Exchange("ledger.head", refusal(WRONG_STATE, "The flash is being read; wait."))
    exchanges = (*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3), heads)
    record = clinic.treat(*exchanges)
    assert record.outcome is SessionOutcome.COMPLETE
    assert record.ledger is None
    assert record.uncertain_shots == 0
    (told,) = [one.text for one in record.events if "ledger" in one.text]
    assert "was not fetched; run mesodrive ledger fetch" in told
    assert clinic.warned() == told


def test_a_device_that_wants_a_login_again_is_fetched_all_the_same(clinic: Clinic) -> None:
    unsigned = Exchange("ledger.countersign", refusal(UNAUTHORIZED, "Log in first."))
    exchanges = (*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3), unsigned)
    record = clinic.treat(*exchanges)
    assert record.ledger
    assert record.ledger.strikes == 3
    (told,) = [one.text for one in record.events if "ledger" in one.text]
    assert told.endswith("was fetched and not countersigned: Log in first.")
    assert clinic.warned() == told


def test_a_device_that_gave_more_than_this_host_recorded_is_told(clinic: Clinic) -> None:
    record = clinic.treat(
        *clinic.armed(*SHOTS[:4], *state(5, "READY", "disarmed"), planned=3),
        Exchange("status", does(lambda: clinic.end(3), result(TWO_DONE))),
    )
    assert [one.number for one in record.shots] == [1, 2]
    assert (record.uncertain_shots, record.lost_shots) == (1, 1)
    assert any("1 strike more than this host recorded" in event.text for event in record.events)


def test_a_shot_that_the_ledger_does_not_have_is_warned_of_at_the_end_and_before_the_next(
    clinic: Clinic,
) -> None:
    clinic.treat(*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3, in_ledger=2))
    assert clinic.ended
    assert clinic.ended.outcome is SessionOutcome.COMPLETE
    assert "1 strike that the device's ledger does not have; keep the" in clinic.warned()
    first = clinic.ended.session_id
    assert clinic.view.steps[0].startswith("homing")
    clinic.view.steps.clear()
    clinic.treat(*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3))
    told, homing, *_ = clinic.view.steps
    assert told.startswith(f"The session before this one, {first[:8]}, recorded 1 strike that")
    assert homing.startswith("homing")


def test_records_of_the_session_that_cannot_be_read_are_warned_of(clinic: Clinic) -> None:
    nothing = Exchange("ledger.records", result({"rows": []}))
    record = clinic.treat(*clinic.armed(*SHOTS, *READY, planned=3), clinic.over(3), nothing)
    assert record.outcome is SessionOutcome.COMPLETE
    assert "are missing; the device cannot read them." in clinic.warned()


def test_a_device_that_is_gone_for_good_is_to_be_fetched_later(clinic: Clinic) -> None:
    clinic.treat(*clinic.armed(0.4, shot(3, 1), 0.4, Vanish(), planned=3))
    assert clinic.warned() == "The device's ledger was not fetched; run mesodrive ledger fetch."
