"""Drawn pictures, and starts that are educated on them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from dip.drawing import draw_picture
from dip.errors import OutputError

if TYPE_CHECKING:
    from dip.parameterizations.start import Start

START, CARD = "start.pt", "card.json"
SHIPPED = "shipped"


def draw_pictures(output: Path, count: int, seed: int, side_px: int) -> list[Path]:
    """Draw pictures as an education sees them, one PNG a picture, `picture-SEED.png`.

    Args:
        output: the folder they go to; made where it is not there.
        count: how many.
        seed: of the first; the others' follow.
        side_px: rows and columns.

    Raises:
        OutputError: they cannot be written there.
    """
    written = []
    for number in range(seed, seed + count):
        planes = np.rint(draw_picture(number, side_px) * 255).astype(np.uint8)
        path = output / f"picture-{number}.png"
        try:
            output.mkdir(parents=True, exist_ok=True)
            Image.fromarray(planes.transpose(1, 2, 0)).save(path)
        except OSError as error:
            raise OutputError(f"Expected a folder to write pictures to; got {output}: {error}.") from error
        written.append(path)
    return written


def educate_start(
    output: Path,
    task: str,
    damages: tuple[str, ...],
    steps: int,
    seed: int,
    device: str,
    start: str | None,
    progress: Callable[[int, dict[str, float]], None],
) -> Path:
    """Educate a start, or go on with one that was interrupted, and write it with its card.

    Args:
        output: the folder; it keeps `state.pt` between sittings.
        task: `denoise`, `super-resolution` or `masks`.
        damages: what is taught for `denoise`.
        steps: batches, those of earlier sittings counted.
        seed: of the first weights and the lessons.
        device: `auto`, `cpu` or `cuda`.
        start: file of a start to go on from, or `shipped`, the package's; random weights without one.
        progress: is told the steps done and the scores on pictures that were held back.

    Returns:
        The file of the start.

    Raises:
        ConfigurationError: something is out of range, or there is no such start.
    """
    from dip.education.training import CROPS, MASKS, Education, educate  # which brings torch
    from dip.optimize.device import resolve_device

    taught = () if task == MASKS else damages
    education = Education(task, steps, taught, seed, *CROPS.get(task, ()))
    begins_with, sha256 = _start_of(start, task)
    education = replace(education, start=sha256)
    made = educate(education, output, resolve_device(device), progress, begins_with)
    (output / START).write_bytes(made.encoded())
    (output / CARD).write_text(json.dumps(made.card, indent=1) + "\n")
    return output / START


def _start_of(start: str | None, task: str) -> "tuple[Start, str] | tuple[None, None]":
    """The start to go on from, and its checksum."""
    from dip.parameterizations.start import shipped_sha256, shipped_start, start_in

    if start is None:
        return None, None
    if start == SHIPPED:
        return shipped_start(task), shipped_sha256(task)
    return start_in(start, None), hashlib.sha256(Path(start).read_bytes()).hexdigest()
