"""A session and its part of the device's ledger are joined once, however often it is fetched."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesodrive.ledger.fetch import fetch
from mesodrive.records import (
    LedgerMark,
    Records,
    RecordsError,
    SessionFacts,
    SessionOutcome,
    SessionRecord,
    ShotReport,
)
from mesodrive_rig.ledger_model import LedgerModel

pytestmark = [pytest.mark.requirement("R16"), pytest.mark.requirement("R27")]

SERIAL = "E66118604B1F2A2C"
PROFILE = 0x5F3A90C1


class House:
    """A device, and a host that may have recorded less of it than it gave."""

    def __init__(self, records: Records, facts: SessionFacts, shot: ShotReport):
        self.records, self.facts, self.shot = records, facts, shot
        self.device = LedgerModel(sectors=16)

    def fetch(self) -> None:
        assert fetch(self.device, SERIAL, self.records.ledgers).whole

    def begin(self, profile: int = PROFILE) -> str:
        """A session: the ledger is fetched, the profile loaded, the record begun."""
        self.fetch()
        ledger = self.records.ledgers.current(SERIAL)
        assert ledger
        after = ledger.head.sequence if ledger.head else 0
        self.device.load(profile)
        self.device.prime()
        return self.records.start(self.facts, LedgerMark(ledger.key, after, profile))

    def record(self, id: str, *numbers: int) -> None:
        self.records.add_shots(id, [self.told(number) for number in numbers])

    def told(self, number: int) -> ShotReport:
        return self.shot.model_copy(update={"number": number, "dose_ul": 10.0})


@pytest.fixture
def house(path: Path, facts: SessionFacts, shot: ShotReport):
    with Records.open(path) as records:
        yield House(records, facts, shot)


def uncertain(record: SessionRecord) -> tuple[int | None, float | None, int | None]:
    return record.uncertain_shots, record.uncertain_ul, record.lost_shots


def test_a_session_that_both_know_the_same_of_has_nothing_uncertain(house: House):
    id = house.begin()
    house.device.pull(2)
    house.device.pull(3)
    house.record(id, 1, 2, 3, 4, 5)
    house.records.finish(id, SessionOutcome.COMPLETE, "All shots are done.", 0, 0.0)
    house.fetch()
    record = house.records.session(id)
    ledger = record.ledger
    assert ledger
    assert uncertain(record) == (0, 0, 0)
    assert (ledger.strikes, ledger.given_ul, ledger.primed_ul) == (5, 50.0, 41.0)
    assert (ledger.whole, ledger.flaws, ledger.differences) == (True, (), ())
    assert [(dose.planned_strikes, dose.strikes, dose.end) for dose in ledger.doses] == [
        (0, 0, "known"),
        (2, 2, "known"),
        (3, 3, "known"),
    ]
    assert (ledger.head_sequence, ledger.head_chain) == (
        house.device.ledger.head[0],
        house.device.ledger.head[1].hex(),
    )


def test_a_session_that_the_ledger_was_not_fetched_for_stands_as_it_was(house: House):
    id = house.begin()
    house.device.pull(4)
    house.record(id, 1, 2)
    house.records.finish(id, SessionOutcome.LINK_LOST, "The cable was pulled.", 3, 30.0)
    record = house.records.session(id)
    assert record.ledger is None
    assert uncertain(record) == (3, 30.0, 0)


def test_a_lost_link_is_completed_once_the_ledger_is_fetched(house: House):
    id = house.begin()
    house.device.pull(4)
    house.record(id, 1, 2)
    house.records.finish(id, SessionOutcome.LINK_LOST, "The cable was pulled.", 9, 90.0)
    for _ in range(3):  # again changes nothing
        house.fetch()
        record = house.records.session(id)
        assert uncertain(record) == (2, 20.0, 2)
        assert record.ledger
        assert "2 strikes more than this host recorded" in record.ledger.differences[0]
    assert house.records.sessions()[0].uncertain_shots == 2


def test_a_reset_leaves_a_dose_in_doubt_until_a_person_says_what_it_was(house: House):
    id = house.begin()
    house.device.pull(2)
    number = house.device.announce(10)
    house.device.boot()
    house.record(id, 1, 2, 3, 4, 5)
    house.records.finish(id, SessionOutcome.LINK_LOST, "The device has restarted.", 15, 150.0)
    house.fetch()
    record = house.records.session(id)
    assert uncertain(record) == (7, 70.0, 0)
    assert record.ledger
    assert (record.ledger.in_doubt_strikes, record.ledger.in_doubt_ul) == (10, 100.0)
    assert "have no known outcome" in record.ledger.differences[0]
    house.device.answer("dose.resolve", {"number": number, "strikes": 4, "given_nl": 40_000})
    house.fetch()
    record = house.records.session(id)
    assert uncertain(record) == (1, 10.0, 0)
    assert record.ledger
    assert (record.ledger.in_doubt_strikes, record.ledger.resolved_strikes) == (0, 4)
    assert record.ledger.doses[-1].end == "resolved"


def test_a_host_that_was_killed_learns_what_was_given(
    path: Path, facts: SessionFacts, shot: ShotReport
):
    with Records.open(path) as records:
        killed = House(records, facts, shot)
        id = killed.begin()
        killed.record(id, 1)
    killed.device.pull(3)
    with Records.open(path) as records:
        assert uncertain(records.session(id)) == (None, None, None)
        fetch(killed.device, SERIAL, records.ledgers)
        record = records.session(id)
        assert record.outcome is SessionOutcome.INTERRUPTED
        assert uncertain(record) == (2, 20.0, 2)


def test_a_record_that_the_device_does_not_have_is_a_contradiction(house: House):
    id = house.begin()
    house.device.pull(1)
    house.record(id, 1, 2)
    house.records.finish(id, SessionOutcome.STOPPED, "It was stopped.", 0, 0.0)
    house.fetch()
    ledger = house.records.session(id).ledger
    assert ledger
    assert ledger.unknown_shots == 1
    assert "keep the device out of use" in ledger.differences[0]


def test_a_volume_that_is_another_one_is_told(house: House):
    id = house.begin()
    house.device.pull(2, given_nl=21_000)
    house.record(id, 1, 2)
    house.records.finish(id, SessionOutcome.COMPLETE, "All shots are done.", 0, 0.0)
    house.fetch()
    ledger = house.records.session(id).ledger
    assert ledger
    assert "says 21.000 µL were given and this host recorded 20.000" in ledger.differences[0]


def test_a_session_whose_own_records_are_gone_gets_nothing_of_another_with_the_same_profile(
    house: House,
):
    house.device.work(1)
    id = house.begin()
    house.record(id, 1, 2)
    house.device.pull(2)
    for _ in range(700):  # the ring goes round under another host
        house.device.load(PROFILE)
        house.device.pull(9)
    assert not fetch(house.device, SERIAL, house.records.ledgers).whole
    assert house.records.session(id).ledger is None
    assert house.records.session(id).uncertain_shots is None


def test_only_the_first_profile_record_after_its_beginning_can_be_a_sessions_own(house: House):
    house.fetch()
    ledger = house.records.ledgers.current(SERIAL)
    assert ledger
    after = ledger.head.sequence if ledger.head else 0
    id = house.records.start(house.facts, LedgerMark(ledger.key, after, PROFILE))
    house.device.load(PROFILE + 1)
    house.device.load(PROFILE)
    house.device.pull(9)
    house.fetch()
    assert house.records.session(id).ledger is None


def rotten(raw: bytes) -> bytes:
    """A bit of the chain is another one."""
    return raw[:50] + bytes([raw[50] ^ 4]) + raw[51:]


def of_another_version(raw: bytes) -> bytes:
    """What a later firmware might write, checksum and all."""
    body = raw[:1] + b"\2" + raw[2:60]
    return body + crc32(body).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("becomes", "told"),
    [(rotten, "are damaged; restore them"), (of_another_version, "newer firmware; update")],
)
def test_a_record_in_the_database_that_cannot_be_read_is_one_sentence(
    house: House, becomes: Callable[[bytes], bytes], told: str
):
    id = house.begin()
    house.fetch()
    with closing(sqlite3.connect(house.records.path)) as db, db:
        for key, raw in db.execute("SELECT key, raw FROM ledger_record").fetchall():
            db.execute("UPDATE ledger_record SET raw = ? WHERE key = ?", (becomes(raw), key))
    for look in (
        lambda: house.records.session(id),
        lambda: house.records.ledgers.current(SERIAL),
        house.fetch,
    ):
        with pytest.raises(RecordsError, match=told):
            look()


def test_what_another_host_did_in_between_belongs_to_no_session_of_ours(house: House):
    first = house.begin()
    house.device.pull(1)
    house.record(first, 1)
    house.records.finish(first, SessionOutcome.COMPLETE, "All shots are done.", 0, 0.0)
    house.device.load(PROFILE)  # another host, the same profile
    house.device.pull(7)
    second = house.begin()
    house.device.pull(2)
    house.record(second, 1, 2)
    house.records.finish(second, SessionOutcome.COMPLETE, "All shots are done.", 0, 0.0)
    house.fetch()
    accounts = [house.records.session(id).ledger for id in (first, second)]
    assert [one and one.strikes for one in accounts] == [1, 2]
    assert [one and one.differences for one in accounts] == [(), ()]


PULLS = st.tuples(
    st.integers(1, 6),  # strikes announced
    st.integers(0, 6),  # strikes begun
    st.sampled_from(["end", "reset", "resolved"]),
    st.booleans(),  # whether the host lived to close its record
    st.booleans(),  # whether it fetched then
)


@settings(max_examples=30, deadline=None)
@given(st.lists(PULLS, min_size=1, max_size=5), st.data())
def test_no_strike_is_counted_twice_or_forgotten(
    tmp_path_factory: pytest.TempPathFactory,
    pulls: list[tuple[int, int, str, bool, bool]],
    data: st.DataObject,
):
    """Sessions one after another, of which the host recorded any part. Recorded and uncertain
    together are what the device gave, or had announced and does not know."""
    path = tmp_path_factory.mktemp("records") / "records.db"
    given_in: dict[str, int] = {}
    with Records.open(path) as records:
        house = House(records, FACTS, SHOT)
        for announced, begun, how, closes, fetches in pulls:
            begun = min(announced, begun)
            id = house.begin()
            number = house.device.announce(announced)
            if how == "end":
                house.device.end(number, begun, begun * 10_000)
            else:
                house.device.boot()
            told = data.draw(st.sets(st.integers(1, begun))) if begun else set[int]()
            house.record(id, *sorted(told))
            if closes:
                records.finish(id, SessionOutcome.LINK_LOST, "It was lost.", 99, 990.0)
            if fetches:
                house.fetch()
            if how != "reset":
                given_in[id] = begun
            else:
                given_in[id] = announced
            if how == "resolved":
                resolved = {"number": number, "strikes": begun, "given_nl": begun * 10_000}
                house.device.answer("dose.resolve", resolved)
            elif how == "reset" and len(house.device.in_doubt) == 4:
                break  # the device announces no more
        house.fetch()
    with Records.open(path) as records:
        for id, strikes in given_in.items():
            record = records.session(id)
            missing = strikes - len(record.shots)
            assert uncertain(record)[:2] == (missing, 10.0 * missing)


def _facts() -> SessionFacts:
    from mesodrive.presets import load_preset, prescribe

    preset = load_preset("nappage")
    info = {"product": "p", "version": "1", "board": "b", "serial": SERIAL, "micropython": "1"}
    return SessionFacts.of(preset, prescribe(preset), info)


FACTS = _facts()
SHOT = ShotReport.model_validate(
    {
        "number": 1,
        "t_ms": 1.0,
        "outcome": "done",
        "why": "",
        "commanded_ul": 10.0,
        "dose_ul": 10.0,
        "commanded_depth_mm": 3.0,
        "depth_mm": 3.0,
        "steps": 768,
        "audit": 768,
        "out_ms": 7.8,
        "back_ms": 170.0,
    }
)
