# The types with which chip_divider.py is compiled.
cimport cython
from rp2040py.native._cortex_m0_core cimport CortexM0Core

cdef unsigned int _FIRST, _SIGNED, _QUOTIENT, _REMAINDER, _CSR, _DIVISOR
cdef unsigned int _WORD, _SIGN, _READY, _DIRTY, _CLOCKS

cdef class Divider:
    cdef CortexM0Core _core
    cdef unsigned int _dividend, _divisor, _quotient, _remainder, _csr
    cdef object _read_other, _write_other, _reset_others

    @cython.locals(word=cython.uint)
    cpdef write(self, unsigned int offset, long long value)
    cpdef read(self, unsigned int offset)
    @cython.locals(above=cython.uint, below=cython.uint, quotient=cython.uint, remainder=cython.uint, above_negative=cython.bint, below_negative=cython.bint)
    cdef void _divide(self, bint signed)
