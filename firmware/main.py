# The door: board → machine → run. There is no way back to a prompt except the service jumper.
import sys
import time

import machine
import micropython

micropython.kbd_intr(-1)  # a byte 3 on the wire is data, not an order to stop

try:
    from injector import app

    app.main()
except BaseException as error:  # whatever it is, it must not end at a prompt
    try:
        sys.print_exception(error)
        time.sleep_ms(1000)  # so that it is sent, or until the watchdog bites; the outputs are off
    finally:  # with a full heap even that may raise
        machine.reset()
