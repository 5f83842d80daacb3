"""What keeps a session from beginning is one sentence, and leaves no record."""

import pytest

from mesodrive.link.client import RefusedError
from mesodrive.records import Records
from mesodrive.session import SessionError
from mesodrive_rig.scripted import Exchange, refusal, status
from mesodrive_rig.scripted_session import Treatment
from mesodrive_wire import LIMIT


def refused(here: Treatment, kind: type[Exception]) -> str:
    with pytest.raises(kind) as error:
        here.run()
    here.port.script.finish()
    assert here.records.sessions() == []
    assert not {"home", "prime", "arm"} & set(here.asked)
    return str(error.value)


def test_a_device_in_fault_is_refused_with_its_reason(records: Records) -> None:
    why = "The guard was opened; close the guard, then acknowledge."
    here = Treatment(records, status(state="FAULT", why=why))
    assert refused(here, SessionError) == (
        "The device is in FAULT (The guard was opened; close the guard, then acknowledge); "
        "put that right, then run mesodrive ack."
    )


def test_a_profile_that_the_device_refuses_leaves_no_record(records: Records) -> None:
    load = Exchange("profile.load", refusal(LIMIT, "depth_um is past the limit; take less."))
    here = Treatment(records, status(), load)
    assert refused(here, RefusedError) == "depth_um is past the limit; take less."


def test_too_little_liquid_for_priming_and_shots_is_refused(records: Records) -> None:
    here = Treatment(records, prescription={"fill_ul": 70.9})
    assert refused(here, SessionError) == (
        "The shots and the priming take 71.0 µL and the syringe holds 70.9; "
        "fill more or plan fewer shots."
    )


def test_a_mode_that_the_device_lacks_is_refused(records: Records) -> None:
    here = Treatment(records)
    here.device.info = here.device.info.model_copy(update={"modes": ["single"]})
    assert "does not know the mode series" in refused(here, SessionError)
