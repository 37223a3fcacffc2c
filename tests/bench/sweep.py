"""The sweep behind the preset `auto`: noise of σ 25, taken off by settings that differ in one thing each.

    python -m tests.bench.sweep PHOTOGRAPH [--side 128 …] [--only 'width 16' …] [--device cuda]

Each fit ends by its stop rule. What is found is printed, and added to a file beside this one, by type of
device.
"""

import json
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from dip.methods.presets import PRESETS
from dip.objective import Objective, Problem
from dip.operators.identity import Identity
from dip.optimize.device import resolve_device
from dip.optimize.fit import restore
from dip.optimize.settings import Settings
from dip.parameterizations.deep_decoder import DeepDecoder
from dip.parameterizations.network_input import Ramp
from tests.bench.circumstances import commit, kind_of
from tests.bench.projector import fit as project
from tests.bench.starts import from_half_size
from tests.bench.subject import noisy, photograph, psnr_db

FAST = PRESETS["fast"]["any"]
PROJECTIONS = 2000


def auto_at(side_px: int) -> Settings:
    """`auto` for a square of that side."""
    return PRESETS["untrained"]["any"].for_size((side_px, side_px))


def settings_at(side_px: int) -> dict[str, Settings]:
    """By name, `auto` for a size, and what differs from it in one thing."""
    auto = auto_at(side_px)

    def network(**different: object) -> Settings:
        return replace(auto, parameterization=replace(auto.parameterization, **different))

    def schedule(**different: object) -> Settings:
        return replace(auto, schedule=replace(auto.schedule, **different))

    noises = (0.02, 0.03, 0.04, 0.06, 0.1)
    return {
        "auto": auto,
        **{f"width {width}": network(width=width) for width in (16, 24, 32, 48, 64, 128)},
        **{f"dropout {share}": network(dropout=share) for share in (0.0, 0.02, 0.05, 0.1, 0.2)},
        **{f"scales {scales}": network(scales=scales) for scales in (3, 4, 6)},
        **{f"input noise to {last}": replace(auto, input_noise=Ramp(0.02, last, 300)) for last in noises},
        **{f"learning rate {value}": schedule(learning_rate=value) for value in (0.01, 0.04)},
        "falling learning rate": schedule(optimizer="muon, falling"),
        "fast": FAST,
        "fast with dropout": replace(FAST, parameterization=auto.parameterization),
        "deep decoder": replace(FAST, parameterization=DeepDecoder()),
    }


def tried(name: str, reference: Tensor, device: torch.device) -> dict[str, float | int]:
    """What one trial found, and what it took."""
    start = time.perf_counter()
    if name in OTHERS:
        found = OTHERS[name](reference, device)
    else:
        found = fitted(settings_at(reference.shape[2])[name], reference, device)
    return {**found, "seconds": round(time.perf_counter() - start, 1)}


def fitted(settings: Settings, reference: Tensor, device: torch.device) -> dict[str, float | int]:
    """A fit by the product."""
    problem = Problem(noisy(reference), Identity(), Objective())

    def psnr(output: Tensor) -> Tensor:
        return psnr_db(output, reference.to(output.device))

    fit = restore(problem, tuple(reference.shape[2:]), settings, 0, device, psnr)
    return {
        "psnr_db": psnr(fit.output).item(),
        "peak_db": max(point.psnr_db for point in fit.curve if point.psnr_db is not None),
        "stop_iteration": fit.stop_iteration,
        "iterations": fit.iterations,
    }


def projected(reference: Tensor, device: torch.device) -> dict[str, float | int]:
    """A fit of the projector, which has no stop rule: its peak, and its end."""
    curve = list(islice(project(noisy(reference).to(device), reference.to(device), 0), PROJECTIONS))
    return {"psnr_db": curve[-1], "peak_db": max(curve), "iterations": len(curve)}


def coarse_to_fine(reference: Tensor, device: torch.device) -> dict[str, float | int]:
    """`auto` from the weights of a fit at half the size."""
    auto = auto_at(reference.shape[2])
    return fitted(from_half_size(auto, noisy(reference), device), reference, device)


OTHERS = {"half size first": coarse_to_fine, "deep random projector": projected}
TRIALS: list[str] = [*settings_at(256), *OTHERS]
RECORDABLE = [name for name in TRIALS if name != "falling learning rate"]
"""On a GPU iterations are recorded, and their learning rate with them."""


def scaled(reference: Tensor, side_px: int) -> Tensor:
    """The middle square of an image, a side of so many pixels."""
    side = min(reference.shape[2:])
    top, left = ((length - side) // 2 for length in reference.shape[2:])
    square = reference[..., top : top + side, left : left + side]
    return F.interpolate(square, size=(side_px, side_px), mode="bicubic", antialias=True).clamp(0, 1)


def main(
    image: Path,
    side: Annotated[list[int] | None, typer.Option(help="px; 128, 256 and 512 unless given")] = None,
    only: Annotated[list[str] | None, typer.Option(help=f"of {', '.join(TRIALS)}")] = None,
    device: str = "auto",
) -> None:
    """Try all, one by one."""
    torch.set_num_threads(1)
    found = resolve_device(device)
    path = Path(__file__).parent / f"sweep-{kind_of(found)}.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    for side_px in side or (128, 256, 512):
        reference = scaled(photograph(image), side_px)
        for name in only or (TRIALS if found.type == "cpu" else RECORDABLE):
            row = tried(name, reference, found)
            print(side_px, name, row, flush=True)
            record.setdefault(f"{image.stem} {side_px}", {})[name] = {**row, "commit": commit()}
            path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
