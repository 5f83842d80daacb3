"""HMAC-SHA256 is that of RFC 4231 and of CPython."""

import hmac as reference

import pytest
from hypothesis import given
from hypothesis import strategies as st

from injector.hmac import hmac_sha256, is_same, xor

pytestmark = pytest.mark.requirement("R28")

RFC_4231 = [
    (
        "0b" * 20,
        b"Hi There".hex(),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        "aa" * 20,
        "dd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        "0102030405060708090a0b0c0d0e0f10111213141516171819",
        "cd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size "
            b"data. The key needs to be hashed before being used by the HMAC algorithm."
        ).hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.mark.parametrize(("key", "message", "tag"), RFC_4231)
def test_it_has_the_tags_of_the_standard(key: str, message: str, tag: str):
    assert hmac_sha256(bytes.fromhex(key), bytes.fromhex(message)).hex() == tag


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_it_is_that_of_cpython(key: bytes, message: bytes):
    assert hmac_sha256(key, message) == reference.digest(key, message, "sha256")


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_only_the_same_is_the_same(one: bytes, other: bytes):
    assert is_same(one, other) == (one == other)
    assert is_same(one, bytes(bytearray(one)))


def test_one_wrong_bit_anywhere_makes_a_difference():
    tag = bytes(range(32))
    for bit in range(8 * len(tag)):
        wrong = (int.from_bytes(tag, "big") ^ (1 << bit)).to_bytes(len(tag), "big")
        assert not is_same(tag, wrong)


def test_what_is_masked_twice_is_as_before():
    assert xor(xor(b"a key", b"a mask"[:5]), b"a mask"[:5]) == b"a key"


@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 128])
def test_a_key_of_any_size_about_a_block_makes_the_tag_of_the_standard(size: int):
    key = bytes(range(1, size + 1))
    assert hmac_sha256(key, b"a message") == reference.digest(key, b"a message", "sha256")
