"""A key as long as a block of the hash is taken as it is, a longer one by its digest."""

import hmac as reference

import pytest

from injector.hmac import hmac_sha256

pytestmark = pytest.mark.requirement("R28")


@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 128])
def test_a_key_of_any_size_about_a_block_makes_the_tag_of_the_standard(size: int):
    key = bytes(range(1, size + 1))
    assert hmac_sha256(key, b"a message") == reference.digest(key, b"a message", "sha256")
