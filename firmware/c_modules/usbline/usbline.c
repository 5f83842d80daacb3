// The USB serial line without waiting and without loss, for a loop that must never block.
//
// MicroPython's own sys.stdin blocks until a byte comes, and sys.stdout blocks for 500 ms and then
// drops when the host does not read. It also cannot say whether anybody has the port open, and a
// closed port has to stop the needle. Hence these calls; see docs/decisions.

#include "py/obj.h"
#include "py/ringbuf.h"
#include "py/runtime.h"
#include "shared/tinyusb/mp_usbd.h"
#include "shared/tinyusb/mp_usbd_cdc.h"

extern ringbuf_t stdin_ringbuf;

// A byte that means "stop now" wherever it stands (ASCII CAN); text never holds it. It is noticed
// when it arrives, and again when it is read: then it is news only if the ring was full before.
#define STOP_BYTE (0x18)
static uint32_t stops_noticed;

static void notice_stop(void);

// connected() -> bool: the cable is in, the bus is awake, and a program holds the port (DTR).
static mp_obj_t usbline_connected(void) {
    return mp_obj_new_bool(tusb_inited() && tud_cdc_connected());
}
static MP_DEFINE_CONST_FUN_OBJ_0(usbline_connected_obj, usbline_connected);

// readinto(buffer) -> int: move what has arrived into buffer; 0 when nothing has.
static mp_obj_t usbline_readinto(mp_obj_t buffer_in) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_WRITE);
    mp_usbd_cdc_poll_interfaces(0); // refill the ring from the USB stack
    uint8_t *to = buffer.buf;
    size_t n = 0;
    while (n < buffer.len) {
        int byte = ringbuf_get(&stdin_ringbuf);
        if (byte < 0) {
            break;
        }
        if (byte == STOP_BYTE) {
            if (stops_noticed) {
                stops_noticed--;
            } else {
                notice_stop();
            }
        }
        to[n++] = byte;
    }
    return MP_OBJ_NEW_SMALL_INT(n);
}
static MP_DEFINE_CONST_FUN_OBJ_1(usbline_readinto_obj, usbline_readinto);

// write(buffer) -> int: hand over what fits now; 0 when the host is not reading.
static mp_obj_t usbline_write(mp_obj_t buffer_in) {
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(buffer_in, &buffer, MP_BUFFER_READ);
    if (!tusb_inited() || !tud_cdc_connected()) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    uint32_t n = MIN(buffer.len, tud_cdc_write_available());
    n = tud_cdc_write(buffer.buf, n);
    tud_cdc_write_flush();
    return MP_OBJ_NEW_SMALL_INT(n);
}
static MP_DEFINE_CONST_FUN_OBJ_1(usbline_write_obj, usbline_write);

// discard(): forget everything that waits in either direction, as when the host has gone.
static mp_obj_t usbline_discard(void) {
    stdin_ringbuf.iget = stdin_ringbuf.iput = 0;
    stops_noticed = 0;
    if (tusb_inited()) {
        tud_cdc_read_flush();
        tud_cdc_write_clear();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(usbline_discard_obj, usbline_discard);

// on_loss(function): have function(None) called when the line is lost: port closed, bus asleep,
// cable out. It runs where the USB stack runs, between two bytecodes, so it waits for nothing but
// a garbage collection. None calls it off.
MP_REGISTER_ROOT_POINTER(mp_obj_t usbline_loss_handler);

static mp_obj_t usbline_on_loss(mp_obj_t handler) {
    MP_STATE_PORT(usbline_loss_handler) = handler;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(usbline_on_loss_obj, usbline_on_loss);

// on_stop(function): the same for a stop byte from the host.
MP_REGISTER_ROOT_POINTER(mp_obj_t usbline_stop_handler);

static mp_obj_t usbline_on_stop(mp_obj_t handler) {
    MP_STATE_PORT(usbline_stop_handler) = handler;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(usbline_on_stop_obj, usbline_on_stop);

static void tell(mp_obj_t handler) {
    if (handler != MP_OBJ_NULL && handler != mp_const_none) {
        mp_call_function_1_protected(handler, mp_const_none);
    }
}

static void lost(void) {
    tell(MP_STATE_PORT(usbline_loss_handler));
}

static void notice_stop(void) {
    tell(MP_STATE_PORT(usbline_stop_handler));
}

#ifndef NO_QSTR
void tud_suspend_cb(bool remote_wakeup_en) {
    lost();
}

void tud_umount_cb(void) {
    lost();
}

// MicroPython has taken TinyUSB's callbacks for itself; the linker hands us the calls first (--wrap,
// see micropython.cmake) and we hand them on.
void __real_tud_cdc_rx_cb(uint8_t itf);
void __wrap_tud_cdc_rx_cb(uint8_t itf) {
    uint16_t at = stdin_ringbuf.iput;
    __real_tud_cdc_rx_cb(itf);
    while (at != stdin_ringbuf.iput) {
        if (stdin_ringbuf.buf[at] == STOP_BYTE) {
            stops_noticed++;
            notice_stop();
        }
        at = at + 1 == stdin_ringbuf.size ? 0 : at + 1;
    }
}

void __real_tud_cdc_line_state_cb(uint8_t itf, bool dtr, bool rts);
void __wrap_tud_cdc_line_state_cb(uint8_t itf, bool dtr, bool rts) {
    if (!dtr) {
        lost();
    }
    __real_tud_cdc_line_state_cb(itf, dtr, rts);
}
#endif

static const mp_rom_map_elem_t usbline_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_usbline) },
    { MP_ROM_QSTR(MP_QSTR_connected), MP_ROM_PTR(&usbline_connected_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&usbline_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&usbline_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_on_loss), MP_ROM_PTR(&usbline_on_loss_obj) },
    { MP_ROM_QSTR(MP_QSTR_on_stop), MP_ROM_PTR(&usbline_on_stop_obj) },
    { MP_ROM_QSTR(MP_QSTR_discard), MP_ROM_PTR(&usbline_discard_obj) },
};
static MP_DEFINE_CONST_DICT(usbline_globals, usbline_globals_table);

const mp_obj_module_t usbline_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&usbline_globals,
};
MP_REGISTER_MODULE(MP_QSTR_usbline, usbline_module);
