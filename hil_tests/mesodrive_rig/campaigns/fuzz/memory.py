"""What the firmware's objects hold after ever more frames: it must not grow."""

import gc
import tracemalloc
from array import array
from itertools import pairwise
from random import Random
from statistics import median

from mesodrive_rig.campaigns.fuzz.frames import Frames
from mesodrive_rig.campaigns.fuzz.lines import KNOWN, Cable, Recorder
from mesodrive_rig.campaigns.pure_firmware import firmware

_TOGETHER = 200
_FIRST_ID = 10**9  # so that all have as many digits


def growth(seed: str, windows: int, chunks: int) -> tuple[float, int]:
    """(bytes a frame that are held more and more, frames): the slope over `windows` of so many
    chunks each, in which the same frames come again, with ids that go on."""
    link_module = firmware("injector.link")
    cable, recorder = Cable(), Recorder()
    link = link_module.Link(cable, recorder)
    held = array("q", [0] * (windows + 1))  # holds no more with each
    frames = 0
    tracemalloc.start()
    try:
        for window in range(windows + 1):
            made = Frames(Random(seed), KNOWN)
            made.go_on_from(max(_FIRST_ID, link.last_id))
            for _ in range(chunks):
                stream = b"".join(made.some(_TOGETHER)) + b"\n"
                frames += stream.count(b"\n") * (window > 0)
                cable.arrive(stream)
                while not cable.empty:
                    link.step()
                link.step()
                recorder.ran.clear()
            del made
            gc.collect()
            held[window] = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return _slope(list(held)[1 + windows // 3 :]) * windows / max(1, frames), frames


def _slope(values: list[int]) -> float:
    """From one value to the next, as a rule: what is once laid out for good does not count."""
    return median(after - before for before, after in pairwise(values))
