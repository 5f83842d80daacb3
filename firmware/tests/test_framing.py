"""The wire's lines: what is sent arrives, what is damaged is refused, memory is bounded."""

import binascii
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesodrive_wire import MAX_LINE, STOP, FrameError, LineReader, decode, encode

LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
MESSAGES = st.dictionaries(st.text(max_size=10), VALUES, max_size=5)
LINE = encode({"jsonrpc": "2.0", "id": 7, "method": "profile.load", "params": {"shots": 12}})


def with_checksum(body: bytes) -> bytes:
    return body + b" %08x" % binascii.crc32(body)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


@given(st.lists(MESSAGES, max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_message_survives_any_cutting_of_the_stream(
    messages: list[dict[str, object]], cuts: list[int]
):
    reader = LineReader()
    stream = b"".join(encode(message) for message in messages)
    lines = [line for part in cut(stream, cuts) for line in reader.feed(part)]
    assert [decode(line) for line in lines if line is not None] == messages


@pytest.mark.parametrize("view", [bytes, bytearray, memoryview])
def test_a_reader_takes_any_kind_of_buffer(view: type):
    assert LineReader().feed(view(LINE)) == [LINE[:-1]]


def test_a_line_ends_in_the_crc_32_of_its_text():
    assert encode({"id": 7}) == b'{"id":7} ' + b"%08x\n" % binascii.crc32(b'{"id":7}')


@pytest.mark.requirement("R26")
@given(MESSAGES, st.data())
def test_a_line_with_any_one_bit_flipped_is_refused(
    message: dict[str, object], data: st.DataObject
):
    line = bytearray(encode(message)[:-1])
    bit = data.draw(st.integers(0, 8 * len(line) - 1))
    line[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FrameError):
        decode(bytes(line))


@pytest.mark.requirement("R26")
def test_every_truncation_of_a_line_is_refused():
    for end in range(len(LINE) - 1):
        with pytest.raises(FrameError):
            decode(LINE[:end])


@pytest.mark.requirement("R26")
@given(st.integers(0, len(LINE) - 2), st.integers(0, 255).filter(lambda byte: byte != STOP[0]))
def test_a_line_with_any_byte_but_a_stop_put_into_it_is_refused(place: int, byte: int):
    lines = LineReader().feed(LINE[:place] + bytes([byte]) + LINE[place:])
    for line in lines:
        if line is None or line + b"\n" == LINE:  # a newline before the line is an empty line
            assert byte == ord("\n")
            assert place == 0
            continue
        with pytest.raises(FrameError):
            decode(line)


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("doubled", [LINE[:-1] * 2, LINE[:-1] + b" " + LINE[:-1]])
def test_two_lines_run_into_one_are_refused(doubled: bytes):
    with pytest.raises(FrameError):
        decode(doubled)


def test_a_terminals_carriage_return_does_no_harm():
    assert decode(LINE[:-1] + b"\r") == decode(LINE[:-1])


@pytest.mark.requirement("R26")
@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "no checksum"),
        (b"hello", "not JSON"),
        (b"[1,2]", "not an object"),
        (b'"text"', "not an object"),
        (b"17", "not an object"),
        (b"7", "not an object"),
        (b"{{", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 1900, "not JSON"),
    ],
)
def test_a_line_that_is_no_json_object_is_refused_with_its_cause(body: bytes, cause: str):
    with pytest.raises(FrameError, match=cause):
        decode(with_checksum(body))


@pytest.mark.requirement("R26")
@pytest.mark.parametrize("spoil", [bytes.upper, lambda line: line.replace(b" ", b"  ")])
def test_a_checksum_has_one_form_only(spoil: object):
    line = with_checksum(b'{"id":1}')
    assert decode(line) == {"id": 1}
    with pytest.raises(FrameError):
        decode(spoil(line))  # type: ignore[operator]


def message_of(line_bytes: int) -> dict[str, object]:
    empty = len(encode({"name": ""}))
    return {"name": "x" * (line_bytes - empty)}


def test_a_message_that_just_fits_a_line_is_sent_and_read():
    line = encode(message_of(MAX_LINE))
    assert len(line) == MAX_LINE
    (read,) = LineReader().feed(line)
    assert read is not None
    assert decode(read) == message_of(MAX_LINE)


def test_a_message_one_byte_too_long_is_not_sent():
    with pytest.raises(FrameError, match=rf"{MAX_LINE + 1} bytes .* at most {MAX_LINE}"):
        encode(message_of(MAX_LINE + 1))


@pytest.mark.requirement("R26")
@given(st.integers(MAX_LINE, 3 * MAX_LINE), st.lists(st.integers(0, 10_000), max_size=12))
def test_a_line_too_long_is_refused_once_and_the_next_is_read(length: int, cuts: list[int]):
    reader = LineReader()
    stream = b"x" * length + b"\n" + LINE
    lines = [line for part in cut(stream, cuts) for line in reader.feed(part)]
    assert lines == [None, LINE[:-1]]


@pytest.mark.requirement("R26")
@given(st.lists(st.binary(max_size=80).map(lambda b: b.replace(b"\n", b"")), max_size=60))
def test_what_has_no_newline_never_fills_the_memory(parts: list[bytes]):
    reader = LineReader(limit=200)
    for part in parts:
        assert reader.feed(part) == []
        kept = vars(reader)["_line"]
        assert len(kept) < 200


@pytest.mark.requirement("R26")
def test_nothing_is_kept_of_a_line_that_has_become_too_long():
    reader = LineReader(limit=200)
    for length in (150, 50, 100, 250):
        assert reader.feed(b"x" * length) == []
        assert len(vars(reader)["_line"]) == (150 if length == 150 else 0)
    assert reader.feed(b"\n" + LINE) == [None, LINE[:-1]]


def test_a_cleared_reader_has_forgotten_a_half_line_and_an_overlong_one():
    reader = LineReader()
    for before in (b"half a line", b"x" * 3 * MAX_LINE):
        reader.feed(before)
        reader.clear()
        assert reader.feed(LINE) == [LINE[:-1]]


@given(st.lists(st.integers(0, 4 * len(LINE)), max_size=12), st.lists(st.integers(0, 10_000)))
def test_stop_bytes_anywhere_leave_the_lines_as_they_are(places: list[int], cuts: list[int]):
    stream = LINE * 4
    for place in sorted(places, reverse=True):
        stream = stream[:place] + STOP + stream[place:]
    reader = LineReader()
    lines = [line for part in cut(stream, cuts) for line in reader.feed(part)]
    assert lines == [LINE[:-1]] * 4


@given(LEAVES)
def test_no_line_that_is_sent_holds_a_stop_byte(value: object):
    assert STOP == b"\x18"
    assert STOP not in encode({"value": [value, "\x18"]})


def test_a_line_can_be_read_by_a_person():
    assert json.loads(LINE.rsplit(b" ", 1)[0])["method"] == "profile.load"
    assert LINE.isascii()
    assert LINE.count(b"\n") == 1


def test_a_line_has_2048_bytes_at_most_its_newline_included():
    empty = len(encode({"a": ""}))
    longest = encode({"a": "x" * (2_048 - empty)})
    assert LineReader().feed(longest) == [longest[:-1]]
    with pytest.raises(FrameError, match=r"2049 bytes .* at most 2048"):
        encode({"a": "x" * (2_049 - empty)})
    assert LineReader().feed(b"x" + longest) == [None]


@pytest.mark.parametrize(
    ("fails", "sentence"),
    [(MemoryError, "too much to read"), (RuntimeError, "not JSON"), (ValueError, "not JSON")],
)
def test_a_line_that_cannot_be_read_is_refused_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, fails: type[Exception], sentence: str
):
    def loads(text: str) -> object:
        raise fails(text)

    line = encode({"id": 1}).rstrip(b"\n")
    monkeypatch.setattr("mesodrive_wire.framing.json.loads", loads)
    with pytest.raises(FrameError, match=sentence):
        decode(line)
