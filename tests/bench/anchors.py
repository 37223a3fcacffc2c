"""The baselines of the literature: what damaged images measure before anything is restored.

    python -m tests.bench.anchors DATASETS WORK

DATASETS holds color9/ and set5/. What `dip evaluate --method none` has its workers do is done to every image;
means are printed beside what these files are known to give, and recorded in anchors.json beside this file.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from dip.configuration import Configuration, Degradation
from tests.bench.circumstances import circumstances
from tests.bench.quality import row

ENLARGED = Configuration("super-resolution", method="none", degradation=Degradation())
NOISY = Configuration("denoise", method="none", degradation=Degradation(sigma=25))
CLIPPED = replace(NOISY, protocol="denoise-rgb-clipped")
KNOWN_DB = {
    **{f"set5 ×{scale}": db for scale, db in ((2, 33.68), (3, 30.40), (4, 28.43))},
    **{f"color9 σ {sigma}": db for sigma, db in ((15, 24.60), (25, 20.17), (50, 14.15))},
    **{f"color9 σ {sigma}, clipped": db for sigma, db in ((15, 24.68), (25, 20.37), (50, 14.85))},
}
"""PSNR of bicubic enlargement, on shaved Y, and of noisy images; another draw moves its last digit."""


def asked_for(name: str) -> Configuration:
    """The configuration behind a name of `KNOWN_DB`."""
    words = name.removesuffix(", clipped").split()
    if words[0] == "set5":
        return replace(ENLARGED, scale=int(words[1][1:]))
    return replace(CLIPPED if "clipped" in name else NOISY, degradation=Degradation(sigma=float(words[2])))


def found(name: str, datasets: Path, work: Path) -> dict[str, Any]:
    """Means over a set of images, and what they are known to be."""
    rows = [
        row(image, asked_for(name), work / name)
        for image in sorted(datasets.glob(f"{name.split()[0]}/*.png"))
    ]
    return {
        "images": len(rows),
        "psnr_degraded_db": round(mean(each["psnr_degraded_db"] for each in rows), 3),
        "psnr_db": round(mean(each["psnr_db"] for each in rows), 3),
        "ssim": round(mean(each["ssim"] for each in rows), 4),
        "known_db": KNOWN_DB[name],
    }


def main() -> None:
    """Measure all."""
    datasets, work = map(Path, sys.argv[1:3])
    record = {**circumstances(), **{name: found(name, datasets, work) for name in KNOWN_DB}}
    print(json.dumps(record, indent=1, ensure_ascii=False))
    path = Path(__file__).parent / "anchors.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
