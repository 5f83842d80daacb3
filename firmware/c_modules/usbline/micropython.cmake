add_library(usermod_usbline INTERFACE)
target_sources(usermod_usbline INTERFACE ${CMAKE_CURRENT_LIST_DIR}/usbline.c)
target_include_directories(usermod_usbline INTERFACE ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(usermod INTERFACE usermod_usbline)
target_link_options(usermod_usbline INTERFACE 
    -Wl,--wrap=tud_cdc_line_state_cb -Wl,--wrap=tud_cdc_rx_cb)
