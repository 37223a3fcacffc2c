"""The peak memory of a fit, taken in a process of its own."""

import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch


def peak_mib(name: str, side_px: int, device: str) -> int:
    """MiB that a fit of `tests.bench.speed` takes at its peak, beyond those of the process that runs it."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as alone:
        return alone.submit(_peak_mib, name, side_px, device).result()


def _peak_mib(name: str, side_px: int, device: str) -> int:
    from tests.bench.speed import runs

    torch.set_num_threads(1)
    work = runs(side_px, torch.device(device))[name]
    runs(64, torch.device(device))[name](1)  # libraries are loaded
    if device.startswith("cuda"):
        work(6)  # a recording among them, which has memory of its own
        return torch.cuda.max_memory_reserved(device) // 2**20
    before_kib = _peak_kib()
    work(3)
    return (_peak_kib() - before_kib) // 2**10


def _peak_kib() -> int:
    """Of this process; what getrusage says includes the process that started it."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])
