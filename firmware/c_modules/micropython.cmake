include(${CMAKE_CURRENT_LIST_DIR}/usbline/micropython.cmake)
