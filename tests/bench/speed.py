"""The product beside the plain loop of `tests.bench.plain`, in one process.

    python -m tests.bench.speed [PART …] [--device cuda] [--side 128 …] [--image PHOTOGRAPH …] [--peer PYTHON]

The parts `iterations at …` time iterations at a size, in turn, and take the memory of each by itself.
`plain loop on …` denoises an image, σ 25, with the plain loop until its PSNR has fallen for a while: which
iteration has its peak less 0.1 dB? That depends on the image and torch alone, and is done once. `denoising …`
denoises it with each preset until its rule stops it, and times the plain loop's iterations in turn with the
presets: how many times sooner is a preset done than the plain loop gets there? `D on …` has D's peak in our
own loop, in bfloat16 where the device has it: is it the plain loop's? `several at once` fits several images,
in processes and in threads. `peer` denoises the face with deepinv, by an interpreter that has it. What is
found is printed, and recorded beside this file, in one file per type of device, each part with its commit and
machine.
"""

import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.utils.flop_counter import FlopCounterMode

from dip.methods.presets import PRESETS
from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.optimize.cost import UNTIMED
from dip.optimize.device import body_precision, resolve_device
from dip.optimize.fit import restore
from dip.optimize.settings import Settings
from dip.optimize.stopping import FixedRule
from tests.bench.at_once import fits_at_once
from tests.bench.circumstances import circumstances, kind_of
from tests.bench.memory import peak_mib
from tests.bench.peer import peer_to_the_peak
from tests.bench.plain import fit
from tests.bench.subject import face, noisy, photograph, psnr_db
from tests.bench.timing import timed

REPETITIONS = 3
PAST_PEAK = 300
SPELL = 20
"""Iterations of the plain loop that are timed between two presets."""

PIXELS = 2 * 10**6
"""On a CPU an iteration is repeated on so many pixels altogether."""

D = PRESETS["paper"]["any"]
D_BFLOAT16 = replace(D, precision=torch.bfloat16)
COMPARED = {
    "D float32": D,
    "D bfloat16": D_BFLOAT16,
    "fast": PRESETS["fast"]["any"],
    "auto": PRESETS["untrained"]["any"],
}


def runs(side_px: int, device: torch.device) -> dict[str, Callable[[int], object]]:
    """By name, what runs so many iterations at a size."""
    reference = face(side_px)
    problem = Problem(noisy(reference), Identity(), Objective())
    found: dict[str, Callable[[int], object]] = {
        "plain": lambda count: list(islice(fit(problem.y, reference, 0, str(device)), count))
    }
    for name, settings in COMPARED.items():
        if body_precision(device, settings.precision) is settings.precision or name != "D bfloat16":
            found[name] = lambda count, settings=settings: restore(
                problem, (side_px, side_px), capped(settings.for_size((side_px, side_px)), count), 0, device
            )
    return found


def capped(settings: Settings, iterations: int) -> Settings:
    """With so many iterations."""
    return replace(settings, schedule=replace(settings.schedule, iterations=iterations))


def iterations_at(side_px: int, device: torch.device) -> dict[str, dict[str, float]]:
    """Median milliseconds of an iteration, without the beginning of a fit, and its peak memory."""
    works = runs(side_px, device)
    untimed = UNTIMED[device.type]
    count = 200 if device.type == "cuda" else max(1, PIXELS // side_px**2 // 8)
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPETITIONS + 1):  # the first warms up
        for name, work in works.items():
            _, beginning_s = timed(partial(work, untimed), device)
            _, whole_s = timed(partial(work, untimed + count), device)
            times[name].append(1000 * (whole_s - beginning_s) / count)
    return {
        name: {
            "ms": round(statistics.median(values[1:]), 2),
            "peak_mib": peak_mib(name, side_px, str(device)),
        }
        for name, values in times.items()
    }


def tflop_of_d(side_px: int) -> float:
    """Operations in one iteration of D, 10^12."""
    reference = face(side_px)
    with FlopCounterMode(display=False) as counter:
        next(fit(noisy(reference), reference, 0))
    return counter.get_total_flops() / 1e12


def plain_peak(reference: torch.Tensor, device: torch.device) -> dict[str, float]:
    """What the plain loop reaches, and when it is 0.1 dB below that."""
    curve = list(until_past_the_peak(fit(noisy(reference), reference, 0, str(device))))
    aim_db = max(curve) - 0.1
    to_aim = 1 + next(i for i, psnr in enumerate(curve) if psnr >= aim_db)
    return {"peak_db": max(curve), "aim_db": aim_db, "iterations_to_aim": to_aim}


def peak_of_d(reference: torch.Tensor, device: torch.device, iterations: int) -> dict[str, object]:
    """What D reaches in bfloat16 within so many iterations, looked at after each interval."""
    problem, (height_px, width_px) = Problem(noisy(reference), Identity(), Objective()), reference.shape[2:]
    fixed = replace(D_BFLOAT16.schedule, iterations=iterations, rule=FixedRule())
    settings, beside = replace(D_BFLOAT16, schedule=fixed), reference.to(device)
    found = restore(
        problem, (height_px, width_px), settings, 0, device, lambda output: psnr_db(output, beside)
    )
    return {
        "peak_db": max(point.psnr_db for point in found.curve if point.psnr_db is not None),
        "iterations": iterations,
        "precision": str(body_precision(device, torch.bfloat16)),
    }


def to_the_stop_of_each(
    reference: torch.Tensor, device: torch.device, iterations_to_aim: int
) -> dict[str, object]:
    """What each preset needs, its stop included, between spells of the plain loop."""
    times = [plain_iteration_s(reference, device)]
    found: dict[str, dict[str, float]] = {}
    for preset in ("auto", "fast"):
        found[preset] = to_the_stop(reference, preset, device)
        times.append(plain_iteration_s(reference, device))
    plain_s = statistics.median(times) * iterations_to_aim
    for row in found.values():
        row["times_sooner"] = plain_s / row["seconds"]
    return {
        "plain": {"ms": [round(1000 * each) for each in times], "seconds_to_aim": plain_s},
        **found,
    }


def plain_iteration_s(reference: torch.Tensor, device: torch.device) -> float:
    """Seconds of an iteration of the plain loop, the first left out."""
    plain = fit(noisy(reference), reference, 0, str(device))
    next(plain)
    return timed(lambda: list(islice(plain, SPELL)), device)[1] / SPELL


def to_the_stop(reference: torch.Tensor, preset: str, device: torch.device) -> dict[str, float]:
    """What a preset ends at, and how long it takes."""
    problem = Problem(noisy(reference), Identity(), Objective())
    height_px, width_px = reference.shape[2:]
    settings = PRESETS[preset]["any"].for_size((height_px, width_px))
    # Kernels are loaded, convolutions planned.
    restore(problem, (height_px, width_px), capped(settings, UNTIMED[device.type]), 0, device)
    found, seconds = timed(lambda: restore(problem, (height_px, width_px), settings, 0, device), device)
    return {
        "psnr_db": psnr_db(found.output, reference).item(),
        "iterations": found.iterations,
        "stop_iteration": found.stop_iteration,
        "seconds": seconds,
        "images_per_hour": 3600 / seconds,
    }


def until_past_the_peak(psnrs_db: Iterator[float]) -> Iterator[float]:
    """The PSNR of each iteration, until so many have brought no new peak."""
    peak_db, since = -float("inf"), 0
    for psnr in psnrs_db:
        yield psnr
        peak_db, since = (psnr, 0) if psnr > peak_db else (peak_db, since + 1)
        if since == PAST_PEAK:
            return


def rates(device: torch.device) -> dict[str, float]:
    """What the device does at best, and what D asks for."""
    found = {
        f"TFLOP/s of matrix products in {str(precision).removeprefix('torch.')}": matrix_product_rate(
            precision, device
        )
        for precision in {torch.float32, body_precision(device, torch.bfloat16)}
    }
    return {**found, "TFLOP an iteration of D at 256": tflop_of_d(256)}


def matrix_product_rate(precision: torch.dtype, device: torch.device) -> float:
    """TFLOP/s of a product of square matrices."""
    side = 8192 if device.type == "cuda" else 2048
    matrix = torch.rand(side, side, device=device).to(precision)
    best_s = min(timed(lambda: matrix @ matrix, device)[1] for _ in range(6))
    return 2 * side**3 / best_s / 1e12


def parts(
    record: dict[str, Any], references: dict[str, torch.Tensor], sides_px: list[int], device: torch.device
) -> dict[str, Callable[[], dict[Any, Any]]]:
    """What can be measured, by name; `record` is what has been found so far."""
    return {
        "rates": partial(rates, device),
        **{f"iterations at {px}": partial(iterations_at, px, device) for px in sides_px},
        **{f"plain loop on {name}": partial(plain_peak, each, device) for name, each in references.items()},
        **{
            f"denoising {name}": lambda name=name, each=each: to_the_stop_of_each(
                each, device, to_aim(record, name)
            )
            for name, each in references.items()
        },
        **{
            f"D on {name}": lambda name=name, each=each: peak_of_d(each, device, 2 * to_aim(record, name))
            for name, each in references.items()
        },
        "several at once": partial(fits_at_once, str(device)),
    }


def to_aim(record: dict[str, Any], name: str) -> int:
    """How many iterations the plain loop takes on an image to its peak less 0.1 dB."""
    known = record.get(f"plain loop on {name}")
    if known is None:
        raise typer.BadParameter(f"Expected its peak with the plain loop first: part 'plain loop on {name}'.")
    return int(known["iterations_to_aim"])


def main(
    part: Annotated[
        list[str] | None, typer.Argument(help="what its name begins with; all unless given")
    ] = None,
    device: str = "auto",
    side: Annotated[list[int] | None, typer.Option(help="px; 128, 256, 512, 1024 unless given")] = None,
    image: Annotated[list[Path] | None, typer.Option(help="denoised beside a face")] = None,
    peer: Annotated[Path | None, typer.Option(help="a Python that has deepinv")] = None,
) -> None:
    """Measure all, or some parts of it."""
    torch.set_num_threads(1)
    found = resolve_device(device)
    path = Path(__file__).parent / f"speed-{kind_of(found)}.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    references = {
        "face 128": face(128),
        "face 256": face(256),
        **{path.stem: photograph(path) for path in image or []},
    }
    measures = parts(record, references, side or [128, 256, 512, 1024], found)
    if peer:
        measures["peer"] = partial(peer_to_the_peak, peer, references["face 128"], str(found))
    for name in (name for name in measures if not part or name.startswith(tuple(part))):
        record[name] = {**circumstances(), **measures[name]()}
        print(name, json.dumps(record[name], indent=1), flush=True)
        path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
