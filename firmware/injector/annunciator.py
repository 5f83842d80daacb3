"""Two lights and a buzzer say how soon a response is wanted, after IEC 60601-1-8.

Lights: high flashes red at 2 Hz (1.4 to 2.8), medium yellow at 0.6 Hz (0.4 to 0.8), low is
constant yellow. Buzzer: bursts of ten pulses for high, three for medium, one burst of two for low.
"""

from injector.alarms import HIGH, LOW, MEDIUM, PRIORITY

# period, how long of it the light is on: both 40 % (20 to 60 %)
_FLASH_MS = {HIGH: (500, 200), MEDIUM: (1_660, 660)}
# When each pulse of a burst begins, how long it lasts, when the burst comes again. High: 150 ms
# (75 to 200) with 100 ms (50 to 125) between, 350 ms in each five, 500 ms between the fives
# (350 to 1300), 5 s to the next burst (2.5 to 15). Medium and low: 200 ms (125 to 250) with 200 ms
# between; medium again after 10 s (2.5 to 30).
_FIVE = (0, 250, 500, 1_000, 1_250)
_BURST_MS = {
    HIGH: (_FIVE + tuple([at + 1_900 for at in _FIVE]), 150, 3_300 + 5_000),
    MEDIUM: ((0, 400, 800), 200, 1_000 + 10_000),
    LOW: ((0, 400), 200, None),
}
LAMP_TEST_MS = 500  # at the start everything is on, for a person to see and hear

# Bits of one number: what is made at every look of an alarm may not lie on the heap.
RED = 1
YELLOW = 2
BUZZER = 4


def signals(priority: str, ms: int) -> int:
    """Which of RED, YELLOW and BUZZER are on, `ms` after the alarm began."""
    lit = True
    if priority in _FLASH_MS:
        period_ms, on_ms = _FLASH_MS[priority]
        lit = ms % period_ms < on_ms
    starts_ms, pulse_ms, again_ms = _BURST_MS[priority]
    if again_ms:
        ms %= again_ms
    shown = 0
    if lit:
        shown = RED if priority == HIGH else YELLOW
    for start in starts_ms:
        if start <= ms < start + pulse_ms:
            shown |= BUZZER
    return shown


class Annunciator:
    """Drives the lights and the buzzer of `set_alarm(red, yellow, buzzer)`."""

    def __init__(self, set_alarm):
        self._set_alarm = set_alarm
        self._shown = 0
        self._alarm = None
        self._since_ms = 0
        self._test_until_ms = 0

    def start(self, now_ms: int) -> None:
        """Everything on for a moment."""
        self._test_until_ms = now_ms + LAMP_TEST_MS
        self._show(RED | YELLOW | BUZZER)

    def look(self, now_ms: int, alarm: "dict[str, str] | None") -> None:
        """Show `alarm`, or nothing; one that is new begins its pattern."""
        if alarm is not self._alarm:
            self._alarm = alarm
            self._since_ms = now_ms
        if now_ms < self._test_until_ms:
            return
        if not alarm:
            self._show(0)
            return
        self._show(signals(PRIORITY[alarm["code"]], now_ms - self._since_ms))

    def _show(self, shown):
        if shown != self._shown:
            self._shown = shown
            self._set_alarm(bool(shown & RED), bool(shown & YELLOW), bool(shown & BUZZER))
