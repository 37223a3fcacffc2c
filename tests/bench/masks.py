"""Proposed masks against drawn damage on photographs, and on photographs without any.

    python -m tests.bench.masks [DATASETS]

Twelve photographs of scikit-image are damaged from seeds that no education draws. Precision and recall count
pixels, within 2 px; soft borders, what is too faint to be seen, and stains count neither way. DATASETS holds
color9/, set5/ and gray11/, 25 pictures without damage, and old_photos/, of which two were marked by hand:
lines and specks, x and y, in marks.json. The tables go to masks.json beside this file.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data

from dip.configuration.vocabulary import USUAL_THRESHOLD
from dip.detection import propose_damage
from dip.drawing.damage import KINDS, WornPrint, worn
from tests.bench.circumstances import circumstances
from tests.bench.denoisers import read

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

RECORD = Path(__file__).parent / "masks.json"
MARKS = Path(__file__).parent / "marks.json"
NAMES = (
    "astronaut", "camera", "chelsea", "coffee", "rocket", "coins", "brick", "gravel", "grass", "moon",
    "stereo_motorcycle", "clock",
)  # fmt: skip
SETS = ("color9", "set5", "gray11")
SEED = 2**40
"""Of the first photograph's damage; educations draw from seeds below 1000."""

SIDE_PX, PIECES = 512, 10
NEAR_PX = 2


def photograph(name: str) -> Pixels:
    """(C, H, W) in [0, 1]."""
    found = getattr(data, name)()
    pixels = np.atleast_3d(found[0] if isinstance(found, tuple) else found)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / 255


def damaged(name: str, number: int) -> WornPrint:
    """The middle of a photograph under drawn damage."""
    pixels = photograph(name)
    side_px = min(SIDE_PX, *pixels.shape[1:])
    top, left = ((length_px - side_px) // 2 for length_px in pixels.shape[1:])
    square = np.broadcast_to(pixels, (3, *pixels.shape[1:]))[:, top : top + side_px, left : left + side_px]
    return worn(np.random.default_rng(SEED + number), square, PIECES)


def near(mask: Mask) -> Mask:
    """What lies within 2 px of a mask."""
    if not mask.any():
        return mask
    reached: Mask = ndimage.distance_transform_edt(~mask) <= NEAR_PX
    return reached


def counts(made: WornPrint, marked: Mask) -> dict[str, int]:
    """Pixels that are damaged, that are found, that are marked, and that are marked rightly."""
    hidden = (made.kinds > 0) & (made.kinds < len(KINDS))
    counted = marked & ~(made.doubtful | (made.kinds == len(KINDS)))
    return {
        "damaged": int(hidden.sum()),
        "found": int((hidden & near(marked)).sum()),
        "marked": int(counted.sum()),
        "right": int((counted & near(hidden)).sum()),
    }


def shares(counted: dict[str, int]) -> dict[str, float]:
    """Recall and precision."""
    return {
        "recall": round(counted["found"] / max(counted["damaged"], 1), 4),
        "precision": round(counted["right"] / max(counted["marked"], 1), 4),
    }


def on_photographs(threshold: float) -> dict[str, Any]:
    """Recall and precision under drawn damage, image by image and in all, and what is marked without it."""
    rows, total, clean, pixels, seconds = {}, dict[str, int](), 0, 0, 0.0
    for number, name in enumerate(NAMES):
        made, whole = damaged(name, number), photograph(name)
        counted = counts(made, propose_damage(made.pixels, threshold).damaged)
        begun = time.perf_counter()
        undamaged = propose_damage(whole, threshold).damaged
        seconds += time.perf_counter() - begun
        rows[name] = {**shares(counted), "clean_share": round(float(undamaged.mean()), 6)}
        total = {key: total.get(key, 0) + value for key, value in counted.items()}
        clean, pixels = clean + int(undamaged.sum()), pixels + undamaged.size
    found = {**shares(total), "clean_share": round(clean / pixels, 6)}
    return {"in all": found, "s_per_megapixel": round(1e6 * seconds / pixels, 2), "images": rows}


def on_clean(datasets: Path, threshold: float) -> dict[str, dict[str, float]]:
    """What is marked of pictures without damage, set by set."""
    return {
        folder: {
            path.name: round(propose_damage(read(path), threshold).share, 6)
            for path in sorted((datasets / folder).glob("*.png"))
        }
        for folder in SETS
    }


def on_old_prints(datasets: Path, threshold: float) -> dict[str, dict[str, float]]:
    """Of two worn prints: how much of what a person marked is found, and how much is marked in all."""
    found = {}
    for name, lines in json.loads(MARKS.read_text()).items():
        proposed = propose_damage(read(datasets / "old_photos" / f"{name}.png"), threshold)
        columns, rows = np.concatenate([along(line) for line in lines]).T
        recall = near(proposed.damaged)[rows, columns].mean()
        found[name] = {"recall": round(float(recall), 3), "marked_share": round(proposed.share, 4)}
    return found


def along(line: list[list[int]]) -> NDArray[np.int64]:
    """Points of a line of several corners, one each pixel, (N, 2), x and y."""
    corners = np.array(line, np.float64)
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    at = np.arange(int(lengths[-1]) + 1)
    return np.rint(np.stack([np.interp(at, lengths, values) for values in corners.T], axis=1)).astype(
        np.int64
    )


def main() -> None:
    threshold = USUAL_THRESHOLD
    found = {"threshold": threshold, "photographs": on_photographs(threshold)}
    if len(sys.argv) > 1:
        found["clean"] = on_clean(Path(sys.argv[1]), threshold)
        found["old prints"] = on_old_prints(Path(sys.argv[1]), threshold)
    RECORD.write_text(json.dumps({**circumstances(), **found}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
