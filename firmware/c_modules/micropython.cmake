include(${CMAKE_CURRENT_LIST_DIR}/usbline/micropython.cmake)

# MicroPython aligns frozen machine code to two bytes, but a Cortex-M0+ reads its constants beside
# the code from whole words: a function at an odd halfword would get two halves of neighbours
# instead. At least four, then; the toolchain checks that it is so.
set_source_files_properties(${CMAKE_BINARY_DIR}/frozen_content.c PROPERTIES
    COMPILE_OPTIONS "-Daligned(bytes)=aligned(((bytes)<4)?4:(bytes))")
