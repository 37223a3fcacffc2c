"""Several images at once on one device, each in a process of its own, as workers fit them."""

import multiprocessing
import os
import time
from multiprocessing.synchronize import Barrier

import torch

SIDE_PX = 256
PROCESSES = {"cpu": (1, os.cpu_count() or 1), "cuda": (1, 2, 4, 8)}
READY_S = 300
"""A process that dies before it begins does not keep the others waiting for longer."""

ITERATIONS = {"cpu": 20, "cuda": 400}


def fits_at_once(device: str) -> dict[str, dict[int, float]]:
    """Iterations a second of the presets at 256², all processes together, by their number."""
    kind = device.partition(":")[0]
    return {
        name: {count: _iterations_per_s(name, count, device, ITERATIONS[kind]) for count in PROCESSES[kind]}
        for name in ("D float32", "auto")
    }


def _iterations_per_s(name: str, processes: int, device: str, iterations: int) -> float:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(processes + 1)
    workers = [
        spawn.Process(target=_fit, args=(name, device, iterations, ready), daemon=True)
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    ready.wait(READY_S)
    start = time.perf_counter()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError(f"Expected {processes} fits at once to end well; one did not.")
    return processes * iterations / (time.perf_counter() - start)


def _fit(name: str, device: str, iterations: int, ready: Barrier) -> None:
    from tests.bench.speed import runs

    torch.set_num_threads(1)
    work = runs(SIDE_PX, torch.device(device))[name]
    work(2)
    ready.wait(READY_S)
    work(iterations)
