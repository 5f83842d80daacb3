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
