#define MICROPY_HW_BOARD_NAME "mesodrive pico"
#define MICROPY_HW_FLASH_STORAGE_BYTES (1408 * 1024)

#define MICROPY_HW_USB_MANUFACTURER_STRING "mesodrive"
#define MICROPY_HW_USB_PRODUCT_FS_STRING "mesodrive injector"

// A terminal program that opens the port at 1200 baud must not restart the machine.
#define MICROPY_HW_USB_CDC_1200BPS_TOUCH (0)
