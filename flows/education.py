"""Drawn pictures, and starts that are educated on them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from dip.drawing import draw_picture
from dip.errors import OutputError

START, CARD = "start.pt", "card.json"


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
    progress: Callable[[int, dict[str, float]], None],
) -> Path:
    """Educate a start, or go on with one that was interrupted, and write it with its card.

    Args:
        output: the folder; it keeps `state.pt` between sittings.
        task: `denoise` or `super-resolution`.
        damages: what is taught for `denoise`.
        steps: batches, those of earlier sittings counted.
        seed: of the first weights and the lessons.
        device: `auto`, `cpu` or `cuda`.
        progress: is told the steps done and the scores on pictures that were held back.

    Returns:
        The file of the start.

    Raises:
        ConfigurationError: something is out of range.
    """
    from dip.education.training import Education, educate  # which brings torch
    from dip.optimize.device import resolve_device

    education = Education(task, steps, damages, seed)
    start = educate(education, output, resolve_device(device), progress)
    (output / START).write_bytes(start.encoded())
    (output / CARD).write_text(json.dumps(start.card, indent=1) + "\n")
    return output / START
