"""Each record of a device is here once, whatever happens; another ledger is told, not mixed in."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from mesodrive.ledger import Head, Row
from mesodrive.ledger.fetch import Fetched, check, fetch, sign
from mesodrive.ledger.host_key import HostKey
from mesodrive.ledger.rows import Countersigned
from mesodrive.records import LedgerStore, Records, RecordsError
from mesodrive_rig.ledger_model import LedgerModel

pytestmark = pytest.mark.requirement("R17")

SERIAL = "E66118604B1F2A2C"
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # hundreds of files: spare the disk


def get(device: LedgerModel, records: Records, **options: Any) -> Fetched:
    return fetch(device, SERIAL, records.ledgers, **options)


def stored(records: Records) -> list[bytes]:
    ledger = records.ledgers.current(SERIAL)
    assert ledger
    return records.ledgers.raws(ledger.key)


def one_sentence(fetched: Fetched) -> str:
    (flaw,) = fetched.flaws
    assert re.fullmatch(r"[A-Z][^.]*\.", flaw.text), flaw.text
    return flaw.text


@pytest.mark.requirement("R21")
def test_all_records_of_a_device_are_kept_for_good(device: LedgerModel, records: Records):
    device.work(40)
    fetched = get(device, records)
    assert (fetched.whole, fetched.new) == (True, len(device.all()))
    assert stored(records) == device.all()
    older = device.all()
    for _ in range(12):  # it goes round its flash
        device.work(40)
        assert get(device, records).new == 40
    assert device.all()[0] not in older
    assert stored(records)[: len(older)] == older
    assert [Row.parse(raw).sequence for raw in stored(records)][-1] == device.ledger.head[0]


def test_a_fetch_goes_on_where_the_one_before_ended(device: LedgerModel, records: Records):
    get(device, records)
    device.work(2)
    device.asked.clear()
    assert get(device, records).new == 2
    assert device.asked.count("ledger.records") == 2
    device.asked.clear()
    assert get(device, records).new == 0
    assert device.asked == ["ledger.head"]


def test_an_empty_ledger_is_whole(records: Records):
    fetched = get(LedgerModel(), records)
    assert (fetched.whole, fetched.new, fetched.ledger.head) == (True, 0, None)


class TornError(Exception):
    """The cable is pulled, or the program is killed."""


@st.composite
def plans(draw: st.DrawFn) -> list[tuple[str, int]]:
    step = st.sampled_from(["work", "pull", "boot", "sign", "cable", "kill", "twice", "fetch"])
    return draw(st.lists(st.tuples(step, st.integers(0, 30)), min_size=1, max_size=8))


class Flaky:
    """Hands on to a device; breaks off at request `breaks`; says every record twice if asked."""

    def __init__(self, device: LedgerModel, breaks: int = -1, twice: bool = False):
        self._device, self._left, self._twice = device, breaks, twice

    def _ask(self) -> LedgerModel:
        if self._left == 0:
            raise TornError
        self._left -= 1
        return self._device

    def ledger_head(self) -> Any:
        return self._ask().ledger_head()

    def ledger_records(self, first: int) -> list[bytes]:
        if self._twice and first > 1:
            first -= 1  # as another host that is fetching into the same records
        return self._ask().ledger_records(first)

    def countersign(self, sequence: int, mac: bytes, key: int) -> None:
        self._ask().countersign(sequence, mac, key)


@settings(max_examples=60, deadline=None)
@given(plans())
def test_each_record_is_stored_exactly_once_whatever_breaks_off_and_comes_again(
    plan: list[tuple[str, int]],
):
    """`kill` ends the program before some statement of the database; what then is on the disk is
    what the next program finds."""
    device, key = LedgerModel(sectors=16), HostKey(bytes(32))
    truth: dict[int, bytes] = {}
    with TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / "0.db"
        for number, (what, amount) in enumerate([*plan, ("fetch", 0)]):
            if what == "work":
                device.work(amount)
            elif what == "pull":
                device.pull(amount)
            elif what == "boot":
                device.announce(amount) if len(device.ledger.pending) < 3 else None
                device.boot()
            truth |= {Row.parse(raw).sequence: raw for raw in device.all()}
            if what == "kill":
                path = killed(path, device, amount, Path(folder) / f"k{number}.db", key)
            elif what in ("sign", "cable", "fetch", "twice"):
                with Records.open(path) as records:
                    source = Flaky(device, amount % 5 if what == "cable" else -1, what == "twice")
                    try:
                        fetched = fetch(source, SERIAL, records.ledgers, key)
                        assert fetched.whole, fetched.flaws
                        if what == "sign":
                            sign(source, fetched, records.ledgers, key)
                    except TornError:
                        pass
        truth |= {Row.parse(raw).sequence: raw for raw in device.all()}
        with Records.open(path) as records:
            assert fetch(device, SERIAL, records.ledgers, key).whole
            ledger = records.ledgers.current(SERIAL)
            assert ledger
            assert records.ledgers.raws(ledger.key) == [truth[n] for n in sorted(truth)]
            assert check(records.ledgers, ledger, key).whole
            assert records.ledgers.flaws(ledger.key) == []
            heads = [seen.head.sequence for seen in records.ledgers.heads(ledger.key)]
            assert len(set(heads)) == len(heads)


def killed(path: Path, device: LedgerModel, statement: int, copy: Path, key: HostKey) -> Path:
    """Fetch, and be killed before statement `statement`: what is on the disk then, in `copy`."""
    left = [statement]

    def count(*_: object) -> None:
        if left[0] == 0:
            for end in ("", "-wal", "-shm"):
                if Path(f"{path}{end}").exists():
                    shutil.copy(f"{path}{end}", f"{copy}{end}")
            raise TornError
        left[0] -= 1

    with Records.open(path) as records:
        event.listen(sa.Engine, "before_cursor_execute", count)
        try:
            fetched = fetch(device, SERIAL, records.ledgers, key)
            sign(device, fetched, records.ledgers, key)
        except TornError:
            return copy
        finally:
            event.remove(sa.Engine, "before_cursor_execute", count)
    return path


def test_a_cut_tail_is_said_and_nothing_is_changed(device: LedgerModel, records: Records):
    device.work(20)
    get(device, records)
    before = stored(records)
    shorter = LedgerModel()
    shorter.load(0x5F3A90C1)
    shorter.prime()
    fetched = get(shorter, records)
    assert fetched.refused
    assert "seen up to record 29 and ends at 3: its tail is cut off" in one_sentence(fetched)
    assert stored(records) == before
    ledger = records.ledgers.current(SERIAL)
    assert ledger
    assert [flaw.text for flaw in records.ledgers.flaws(ledger.key)] == [fetched.flaws[0].text]
    assert get(shorter, records).flaws == fetched.flaws
    assert len(records.ledgers.flaws(ledger.key)) == 1


@pytest.mark.parametrize("records_after", [5, 16, 60], ids=["shorter", "as long", "longer"])
def test_a_rewritten_ledger_is_said_with_where_it_begins(records: Records, records_after: int):
    device, other = LedgerModel(), LedgerModel()
    for one in (device, other):
        one.work(20)
    device.pull(4)
    device.work(14)
    get(device, records)
    before = stored(records)
    other.pull(5)
    other.work(records_after - 2)
    assert "was rewritten after record 20" in one_sentence(get(other, records))
    assert stored(records) == before


@pytest.mark.parametrize("length", [0, 5, 16, 60], ids=["empty", "shorter", "as long", "longer"])
def test_another_ledger_is_said_and_taken_only_when_a_person_says_so(
    device: LedgerModel, records: Records, length: int
):
    device.work(16 - len(device.all()))
    get(device, records)
    before = records.ledgers.current(SERIAL)
    other = LedgerModel(b"another")
    other.work(length)
    fetched = get(other, records)
    assert fetched.refused
    assert "has another ledger" in one_sentence(fetched)
    assert "mesodrive ledger fetch --new" in one_sentence(fetched)
    fetched = get(other, records, anew=True)
    assert fetched.whole
    assert stored(records) == other.all()
    assert before
    assert records.ledgers.raws(before.key) == device.all()
    assert fetched.ledger.key != before.key
    assert get(other, records, anew=True).ledger.key == fetched.ledger.key  # no need for another


def test_what_a_device_cannot_read_is_missing_and_the_rest_is_kept(
    device: LedgerModel, records: Records
):
    get(device, records)
    last = device.ledger.head[0]
    device.work(20)

    class Blind(Flaky):
        def ledger_records(self, first: int) -> list[bytes]:
            rows = super().ledger_records(first)
            return [raw for raw in rows if Row.parse(raw).sequence not in (last + 3, last + 4)]

    fetched = fetch(Blind(device), SERIAL, records.ledgers)
    assert not fetched.refused
    missing = f"Records {last + 3} to {last + 4} are missing; the device cannot read them."
    assert one_sentence(fetched) == missing
    assert len(stored(records)) == len(device.all()) - 2
    assert get(device, records).whole  # nothing new is wrong, but what was stays known
    ledger = records.ledgers.current(SERIAL)
    assert ledger
    assert [flaw.text for flaw in records.ledgers.flaws(ledger.key)] == [missing]
    assert [flaw.text for flaw in check(records.ledgers, ledger, None).flaws] == [missing]


def test_a_device_that_contradicts_itself_is_said(device: LedgerModel, records: Records):
    class Liar(Flaky):
        def ledger_head(self) -> Any:
            return super().ledger_head().model_copy(update={"chain": "00" * 16})

    fetched = fetch(Liar(device), SERIAL, records.ledgers)
    assert fetched.refused
    assert "is not what the device says" in one_sentence(fetched)


def test_a_device_that_says_nothing_more_is_not_asked_for_ever(
    device: LedgerModel, records: Records
):
    class Mute(Flaky):
        def ledger_records(self, first: int) -> list[bytes]:
            return super().ledger_records(first)[:0]

    fetched = fetch(Mute(device), SERIAL, records.ledgers)
    assert "are missing" in one_sentence(fetched)


def test_another_record_under_the_same_number_is_refused(device: LedgerModel, records: Records):
    ledger = get(device, records).ledger
    other = LedgerModel(b"another")
    other.work(3)
    with pytest.raises(RecordsError, match="already recorded with other values"):
        records.ledgers.add(ledger.key, other.all())
    assert stored(records) == device.all()


def test_a_head_is_countersigned_once_and_the_signature_holds(
    device: LedgerModel, records: Records, key: HostKey
):
    fetched = get(device, records, key=key)
    seen = fetched.ledger.head
    assert sign(device, fetched, records.ledgers, key)
    again = get(device, records, key=key)
    assert (again.whole, again.new) == (True, 1)
    event = Row.parse(device.all()[-1]).event
    assert isinstance(event, Countersigned)
    assert seen
    assert (event.sequence, event.key) == (seen.sequence, key.number)
    assert not sign(device, again, records.ledgers, key)  # nothing new but our signature
    assert check(records.ledgers, again.ledger, key).whole
    signed = [one for one in records.ledgers.heads(again.ledger.key) if one.host_key]
    assert [(one.head, one.host_key) for one in signed] == [(seen, key.number)]


def test_a_signature_with_our_key_for_something_else_is_said(
    device: LedgerModel, records: Records, key: HostKey
):
    get(device, records, key=key)
    device.countersign(3, b"not our signature"[:16], key.number)
    fetched = get(device, records, key=key)
    assert fetched.refused
    assert "countersignature" in one_sentence(fetched)


def test_a_ledger_that_was_changed_in_the_records_is_found(device: LedgerModel, records: Records):
    ledger = get(device, records).ledger
    with closing(sqlite3.connect(records.path)) as database:
        database.execute("DELETE FROM ledger_record WHERE sequence = 5")
        database.commit()
    assert not check(records.ledgers, ledger, None).whole


def test_two_devices_have_a_ledger_each(device: LedgerModel, records: Records):
    get(device, records)
    other = LedgerModel(b"another")
    other.work(3)
    assert fetch(other, "E2", records.ledgers).whole
    assert get(device, records).whole
    known = {ledger.serial: ledger.head for ledger in records.ledgers.known()}
    assert known == {
        SERIAL: Head(len(device.all()), device.ledger.head[1]),
        "E2": Head(3, other.ledger.head[1]),
    }


def test_the_store_of_ledgers_is_that_of_the_records(records: Records):
    assert isinstance(records.ledgers, LedgerStore)
