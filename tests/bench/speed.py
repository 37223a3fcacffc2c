"""The product beside the plain loop of `tests.bench.plain`, in one process, on one thread.

    python -m tests.bench.speed

Part one times iterations at several sizes, in turn. Part two denoises a photograph, σ 25, with the plain
loop until its PSNR has fallen for a while, and with each preset until its rule stops it. From both follows
how many times sooner a preset is done than the plain loop is at its peak less 0.1 dB. Prints a JSON object.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from skimage import data
from skimage.transform import resize
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.presets import PRESETS, Settings
from dip.restoration import restore
from tests.bench.plain import fit

SIDES_PX = (128, 256)
REPETITIONS = 3
ITERATIONS = {128: 8, 256: 3}
PAST_PEAK = 250
CPU = torch.device("cpu")
D = PRESETS["paper"]["any"]
COMPARED = {
    "D float32": D,
    "D bfloat16": replace(D, precision=torch.bfloat16),
    "fast": PRESETS["fast"]["any"],
    "auto": PRESETS["auto"]["any"],
}


def photograph(side_px: int) -> Tensor:
    """A face, (1, 3, side, side)."""
    image = resize(data.astronaut()[:256, 96:352], (side_px, side_px), anti_aliasing=True)
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


def noisy(reference: Tensor) -> Tensor:
    """With noise of σ 25."""
    return reference + torch.randn(reference.shape, generator=torch.Generator().manual_seed(1)) * 25 / 255


def psnr_db(image: Tensor, reference: Tensor) -> Tensor:
    """Of values in [0, 1]."""
    return -10 * (image.clamp(0, 1) - reference).square().mean().log10()


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def capped(settings: Settings, iterations: int) -> Settings:
    """With so many iterations."""
    return replace(settings, schedule=replace(settings.schedule, iterations=iterations))


def iterations_at(side_px: int) -> dict[str, float]:
    """Median milliseconds of an iteration, and the operations in one of D."""
    reference = photograph(side_px)
    problem, count = Problem(noisy(reference), Identity(), Objective()), ITERATIONS[side_px]
    works: dict[str, Callable[[], object]] = {
        "plain": lambda: list(islice(fit(problem.y, reference, 0), count)),
        **{
            name: lambda settings=settings: restore(
                problem, (side_px, side_px), capped(settings, count), 0, CPU
            )
            for name, settings in COMPARED.items()
        },
    }
    with FlopCounterMode(display=False) as counter:
        next(fit(problem.y, reference, 0))
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPETITIONS + 1):  # the first warms up
        for name, work in works.items():
            times[name].append(1000 * seconds(work) / count)
    medians = {name: round(statistics.median(values[1:]), 1) for name, values in times.items()}
    return {**medians, "TFLOP an iteration of D": counter.get_total_flops() / 1e12}


def to_the_peak(side_px: int, milliseconds: dict[str, float]) -> dict[str, object]:
    """What the plain loop reaches and when, and what each preset needs, its stop included."""
    reference = photograph(side_px)
    problem = Problem(noisy(reference), Identity(), Objective())
    curve = list(until_past_the_peak(fit(problem.y, reference, 0)))
    aim_db = max(curve) - 0.1
    to_aim = 1 + next(i for i, psnr in enumerate(curve) if psnr >= aim_db)
    result: dict[str, object] = {"plain": {"peak_db": max(curve), "iterations_to_aim": to_aim}}
    for name in ("fast", "auto"):
        found = restore(problem, (side_px, side_px), PRESETS[name]["any"], 0, CPU)
        result[name] = {
            "psnr_db": psnr_db(found.output, reference).item(),
            "iterations": found.iterations,
            "stop_iteration": found.stop_iteration,
            "times_sooner": to_aim * milliseconds["plain"] / (found.iterations * milliseconds[name]),
        }
    return {"aim_db": aim_db, **result}


def until_past_the_peak(psnrs_db: Iterator[float]) -> Iterator[float]:
    """The PSNR of each iteration, until so many have brought no new peak."""
    peak_db, since = -float("inf"), 0
    for psnr in psnrs_db:
        yield psnr
        peak_db, since = (psnr, 0) if psnr > peak_db else (peak_db, since + 1)
        if since == PAST_PEAK:
            return


def matrix_product_rate(precision: torch.dtype) -> float:
    """TFLOP/s of a product of 2048×2048 matrices."""
    matrix = torch.rand(2048, 2048).to(precision)
    return 2 * 2048**3 / min(seconds(lambda: matrix @ matrix) for _ in range(5)) / 1e12


def main() -> None:
    """Measure all."""
    torch.set_num_threads(1)
    milliseconds = {side: iterations_at(side) for side in SIDES_PX}
    result = {
        "milliseconds_per_iteration": milliseconds,
        "denoising_128": to_the_peak(128, milliseconds[128]),
        "matrix_product_TFLOP_per_s": {
            "float32": matrix_product_rate(torch.float32),
            "bfloat16": matrix_product_rate(torch.bfloat16),
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one used, torch {torch.__version__}",
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
