"""What a run costs besides the restorations: python -m tests.bench.overhead WORK

Small images go through `dip restore` with methods that restore nothing. Busy: two slots, 200 images, a
method that sleeps for a second; the share of the time between the first start and the last end in which
the slots were taken, by the rows. Pace: images per second, with workers that write an image's row and do
nothing else, and with a method that does nothing between reading an image and writing it. Memory: of the
worker process that did the most of 500 real restorations, resident after the 100th and after the last.
Prints a JSON object, and records it in overhead.json beside this file.
"""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from dip.storage import Location
from dip.storage.part_files import read_rows
from tests.bench.circumstances import commit

SABOTAGE = Path(__file__).parents[1] / "sabotage"
SLOTS = 2


def make_images(folder: Path, count: int, side_px: int) -> Path:
    """Images of noise, each another."""
    folder.mkdir(parents=True)
    for i in range(count):
        levels = np.random.default_rng(i).integers(0, 256, (side_px, side_px), dtype=np.uint8)
        Image.fromarray(levels).save(folder / f"{i:05d}.png")
    return folder


def started(source: Path, output: Path, *options: str, **environment: str) -> subprocess.Popen:
    """`dip restore`, under way."""
    environment = {**os.environ, **environment}
    environment["PYTHONPATH"] = os.pathsep.join([str(SABOTAGE), os.environ.get("PYTHONPATH", "")])
    line = ["restore", str(source), str(output), "--task", "denoise", "--noise-floor", "0"]
    command = [sys.executable, "-m", "cli", *line, "--workers", str(SLOTS), *options]
    return subprocess.Popen(command, env=environment)


def span_of(output: Path) -> tuple[float, float, int]:
    """Seconds from the first start to the last end, seconds of work in it, and images."""
    rows = read_rows(Location(str(output)), ["started_at", "seconds"]).to_pylist()
    begin = min(row["started_at"] for row in rows)
    end = max(row["started_at"] + timedelta(seconds=row["seconds"]) for row in rows)
    return (end - begin).total_seconds(), sum(row["seconds"] for row in rows), len(rows)


def busy_share(work: Path) -> float:
    """Of two slots with images of a second each."""
    source = make_images(work / "sleepers", 200, 8)
    started(source, work / "slept", "--method", "none", SABOTAGED_SLEEP_S="1").wait()
    span_s, busy_s, _ = span_of(work / "slept")
    return busy_s / (SLOTS * span_s)


def images_per_second(work: Path) -> dict[str, float]:
    """Through listing, shards, records, rows and part files."""
    source = make_images(work / "idlers", 12_000, 8)
    pace = {}
    for name, environment in (("rows alone", {"SABOTAGED_IDLING": "0"}), ("read and written", {})):
        started(source, work / name, "--method", "none", **environment).wait()
        span_s, _, images = span_of(work / name)
        pace[name] = round(images / span_s, 1)
    return pace


def worker_megabytes(work: Path) -> dict[str, float]:
    """Resident memory of a worker after so many restorations of the run."""
    count = 500
    source = make_images(work / "small", count, 32)
    run = started(source, work / "restored", "--max-iterations", "3")
    seen: dict[int, float] = {}
    while run.poll() is None:
        done = len(list((work / "restored").glob("images/*.png")))
        workers = [p for p in psutil.Process(run.pid).children(recursive=True) if p.is_running()]
        if workers and 0 < done < count:  # at the end they are gone
            seen[done] = max(process.memory_info().rss for process in workers) / 2**20
        time.sleep(0.5)
    after_100 = min(done for done in seen if done >= 100)
    return {f"after {after_100}": round(seen[after_100]), f"after {max(seen)}": round(seen[max(seen)])}


def main() -> None:
    """Measure all three, one after the other."""
    work = Path(sys.argv[1])
    result = {
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "busy_share": round(busy_share(work), 4),
        "images_per_second": images_per_second(work),
        "worker_megabytes": worker_megabytes(work),
    }
    print(json.dumps(result, indent=1))
    (Path(__file__).parent / "overhead.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
