"""A record says what was put into it, and one wrong bit in it can be put right."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from injector.ledger import checksum, record

pytestmark = pytest.mark.requirement("R17")

BEFORE = bytes(range(16))
LARGEST = {"B": 2**8 - 1, "H": 2**16 - 1, "I": 2**32 - 1, "Q": 2**64 - 1}


def fitting(code: str) -> st.SearchStrategy[object]:
    if code in LARGEST:
        return st.integers(0, LARGEST[code]) | st.sampled_from([0, LARGEST[code]])
    return st.binary(min_size=int(code[:-1]), max_size=int(code[:-1]))


@st.composite
def records(draw: st.DrawFn) -> tuple[int, dict[str, object]]:
    kind = draw(st.sampled_from(sorted(record.SCHEMA)))
    return kind, {name: draw(fitting(code)) for name, code in record.SCHEMA[kind][1]}


def written(kind: int, values: dict[str, object], sequence: int = 7) -> bytearray:
    raw = bytearray(b"\xa5" * record.SIZE)
    ordered = record.in_order(kind, values)
    record.write(raw, kind, sequence, 3, 2**41 + 5, ordered, BEFORE)
    return raw


@given(records(), st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1))
def test_a_record_says_what_was_put_into_it(
    told: tuple[int, dict[str, object]], sequence: int, boot: int, on_ms: int
):
    kind, values = told
    raw = bytearray(record.SIZE)
    record.write(raw, kind, sequence, boot, on_ms, record.in_order(kind, values), BEFORE)
    assert record.is_whole(raw)
    assert record.is_known(raw)
    assert record.follows(raw, BEFORE)
    assert record.sequence_of(raw) == sequence
    expected = tuple(values[name] for name, _ in record.SCHEMA[kind][1])
    assert record.read(raw) == (kind, boot, on_ms, expected)


@given(records(), st.integers(0, 8 * record.SIZE - 1))
def test_one_wrong_bit_anywhere_is_seen_and_put_right(
    told: tuple[int, dict[str, object]], bit: int
):
    good = written(*told)
    raw = bytearray(good)
    raw[bit // 8] ^= 1 << bit % 8
    assert not record.is_whole(raw)
    assert record.mend(raw, 7, BEFORE)
    assert raw == good


@given(records(), st.sets(st.integers(0, 8 * record.SIZE - 1), min_size=2, max_size=40))
def test_more_wrong_bits_are_seen_and_left_alone(
    told: tuple[int, dict[str, object]], bits: set[int]
):
    raw = written(*told)
    for bit in bits:
        raw[bit // 8] ^= 1 << bit % 8
    spoilt = bytes(raw)
    assert not record.is_whole(raw)
    assert not record.mend(raw, 7, BEFORE)
    assert raw == spoilt


@given(records(), st.integers(0, 8 * record.SIZE - 1), st.integers(1, 2**32 - 1), st.binary())
def test_what_is_put_right_must_be_the_next_record_of_this_ledger(
    told: tuple[int, dict[str, object]], bit: int, sequence: int, chain: bytes
):
    assume(sequence != 7)
    raw = written(*told)
    raw[bit // 8] ^= 1 << bit % 8
    spoilt = bytes(raw)
    assert not record.mend(raw, sequence, BEFORE)
    assert not record.mend(raw, 7, chain[:16].ljust(16, b"\0"))
    assert raw == spoilt


@given(records(), st.integers(0, 16 * 8 - 1))
def test_the_chain_depends_on_every_bit_before_it(told: tuple[int, dict[str, object]], bit: int):
    raw = written(*told)
    before = bytearray(BEFORE)
    before[bit // 8] ^= 1 << bit % 8
    assert not record.follows(raw, before)
    for place in range(44):
        other = bytearray(raw)
        other[place] ^= 1
        assert not record.follows(other, BEFORE)


def test_neither_a_blank_slot_nor_a_void_one_is_a_record():
    assert not record.is_whole(bytearray(record.BLANK))
    assert not record.is_whole(bytearray(record.VOID))


@pytest.mark.parametrize("kind", sorted(record.SCHEMA))
def test_a_value_that_does_not_fit_is_refused_by_name(kind: int):
    name, fields = record.SCHEMA[kind]
    least = {field: 0 if code in LARGEST else b"" for field, code in fields}
    for field, code in fields:
        if code in LARGEST:
            wrong = [-1, LARGEST[code] + 1, b"1", 1.0, None]
        else:
            wrong = [b"x" * (int(code[:-1]) + 1), "text", 7, None]
        for value in wrong:
            with pytest.raises(ValueError, match=f"^{field} of a record of kind {name} is .*fit"):
                record.in_order(kind, {**least, field: value})
    with pytest.raises(ValueError, match=r"has the values .*; give these"):
        record.in_order(kind, {**least, "more": 1})
    with pytest.raises(ValueError, match=r"has the values .*; give these"):
        record.in_order(kind, dict(list(least.items())[1:]))


def test_a_record_of_another_layout_or_kind_is_not_known():
    raw = written(record.SYRINGE, {"fill_nl": 1, "nl_per_mm": 2})
    for place, value in ((0, 99), (1, 2)):
        other = bytearray(raw)
        other[place] = value
        assert not record.is_known(other)


def test_zeros_between_two_words_of_ones_are_no_record_though_their_checksum_is_right():
    raw = b"\xff" * 4 + bytes(record.SIZE - 8) + b"\xff" * 4
    assert checksum.is_sealed(raw, record.SIZE - 4)
    assert not record.is_whole(raw)
