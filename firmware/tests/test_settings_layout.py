"""What stands where in the settings' flash: a newer firmware reads what an older one wrote."""

import binascii
import struct

from stand_ins.flash import StandInFlash

from injector import settings as module
from injector.settings import OPERATOR, SERVICE, Settings

VALUES = (
    *("depth_um", "dose_nl", "drip_nl", "prime_nl", "shots", "session_nl", "hour_nl"),
    *("depth_surface_um", "plunger_empty_um"),
)
KEYS = {SERVICE: bytes(range(32)), OPERATOR: bytes(range(100, 132))}
CODE = "over_temperature"


def saved(**changes: object) -> tuple[StandInFlash, Settings]:
    flash = StandInFlash(2, 1024)
    settings = Settings(flash)
    settings.open()
    for name, value in changes.items():
        setattr(settings, name, value)
    settings.save()
    return flash, settings


def test_each_part_of_a_snapshot_stands_in_its_place():
    alarms = [[1_000 + n, 10 + n] for n in range(11)]
    flash, _ = saved(
        keys=KEYS,
        counter=77,
        failures={SERVICE: 3, OPERATOR: 70_000},
        locked_by=CODE,
        alarms=[[9, 9], *alarms],  # one more than there is room for
        values={name: 1 + place for place, name in enumerate(VALUES)},
    )
    body = struct.pack("<4sII", b"MDS\x01", 2, 3) + KEYS[SERVICE] + KEYS[OPERATOR]
    body += struct.pack("<IHH16s", 77, 3, 0xFFFF, CODE.encode())
    body += struct.pack("<22I", *[word for alarm in alarms for word in alarm])
    body += struct.pack("<9I", *range(1, 10)) + bytes(28)
    assert len(body) == 252
    assert flash.data[256:512] == body + struct.pack("<I", binascii.crc32(body))


def test_the_places_of_the_values_are_theirs_for_good():
    assert module.VALUES == VALUES
    assert (*module.LIMITS, *module.CALIBRATION) == VALUES
    assert len(module.LIMITS) == 7
    assert module.ROLES == ("service", "operator")


def test_each_key_is_told_by_a_bit_of_its_own():
    for keys, bits in (({}, 0), ({SERVICE: KEYS[SERVICE]}, 1), ({OPERATOR: KEYS[OPERATOR]}, 2)):
        flash, _ = saved(keys=keys)
        assert struct.unpack_from("<I", flash.data, 256 + 8) == (bits,)
        again = Settings(flash)
        again.open()
        assert again.keys == keys
        assert again.blocked is False


def test_a_blocked_line_is_told_by_a_bit_beside_those_of_the_keys():
    flash, _ = saved(keys=KEYS, blocked=True)
    assert struct.unpack_from("<I", flash.data, 256 + 8) == (7,)
    again = Settings(flash)
    again.open()
    assert (again.blocked, again.keys) == (True, KEYS)


class Witness(StandInFlash):
    """Tells what was done to it: the place in pages, and whether something was left in it."""

    def __init__(self) -> None:
        super().__init__(2, 1024)
        self.done: list[tuple[str, int]] = []

    def program(self, address: int, data: bytes) -> None:
        self.done.append(("void" if bytes(data) == bytes(256) else "program", address // 256))
        super().program(address, data)

    def erase(self, address: int) -> None:
        self.done.append(("erase", address // 256))
        super().erase(address)

    def told(self) -> list[tuple[str, int]]:
        done, self.done = self.done, []
        return done


def opened(flash: StandInFlash) -> Settings:
    settings = Settings(flash)
    settings.open()
    return settings


def test_each_snapshot_takes_the_next_page_and_each_start_spoils_one():
    flash = Witness()
    settings = opened(flash)
    assert flash.told() == [("erase", 0), ("program", 0)]
    settings.save()
    assert flash.told() == [("program", 1)]
    settings = opened(flash)
    assert flash.told() == [("program", 1)]
    settings.save()
    assert flash.told() == [("void", 2), ("program", 3)]
    settings.save()
    assert flash.told() == [("erase", 4), ("program", 4)]
    settings = opened(flash)
    assert flash.told() == [("program", 4)]  # the old ones in the other sector are left
    settings.save()
    assert flash.told() == [("void", 5), ("program", 6)]
    settings = opened(flash)
    opened(flash)
    assert flash.told() == [("program", 6)] * 2
    settings.save()
    assert flash.told() == [("void", 7), ("erase", 0), ("program", 0)]
    settings.save()
    assert flash.told() == [("program", 1)]


def test_a_start_makes_void_what_was_cut_after_the_youngest():
    flash = Witness()
    opened(flash).save()
    flash.data[2 * 256 : 2 * 256 + 4] = b"MDS\x01"
    flash.data[3 * 256 + 7] = 0
    flash.data[4 * 256 + 9] = 0  # in the other sector, where the next but two would be
    flash.told()
    settings = opened(flash)
    assert flash.told() == [("program", 1), ("void", 2), ("void", 3), ("void", 4)]
    settings.save()
    assert flash.told() == [("erase", 4), ("program", 4)]
    assert opened(flash)._sequence == 3


def test_an_older_snapshot_never_counts_and_a_younger_one_does():
    flash, _ = saved(counter=1)
    younger = Settings(flash)
    younger.open()
    for counter in range(2, 9):
        younger.counter = counter
        younger.save()
        assert opened(flash).counter == counter


def test_opening_again_takes_what_was_saved_and_nothing_else():
    _, settings = saved()
    settings.keys = dict(KEYS)
    settings.alarms = [[1, 2]]
    settings.values = {"depth_um": 3}
    settings.open()
    assert (settings.keys, settings.alarms, settings.values) == ({}, [], {})
