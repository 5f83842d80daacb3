"""When the phases come that begin in the midst of a move or a strike."""

from mesodrive_rig.campaigns.faults.phases import Phase
from mesodrive_rig.plant import Output

BEGIN_STRIKE = (  # ms after STRIKE rose
    (Phase.TRAVEL, 1.0),
    (Phase.SETTLE, 4.0),
    (Phase.DOSE_BEGIN, 10.0),
    (Phase.DOSE_MID, 27.0),
    (Phase.DOSE_END, 51.5),
    (Phase.DWELL, 59.0),
    (Phase.REST, 75.0),
    (Phase.BETWEEN, 140.0),
)
RETURN_MS = 0.7  # after STRIKE fell
RISE_MS = 1.0  # after ENABLE rose
MOVE_MS = 8.0  # after a move began
# DIR edge → the move that it begins: of the depth axis first, then of the plunger
TURNS = {
    (Output.DEPTH_DIR, True, 1): Phase.DEPTH_OFF,
    (Output.DEPTH_DIR, False, 1): Phase.DEPTH_SLOW,
    (Output.DEPTH_DIR, True, 2): Phase.DEPTH_SET,
    (Output.PLUNGER_DIR, False, 1): Phase.PLUNGER_SLOW,
    (Output.PLUNGER_DIR, True, 2): Phase.SEATING,
}
