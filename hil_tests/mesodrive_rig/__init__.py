"""The rig: the device under test, with hands to move its switches and eyes for what truly happens.

`rig.Rig` is what tests hold; `emulated` is the shipping image on an emulated chip with `plant`,
the virtual injector, on its pins.
"""
