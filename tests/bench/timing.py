"""How long something takes on a device."""

import time
from collections.abc import Callable

import torch


def milliseconds(work: Callable[[], object], device: torch.device) -> float:
    """Of one call: between two events on a GPU, by the clock on a CPU."""
    if device.type != "cuda":
        start = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - start)
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    first.record()
    work()
    last.record()
    last.synchronize()
    elapsed_ms: float = first.elapsed_time(last)
    return elapsed_ms
