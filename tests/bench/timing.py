"""How long something takes on a device."""

import time
from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def timed(work: Callable[[], T], device: torch.device) -> tuple[T, float]:
    """What it returns, and its seconds: between two events on a GPU, by the clock on a CPU."""
    if device.type != "cuda":
        start = time.perf_counter()
        found = work()
        return found, time.perf_counter() - start
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    first.record()
    found = work()
    last.record()
    last.synchronize()
    return found, first.elapsed_time(last) / 1000
