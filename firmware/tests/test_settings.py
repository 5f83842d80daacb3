"""The settings: all of them or nothing, whatever cuts the supply."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from stand_ins.flash import StandInFlash

from injector.settings import OPERATOR, SERVICE, VALUES, Settings, SettingsError
from mesodrive_rig.campaigns.flash_model import Manner, ModelFlash, Mood, new_image

SECTOR = 1024  # four snapshots
Contents = tuple[object, ...]

changes = st.fixed_dictionaries(
    {
        "keys": st.dictionaries(
            st.sampled_from([SERVICE, OPERATOR]), st.binary(min_size=32, max_size=32)
        ),
        "counter": st.integers(0, 2**32 - 1),
        "failures": st.fixed_dictionaries(
            {SERVICE: st.integers(0, 40), OPERATOR: st.integers(0, 40)}
        ),
        "locked_by": st.sampled_from(["", "misfire", "over_temperature"]),
        "alarms": st.lists(
            st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 600)).map(list), max_size=11
        ),
        "values": st.dictionaries(st.sampled_from(VALUES), st.integers(1, 2**32 - 1)),
    }
)


def contents(settings: Settings) -> Contents:
    return (
        settings.keys,
        settings.counter,
        settings.failures,
        settings.locked_by,
        settings.alarms,
        settings.values,
    )


def change(settings: Settings, values: dict[str, object]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def opened(flash: object) -> Settings:
    settings = Settings(flash)
    settings.open()
    return settings


def test_a_new_device_has_nothing_set_and_says_so():
    settings = opened(StandInFlash(2, SECTOR))
    assert contents(settings) == ({}, 0, {SERVICE: 0, OPERATOR: 0}, "", [], {})
    assert not settings.claimed


@given(st.lists(changes, min_size=1, max_size=20))
def test_what_was_saved_is_there_after_a_restart(several: list[dict[str, object]]):
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    for values in several:
        change(settings, values)
        settings.save()
        assert contents(opened(flash)) == contents(settings)


@given(changes, changes)
def test_what_was_not_saved_is_not(kept: dict[str, object], lost: dict[str, object]):
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    change(settings, kept)
    settings.save()
    expected = contents(opened(flash))
    change(settings, lost)
    assert contents(opened(flash)) == expected


def test_more_alarms_than_there_is_room_for_leave_the_youngest():
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    settings.alarms = [[number, 20 - number] for number in range(1, 20)]
    settings.save()
    assert opened(flash).alarms == settings.alarms[-11:]


def test_both_sectors_wear_alike():
    flash = StandInFlash(2, 4096)
    settings = opened(flash)
    for _ in range(16 * 10):
        settings.save()
    assert flash.programs == 16 * 10 + 1
    assert flash.erases[1] == 5
    assert flash.erases[0] == 5 + 1  # the first of all, before the first snapshot


@budget(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    before=st.integers(0, 9),
    manner=st.sampled_from(list(Manner)),
    mood=st.sampled_from(list(Mood)),
    first=changes,
    second=changes,
)
def test_a_cut_at_any_instant_leaves_all_of_the_old_or_all_of_the_new(
    seed: int,
    before: int,
    manner: Manner,
    mood: Mood,
    first: dict[str, object],
    second: dict[str, object],
):
    random = Random(seed)
    flash = ModelFlash(new_image(2, SECTOR), SECTOR, random, mood)
    flash.may_erase = True
    settings = opened(flash)
    change(settings, first)
    for _ in range(before):
        settings.save()
    if before:
        settings = opened(flash)  # another boot
    old = contents(opened(flash))
    change(settings, second)
    done = len(flash.operations)
    settings.save()
    new = contents(settings)
    for operation in flash.operations[done:]:
        at = random.randrange(len(operation.data) + 1)
        image = operation.cut(manner, random, at)
        after = ModelFlash(image, SECTOR, random, mood)
        after.may_erase = True
        found = contents(opened(after))
        assert found in (old, new)
        for again in Mood:  # and it stays so, whatever the bits in doubt do
            later = ModelFlash(after.image, SECTOR, random, again)
            later.may_erase = True
            for _ in range(2):
                assert contents(opened(later)) == found
        survivor = opened(after)
        for number in range(10):  # and there is room for more
            survivor.counter = number
            survivor.save()
            assert opened(after).counter == number


@given(manner=st.sampled_from(list(Manner)), seed=st.integers(0, 2**32))
def test_a_cut_in_the_first_snapshot_of_all_leaves_a_new_device(manner: Manner, seed: int):
    random = Random(seed)
    flash = ModelFlash(new_image(2, SECTOR), SECTOR, random)
    flash.may_erase = True
    opened(flash)
    for operation in flash.operations:
        after = ModelFlash(operation.cut(manner, random, 100), SECTOR, random)
        after.may_erase = True
        assert not opened(after).claimed


def test_one_wrong_bit_anywhere_is_put_right():
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    settings.keys = {SERVICE: bytes(range(32))}
    settings.save()
    sound = bytes(flash.data)
    for bit in range(0, 8 * 256, 7):
        flash.data[:] = sound
        flash.data[256 + bit // 8] ^= 1 << bit % 8
        assert opened(flash).keys == settings.keys


def test_settings_that_cannot_be_read_are_not_taken_for_those_of_a_new_device():
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    settings.keys = {SERVICE: bytes(range(32))}
    settings.save()
    for page in range(0, flash.size, 256):
        flash.data[page : page + 8] = bytes(8)
    settings = Settings(flash)
    with pytest.raises(SettingsError, match="service"):
        settings.open()
    with pytest.raises(SettingsError, match="restart"):
        settings.save()


@pytest.mark.parametrize("byte", [4, 60, 200, 250])
def test_what_was_not_kept_for_one_bit_does_not_hold_after_a_restart_either(byte: int):
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    settings.values = {"dose_nl": 5_000}
    settings.save()
    flash.stuck = {settings._place * flash.page + byte: 0x80}
    settings.values = {"dose_nl": 100_000}
    with pytest.raises(SettingsError, match="keep"):
        settings.save()
    assert opened(flash).values == {"dose_nl": 5_000}
    flash.stuck = {}
    assert opened(flash).values == {"dose_nl": 5_000}


def test_a_flash_that_does_not_keep_is_told_at_once_and_not_written_again():
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    flash.stuck = dict.fromkeys(range(flash.size), 255)
    settings.counter = 7
    with pytest.raises(SettingsError, match="keep"):
        settings.save()
    flash.stuck = {}
    with pytest.raises(SettingsError, match="restart"):
        settings.save()


def test_a_flash_that_does_not_erase_is_told():
    flash = StandInFlash(2, SECTOR)
    settings = opened(flash)
    for _ in range(7):
        settings.save()
    flash.dead = True
    with pytest.raises(SettingsError, match="erase"):
        settings.save()
    assert contents(opened(flash)) == contents(settings)
