"""How the faults campaign judges what it has seen."""

from mesodrive_rig.campaigns.faults.seen import Seen


def test_a_strike_is_asked_for_by_a_trigger_and_a_touch_at_its_start():
    seen = Seen()
    seen.held = [[100.0, 200.0]]
    assert not seen.was_asked_for(150.0)  # whatever the wire of the contact says
    seen.touches(True, 90.0)
    seen.touches(True, 95.0)
    assert seen.was_asked_for(150.0)
    assert not seen.was_asked_for(99.0)
    seen.touches(False, 150.0)
    seen.touches(False, 160.0)
    assert seen.touched == [[90.0, 150.0]]
    assert seen.was_asked_for(151.0)  # it was on its way
    assert not seen.was_asked_for(153.0)
    seen.touches(True, 170.0)
    assert seen.was_asked_for(180.0)
    assert not seen.was_asked_for(203.0)
