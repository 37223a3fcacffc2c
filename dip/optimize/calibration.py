"""How long an iteration takes on this machine."""

import time
from dataclasses import replace

import torch

from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.presets import Settings
from dip.restoration import restore

SIDE_PX = 192
UNTIMED = {"cpu": 1, "cuda": 10}
"""Iterations at the beginning of a fit; on a GPU they are recorded there."""

TIMED = {"cpu": 10, "cuda": 200}


def seconds_per_pixel(settings: Settings, channels: int, device: torch.device) -> float:
    """Seconds of one iteration of a fit, over its pixels, from some of a small image.

    Args:
        settings: of the fit.
        channels: of the image, 1 or 3.
        device: where to measure.
    """
    problem = Problem(torch.zeros(1, channels, SIDE_PX, SIDE_PX), Identity(), Objective())
    guide = torch.zeros(1, 3, SIDE_PX, SIDE_PX)

    def seconds(iterations: int) -> float:
        schedule = replace(settings.schedule, iterations=iterations)
        start = time.perf_counter()
        restore(problem, (SIDE_PX, SIDE_PX), replace(settings, schedule=schedule), 0, device, guide=guide)
        return time.perf_counter() - start

    untimed, timed = UNTIMED[device.type], TIMED[device.type]
    seconds(untimed)  # libraries are loaded, and convolutions compiled
    beginning = seconds(untimed)
    return max(0.0, seconds(untimed + timed) - beginning) / (timed * SIDE_PX**2)
