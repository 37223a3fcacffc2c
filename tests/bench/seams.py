"""Whether the borders of tiles show in finished restorations: python -m tests.bench.seams WORK

A photograph and a gradient, 320×320 with noise of σ 25, are restored in four tiles of 192 pixels, each to
its own stop. Taken are the steps from pixel to pixel, beyond those of the clean image: their mean at the
outer borders of tiles, and elsewhere the mean over all rows and columns, and the deviation between them.
Prints a JSON object, and records it in seams.json beside this file.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dip.methods.optimization import OVERLAP_PX
from dip.methods.tiling import strips
from dip.storage import Location
from dip.storage.part_files import read_rows
from tests.bench.circumstances import commit
from tests.conftest import photograph

SIDE_PX, TILE_PX = 320, 192
SHOWN = ["image_id", "psnr_degraded_db", "psnr_db", "tiles", "tile_px", "iterations", "seconds"]


def images() -> dict[str, np.ndarray]:
    """The clean images by name, (H, W), in 8-bit levels; the gradient is rounded only in its file."""
    gradient = np.broadcast_to(np.linspace(50, 200, SIDE_PX), (SIDE_PX, SIDE_PX))
    return {"camera.png": np.asarray(photograph("camera", SIDE_PX)), "gradient.png": gradient}


def borders_px() -> list[int]:
    """Where tiles begin and end, but for the image's own borders."""
    ends = {
        end for tile in strips(SIDE_PX, TILE_PX, OVERLAP_PX) for end in (tile.source.start, tile.source.stop)
    }
    return sorted(ends - {0, SIDE_PX})


def steps_beyond(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """(W - 1,) mean absolute step between neighbouring columns, beyond the clean image's."""
    made, there = (np.abs(np.diff(image.astype(float))) for image in (restored, clean))
    return (made - there).mean(axis=0)


def seams_in(clean: np.ndarray, restored: np.ndarray) -> dict[str, float]:
    """Steps at the borders of tiles and elsewhere, in 8-bit levels."""
    steps = np.stack([steps_beyond(clean, restored), steps_beyond(clean.T, restored.T)])
    at_borders = [border - 1 for border in borders_px()]
    elsewhere = np.delete(steps, at_borders, axis=1)
    return {
        "levels_at_borders": round(steps[:, at_borders].mean(), 3),
        "levels_elsewhere": round(elsewhere.mean(), 3),
        "deviation_elsewhere": round(elsewhere.std(), 3),
    }


def main() -> None:
    """Restore, and look at the borders."""
    work, clean = Path(sys.argv[1]), images()
    (work / "in").mkdir(parents=True)
    for name, levels in clean.items():
        Image.fromarray(np.rint(levels).astype(np.uint8)).save(work / "in" / name)
    line = ["evaluate", str(work / "in"), str(work / "out"), "--task", "denoise", "--workers", "1"]
    subprocess.run([sys.executable, "-m", "cli", *line, "--tile", str(TILE_PX)], check=True)
    rows = read_rows(Location(str(work / "out")), SHOWN).to_pylist()
    made = {
        row["image_id"]: np.asarray(Image.open(work / "out" / "images" / row["image_id"])) for row in rows
    }
    result = {
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "borders_px": borders_px(),
        "images": [row | seams_in(clean[row["image_id"]], made[row["image_id"]]) for row in rows],
    }
    print(json.dumps(result, indent=1))
    (Path(__file__).parent / "seams.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
