"""Whether the borders of tiles show in a finished restoration: python -m tests.bench.seams WORK

The camera man of scikit-image, 512×512 with noise of σ 25, is restored in four tiles of 320 pixels, each to
its own stop. Taken are the steps from pixel to pixel, beyond those of the clean photograph: their mean at the
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
from skimage import data

from dip.methods.optimization import OVERLAP_PX
from dip.results import read_rows
from dip.storage import Location
from dip.tiling import strips
from tests.bench.quality import commit

TILE_PX = 320
SHOWN = ["psnr_degraded_db", "psnr_db", "tiles", "tile_px", "iterations", "seconds"]


def steps_beyond(clean: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """(W - 1,) mean absolute step between neighbouring columns, beyond the clean image's."""
    made, there = (np.abs(np.diff(image, axis=1)) for image in (restored, clean))
    return (made - there).mean(axis=0)


def main() -> None:
    """Restore, and look at the borders."""
    work = Path(sys.argv[1])
    (work / "in").mkdir(parents=True)
    Image.fromarray(data.camera()).save(work / "in" / "camera.png")
    line = ["evaluate", str(work / "in"), str(work / "out"), "--task", "denoise", "--workers", "1"]
    command = [sys.executable, "-m", "cli", *line, "--tile", str(TILE_PX)]
    subprocess.run(command, check=True)
    clean = data.camera().astype(float)
    restored = np.asarray(Image.open(work / "out" / "images" / "camera.png")).astype(float)
    ends = {
        end for strip in strips(512, TILE_PX, OVERLAP_PX) for end in (strip.source.start, strip.source.stop)
    }
    borders = sorted(ends - {0, 512})
    steps = np.stack([steps_beyond(clean, restored), steps_beyond(clean.T, restored.T)])
    at_borders = steps[:, [border - 1 for border in borders]]
    (row,) = read_rows(Location(str(work / "out")), SHOWN).to_pylist()
    result = {
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        **row,
        "borders_px": borders,
        "levels_at_borders": round(at_borders.mean(), 3),
        "levels_elsewhere": round(np.delete(steps, [border - 1 for border in borders], axis=1).mean(), 3),
        "deviation_elsewhere": round(steps.std(), 3),
    }
    print(json.dumps(result, indent=1))
    (Path(__file__).parent / "seams.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
