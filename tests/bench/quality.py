"""The quality tables: every method on benchmark images, through `dip evaluate`.

    python -m tests.bench.quality DATASETS WORK [denoise] [inpaint] [super-resolution]

DATASETS holds color9/, gray11/ and set5/; WORK keeps the outputs, so that the same line goes on where it
stopped. The tables, all or those named, are printed, and recorded in quality-cpu.json (or quality-cuda.json)
beside this file, each with the commit and the machine that made it.
"""

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import torch

HOUSE = "color9/image_House256rgb.png"
GREY = [f"gray11/{name}.png" for name in ("Cameraman256", "house", "montage", "peppers256")]
COLUMNS = ["image_id", "method", "preset", "protocol", "degradation", "psnr_degraded_db", "psnr_db", "ssim",
           "psnr_peak_db", "iterations", "stop_iteration", "seconds", "device", "readings"]  # fmt: skip


@dataclass(frozen=True)
class Benchmark:
    """Images, how they are damaged, and the methods that restore them."""

    name: str
    images: list[str]
    options: list[str]
    methods: list[str]


BENCHMARKS = [
    Benchmark(
        "denoise",
        [HOUSE, *GREY],
        ["--task", "denoise", "--sigma", "25"],
        ["none", "wavelet", "tv-chambolle", "nlm", "pixels-tv", "dip"],
    ),
    Benchmark(
        "inpaint",
        [HOUSE, *GREY],
        ["--task", "inpaint", "--missing", "0.5"],
        ["none", "biharmonic", "pixels-tv", "dip"],
    ),
    Benchmark(
        "super-resolution",
        ["set5/butterfly.png", "set5/woman.png"],
        ["--task", "super-resolution", "--scale", "4"],
        ["none", "pixels-tv", "dip"],
    ),
]


def source(benchmark: Benchmark, datasets: Path, work: Path) -> Path:
    """A folder with the benchmark's images."""
    folder = work / "references" / benchmark.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in benchmark.images:
        (folder / Path(name).name).write_bytes((datasets / name).read_bytes())
    return folder


def evaluate(benchmark: Benchmark, method: str, folder: Path, work: Path) -> list[dict]:
    """The rows of one method."""
    output = work / benchmark.name / method
    command = [sys.executable, "-m", "cli", "evaluate", str(folder), str(output), *benchmark.options]
    subprocess.run([*command, "--method", method], check=True)
    rows = [
        pq.read_table(part, columns=COLUMNS) for part in sorted((output / "metrics").glob("part-*.parquet"))
    ]
    return [row for table in rows for row in table.to_pylist()]


def commit() -> str:
    """The commit of this checkout, with a mark if it has changes."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def print_table(benchmark: Benchmark, rows: list[dict]) -> None:
    """Methods down, images across, PSNR in dB, as Markdown."""
    images = [Path(name).name for name in benchmark.images]
    psnr = {(row["method"], row["image_id"]): row["psnr_db"] for row in rows}
    print(f"\n{' '.join(benchmark.options)}\n\n| method | {' | '.join(images)} | mean |")
    print("|---" * (len(images) + 2) + "|")
    for method in benchmark.methods:
        values = [psnr[method, image] for image in images]
        cells = [f"{value:.2f}" for value in (*values, sum(values) / len(values))]
        print(f"| `{method}` | {' | '.join(cells)} |")


def circumstances() -> dict[str, str]:
    """What made a record."""
    cores = f"{os.cpu_count()} cores, {len(os.sched_getaffinity(0))} used"
    return {
        "commit": commit(),
        "torch": torch.__version__,
        "machine": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, {cores}",
    }


def main() -> None:
    datasets, work = map(Path, sys.argv[1:3])
    path = Path(__file__).parent / f"quality-{'cuda' if torch.cuda.is_available() else 'cpu'}.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    for benchmark in BENCHMARKS:
        if sys.argv[3:] and benchmark.name not in sys.argv[3:]:
            continue
        folder = source(benchmark, datasets, work)
        rows = [row for method in benchmark.methods for row in evaluate(benchmark, method, folder, work)]
        print_table(benchmark, rows)
        record[benchmark.name] = {**circumstances(), "rows": rows}
    path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
