"""How much of the dust and scratches on drawn film scans their infrared finds, and what it marks in error.

    python -m tests.bench.infrared tests/bench/infrared.json [FOLDER]

writes the record, and overlays to look at into the folder: green is rightly marked, red wrongly, blue missed.
"""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from dip.errors import MaskError
from dip.operators.infrared import Proposal, propose_by_infrared
from tests.bench.circumstances import circumstances
from tests.conftest import PHOTOGRAPHS
from tests.film import FilmScan, Stock, scanned, scene

SIZE_PX = (400, 600)
NEAR_PX = 2
"""What is marked so close to damage is its soft border."""

STOCKS = (
    Stock("slide"),
    Stock("slide", (0.18, 0.05, 0.02), 1.0, shift_px=(3.4, -1.7)),
    Stock("slide", (0.04, 0.01, 0.0), bits=8, rails_px=20),
    Stock("negative", (0.10, 0.03, 0.01), 1.0),
    Stock("negative", (0.09, 0.03, 0.02), has_holes=True),
    Stock("inverted", (0.06, 0.03, 0.0), rails_px=16),
    Stock("inverted", (0.12, 0.02, 0.02), shift_px=(-6.2, 2.3), rails_px=12),
    Stock("inverted", (0.15, 0.04, 0.03), 1.0, bits=8),
)
SCENES = (*PHOTOGRAPHS, "11", "17", "29")


def measured(number: int, folder: Path | None) -> dict[str, object]:
    """One scan with damage, and the same film without."""
    name, stock = SCENES[number % len(SCENES)], STOCKS[number % len(STOCKS)]
    light = scene(name, SIZE_PX)
    worn = scanned(light, stock, 1000 + number)
    found = propose_by_infrared(worn.pixels, worn.infrared)
    clean = scanned(light, replace(stock, marks=(0, 0, 0)), 2000 + number)
    untouched = propose_by_infrared(clean.pixels, clean.infrared)
    if folder is not None:
        overlay(worn, found).save(folder / f"{number:02d}-{name}-{stock.kind}.png")
    return {
        "scene": name,
        **asdict(stock),
        "moved_px": found.shift_px,
        **scores(worn, found),
        "clean": float(untouched.damaged.mean()),
    }


def scores(scan: FilmScan, found: Proposal) -> dict[str, float]:
    """Precision and recall of pixels, and the share of marks that are half covered or more."""
    marked = found.damaged
    near = ndimage.binary_dilation(scan.touched, np.ones((2 * NEAR_PX + 1, 2 * NEAR_PX + 1)))
    numbers = np.unique(scan.marks[scan.marks > 0])
    covered = ndimage.mean(marked, scan.marks, numbers)
    return {
        "damaged": float(scan.damaged.mean()),
        "precision": float(near[marked].mean()) if marked.any() else 1.0,
        "recall": float(marked[scan.damaged].mean()),
        "marks": float((covered >= 0.5).mean()),
    }


def refused(kind: str, leak: tuple[float, float, float]) -> float:
    """The share of scans of a film that are refused as opaque."""
    outcomes = []
    for number, name in enumerate(PHOTOGRAPHS):
        scan = scanned(scene(name, SIZE_PX), Stock(kind, leak, (1.0, 2.2)[number % 2]), 3000 + number)
        try:
            propose_by_infrared(scan.pixels, scan.infrared)
            outcomes.append(False)
        except MaskError:
            outcomes.append(True)
    return float(np.mean(outcomes))


def overlay(scan: FilmScan, found: Proposal) -> Image.Image:
    """The scan, its infrared, and what is marked."""
    marked = found.damaged
    near = ndimage.binary_dilation(scan.touched, np.ones((2 * NEAR_PX + 1, 2 * NEAR_PX + 1)))
    told = np.stack([marked & ~near, marked & near, scan.damaged & ~marked]).astype(np.float32)
    infrared = np.broadcast_to(scan.infrared, scan.pixels.shape)
    planes = np.concatenate([scan.pixels, infrared, told], axis=2)
    return Image.fromarray(np.rint(planes * 255).astype(np.uint8).transpose(1, 2, 0))


if __name__ == "__main__":
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    scans = [measured(number, folder) for number in range(24)]
    means = {
        key: float(np.mean([scan[key] for scan in scans]))
        for key in ("precision", "recall", "marks", "clean")
    }
    silver = refused("silver", (1 / 3, 1 / 3, 1 / 3))
    record = {**circumstances(), "means": means, "refused_silver": silver, "scans": scans}
    Path(sys.argv[1]).write_text(json.dumps(record, indent=2) + "\n")
