# The types with which chip_loop.py is compiled.
from rp2040py.native._cortex_m0_core cimport CortexM0Core
from rp2040py.native._simulation_clock cimport SimulationClock

cdef int _CLOCK_NS

cdef class Loop:
    cdef CortexM0Core _core
    cdef SimulationClock _clock
    cdef bint _stopped
