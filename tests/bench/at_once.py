"""Several images at once on one device: each in a process of its own, as workers fit them, or in a thread.

On a GPU not in threads: an iteration that one of them records breaks on what the others do meanwhile.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import torch

SIDE_PX = 256
AT_ONCE = {"cpu": (1, os.cpu_count() or 1), "cuda": (1, 2, 4, 8)}
ITERATIONS = {"cpu": 20, "cuda": 2000}
READY_S = 300
"""One that dies before it begins does not keep the others waiting for longer."""

SPAWN = multiprocessing.get_context("spawn")
WAYS: dict[str, tuple[Callable[..., Any], Callable[[int], Any]]] = {
    "processes": (SPAWN.Process, SPAWN.Barrier),
    "threads": (threading.Thread, threading.Barrier),
}
"""How something is run beside others, and how these wait for each other."""


def fits_at_once(device: str) -> dict[str, dict[str, dict[int, float]]]:
    """Iterations a second of the presets at 256², all together, by the way and their number."""
    kind = device.partition(":")[0]
    ways = ("processes",) if kind == "cuda" else WAYS
    return {
        f"{name}, {way}": {
            count: _iterations_per_s(name, way, count, device, ITERATIONS[kind]) for count in AT_ONCE[kind]
        }
        for name in ("D float32", "auto")
        for way in ways
    }


def _iterations_per_s(name: str, way: str, count: int, device: str, iterations: int) -> float:
    beside, barrier = WAYS[way]
    ready, done = barrier(count + 1), barrier(count + 1)
    for _ in range(count):
        beside(target=_fit, args=(name, device, iterations, ready, done), daemon=True).start()
    ready.wait(READY_S)
    start = time.perf_counter()
    done.wait(READY_S)
    return count * iterations / (time.perf_counter() - start)


def _fit(name: str, device: str, iterations: int, ready: Any, done: Any) -> None:
    from tests.bench.speed import runs

    torch.set_num_threads(1)
    work = runs(SIDE_PX, torch.device(device))[name]
    work(10)
    ready.wait(READY_S)
    work(iterations)
    done.wait(READY_S)
