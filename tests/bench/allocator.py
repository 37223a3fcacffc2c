"""What it costs that Dask has its workers hand freed memory back at once.

Times the optimisation of one 256×256 image, preset `fast`, one thread, in processes that differ in the
allocator's settings alone, in turn: `python -m tests.bench.allocator`. Prints a JSON object.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import replace

REPETITIONS = 3
ITERATIONS = 30
SETTINGS = {
    "dask": {"MALLOC_TRIM_THRESHOLD_": "65536"},
    "glibc": {},
    "ours": {"MALLOC_TRIM_THRESHOLD_": str(2**34), "MALLOC_MMAP_THRESHOLD_": str(2**32)},
}


def milliseconds_per_iteration() -> float:
    """The time of an iteration in this process."""
    import torch

    from dip.methods.presets import PRESETS
    from dip.objective import Objective, Problem
    from dip.operators.identity import Identity
    from dip.optimize.fit import restore

    problem = Problem(torch.rand(1, 3, 256, 256), Identity(), Objective())
    asked = PRESETS["fast"]["any"]
    for iterations in (5, ITERATIONS):  # the first warms up
        capped = replace(asked, schedule=replace(asked.schedule, iterations=iterations))
        start = time.perf_counter()
        restore(problem, (256, 256), capped, 0, torch.device("cpu"))
    return 1000 * (time.perf_counter() - start) / ITERATIONS


def in_a_process(environment: dict[str, str]) -> float:
    """The same in a process with these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-m", "tests.bench.allocator", "--once"]
    finished = subprocess.run(
        command, env={**kept, **environment}, capture_output=True, text=True, check=True
    )
    return float(finished.stdout)


def main() -> None:
    """Time all settings in turn."""
    import torch

    times: dict[str, list[float]] = {name: [] for name in SETTINGS}
    for _ in range(REPETITIONS):
        for name, environment in SETTINGS.items():
            times[name].append(in_a_process(environment))
    medians = {name: statistics.median(values) for name, values in times.items()}
    result = {
        "milliseconds_per_iteration": medians,
        "dask_over_ours": medians["dask"] / medians["ours"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    if "--once" in sys.argv:
        print(milliseconds_per_iteration())
    else:
        main()
