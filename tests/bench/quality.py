"""The quality tables: every method on benchmark images, by what `dip evaluate` has its workers do.

    python -m tests.bench.quality DATASETS WORK [denoise] [inpaint] [super-resolution] [color9] …

DATASETS holds color9/, gray11/ and set5/; WORK keeps the outputs, so that the same line goes on where it
stopped. The tables named are printed, or those of a few images, or with a GPU those of whole sets. They are
recorded in quality-cpu.json or quality-cuda.json beside this file, each with the commit and the machine.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dip.configuration import Configuration, Degradation
from dip.pipeline.job import Job
from dip.pipeline.stages import process
from dip.storage import Location
from tests.bench.circumstances import circumstances
from tests.one_image import row_of

COLUMNS = ["image_id", "method", "preset", "protocol", "degradation", "psnr_degraded_db", "psnr_db", "ssim",
           "psnr_peak_db", "iterations", "stop_iteration", "seconds", "device", "readings"]  # fmt: skip

SMALL = ["color9/image_House256rgb.png"]
SMALL += [f"gray11/{name}.png" for name in ("Cameraman256", "house", "montage", "peppers256")]
NOISY = Configuration("denoise", degradation=Degradation(sigma=25))
HALF_MISSING = Configuration("inpaint", degradation=Degradation(missing=0.5))
SHRUNK = Configuration("super-resolution", scale=4, degradation=Degradation())


@dataclass(frozen=True)
class Benchmark:
    """Images, how they are damaged, and what restores them.

    Attributes:
        images: patterns of paths below the datasets.
        damaged: the configuration that all methods share.
        methods: by their names in the table, what departs from it.
    """

    images: list[str]
    damaged: Configuration
    methods: dict[str, dict[str, Any]]


def called(*methods: str) -> dict[str, dict[str, Any]]:
    """Methods by their own names."""
    return {name: {"method": name} for name in methods}


ENGINES: dict[str, dict[str, Any]] = {
    "dip": {},
    "dip, two averaged": {"restarts": 2},
    "fast": {"preset": "fast"},
    "paper": {"preset": "paper"},
    "paper, two averaged": {"preset": "paper", "restarts": 2},
}
OF_A_FEW = {
    "denoise": Benchmark(SMALL, NOISY, called("none", "wavelet", "tv-chambolle", "nlm", "pixels-tv", "dip")),
    "inpaint": Benchmark(SMALL, HALF_MISSING, called("none", "biharmonic", "pixels-tv", "dip")),
    "super-resolution": Benchmark(
        ["set5/butterfly.png", "set5/woman.png"], SHRUNK, called("none", "pixels-tv", "dip")
    ),
}
OF_SETS = {
    "color9": Benchmark(["color9/*.png"], NOISY, called("none", "nlm") | ENGINES),
    "set5 x4": Benchmark(["set5/*.png"], SHRUNK, called("none") | ENGINES),
    "set5 x8": Benchmark(["set5/*.png"], replace(SHRUNK, scale=8), called("none") | ENGINES),
    "gray11": Benchmark(["gray11/*.png"], HALF_MISSING, called("none", "biharmonic") | ENGINES),
}


def row(image: Path, configuration: Configuration, work: Path) -> dict[str, Any]:
    """The row of an image; one that is in WORK already is read from there."""
    source, output = Location(str(image.parent)), Location(str(work))
    job = Job("benchmark", image.name, source, output, f"records/{image.name}.arrow", configuration)
    if not (work / job.record).exists():
        process(job)
    found = row_of(job)
    if found["error_message"]:
        raise RuntimeError(f"{image}: {found['error_message']}")
    return {name: found[name] for name in COLUMNS}


def print_table(title: str, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Methods down, images across, PSNR in dB, as Markdown."""
    images = [row["image_id"] for row in next(iter(rows.values()))]
    print(f"\n{title}\n\n| method | {' | '.join(images)} | mean |")
    print("|---" * (len(images) + 2) + "|")
    for method, found in rows.items():
        values = [row["psnr_db"] for row in found]
        cells = [f"{value:.2f}" for value in (*values, sum(values) / len(values))]
        print(f"| `{method}` | {' | '.join(cells)} |", flush=True)


def main() -> None:
    datasets, work = map(Path, sys.argv[1:3])
    on_gpu = torch.cuda.is_available()
    path = Path(__file__).parent / f"quality-{'cuda' if on_gpu else 'cpu'}.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    known = OF_A_FEW | OF_SETS
    for name in sys.argv[3:] or (OF_SETS if on_gpu else OF_A_FEW):
        benchmark = known[name]
        images = [image for pattern in benchmark.images for image in sorted(datasets.glob(pattern))]
        rows = {
            method: [
                row(image, replace(benchmark.damaged, **different), work / name / method) for image in images
            ]
            for method, different in benchmark.methods.items()
        }
        print_table(name, rows)
        record[name] = {**circumstances(), "rows": rows}
        path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
