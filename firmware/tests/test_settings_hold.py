"""Whether what was set still stands in flash, and is of this layout."""

import pytest
from stand_ins.flash import StandInFlash

from injector.ledger import checksum
from injector.settings import SERVICE, Settings, SettingsError

PAGE = 256


def saved() -> tuple[StandInFlash, Settings]:
    """Settings whose second snapshot, in the second page, has a key."""
    flash = StandInFlash(2, 1024)
    settings = Settings(flash)
    settings.open()
    settings.keys = {SERVICE: bytes(range(32))}
    settings.save()
    return flash, settings


def test_one_wrong_bit_in_the_snapshot_in_use_can_be_put_right_and_more_cannot():
    flash, settings = saved()
    assert settings.holds()
    flash.data[PAGE + 100] ^= 1
    assert settings.holds()
    flash.data[PAGE + 101] ^= 1
    assert not settings.holds()


def test_an_older_snapshot_in_the_place_of_the_one_in_use_is_seen():
    flash, settings = saved()
    flash.data[PAGE : 2 * PAGE] = flash.data[:PAGE]
    assert not settings.holds()


def test_settings_that_could_not_be_kept_do_not_hold():
    flash, settings = saved()
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    with pytest.raises(SettingsError):
        settings.save()
    assert not settings.holds()


@pytest.mark.requirement("R28")
@pytest.mark.parametrize("place", range(4))
def test_a_snapshot_of_another_layout_is_not_taken_for_one_of_this(place: int):
    flash, _ = saved()
    for at in (0, PAGE):
        page = flash.data[at : at + PAGE]
        page[place] ^= 3
        checksum.seal(page, PAGE - 4)
        flash.data[at : at + PAGE] = page
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings(flash).open()


@pytest.mark.requirement("R28")
@pytest.mark.parametrize("place", range(8))
def test_only_a_first_snapshot_that_was_cut_is_taken_for_a_new_device(place: int):
    flash = StandInFlash(2, 1024)
    flash.data[place * PAGE + 9] = 0
    settings = Settings(flash)
    if place:
        with pytest.raises(SettingsError, match="cannot be read"):
            settings.open()
    else:
        settings.open()
        assert not settings.claimed
        assert settings.holds()


@pytest.mark.requirement("R28")
def test_a_snapshot_that_was_cut_as_a_sector_was_begun_is_made_void():
    flash, settings = saved()
    assert flash.data[4 * PAGE] == 0xFF
    flash.data[4 * PAGE : 4 * PAGE + 12] = flash.data[:12]  # the youngest but one, not all of it
    again = Settings(flash)
    again.open()
    assert flash.data[4 * PAGE : 5 * PAGE] == bytes(PAGE)
    assert again.keys == settings.keys
