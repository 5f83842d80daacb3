"""All faults, by what they befall."""

from mesodrive_rig.campaigns.faults import board, hands, hosts, machinery, wiring
from mesodrive_rig.campaigns.faults.fault import Fault

FAULTS: list[Fault] = [
    *wiring.inputs(),
    *wiring.outputs(),
    *wiring.contacts(),
    *machinery.sensors(),
    *machinery.machine(),
    *board.chip(),
    *board.flash(),
    *board.clock(),
    *hands.hands(),
    *hosts.hosts(),
]
