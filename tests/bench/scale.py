"""What a run over a million images takes besides their restoration.

    python -m tests.bench.scale WORK images 100000 1000000
    python -m tests.bench.scale WORK slots

Images: sources of that many (empty) files go through `dip restore` with workers that write each image's
row and do nothing else. Taken are its wall time, the largest resident memory of the flow's process, the
task runs and the growth of the Prefect server's database, and how long it then takes to find that there is
nothing to do, and to print the results. Slots: 10,000 images that take 15 to 45 s of sleep, on 500 slots of
four workers; taken is the share of the time between the first start and the last end in which the slots
were taken. Prints a JSON object, and adds it to scale.json beside this file.
"""

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tests.bench.circumstances import commit
from tests.bench.overhead import SABOTAGE, span_of
from tests.conftest import executable, free_port, running

IN_A_FOLDER = 1000
RECORD = Path(__file__).parent / "scale.json"
SLOTS, WORKERS, SLEEP_S, SLEEPERS = 500, 4, 30, 10_000


def make_source(folder: Path, count: int) -> Path:
    """Files that are never read."""
    for number in range(count):
        path = folder / f"{number // IN_A_FOLDER:04d}" / f"{number:07d}.png"
        if number % IN_A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.touch()
    return folder


def environment(work: Path, mean_s: float) -> dict[str, str]:
    """In which workers idle, and Prefect has a database of its own."""
    path = os.pathsep.join([str(SABOTAGE), os.environ.get("PYTHONPATH", "")])
    own = {"PREFECT_HOME": str(work / "prefect"), "PYTHONPATH": path, "SABOTAGED_IDLING": str(mean_s)}
    return os.environ | own


def restoration(source: Path, output: Path, *options: str) -> list[str]:
    """The command line."""
    line = ["restore", str(source), str(output), "--task", "denoise", *options]
    return [sys.executable, "-m", "cli", *line]


def watched(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds that a command took, and the largest resident memory of its own process in megabytes."""
    start, peak_kib = time.monotonic(), 0
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+)", status)
        peak_kib = max(peak_kib, int(found[1]) if found else 0)
        time.sleep(0.2)
    assert process.returncode == 0
    return time.monotonic() - start, peak_kib / 1024


def run_of(count: int, work: Path) -> dict[str, Any]:
    """One run, what it left behind, and the looks at it afterwards."""
    source, output = make_source(work / "in", count), work / "out"
    inside = environment(work, 0)
    seconds, megabytes = watched(restoration(source, output, "--workers", "2"), inside)
    span_s, _, images = span_of(output)
    assert images == count
    again_s, again_megabytes = watched(restoration(source, output), inside)
    results_s, _ = watched([sys.executable, "-m", "cli", "results", str(output)], inside)
    database = work / "prefect" / "prefect.db"
    with closing(sqlite3.connect(database)) as connection:
        (task_runs,) = connection.execute("SELECT count(*) FROM task_run").fetchone()
    return {
        "images": count,
        "wall_seconds": round(seconds),
        "images_per_second": round(images / span_s, 1),
        "flow_peak_megabytes": round(megabytes),
        "task_runs": task_runs,
        "database_megabytes": round(database.stat().st_size / 1e6, 1),
        "metrics_megabytes": round(sum(p.stat().st_size for p in (output / "metrics").iterdir()) / 1e6, 1),
        "nothing_to_do_after_seconds": round(again_s, 1),
        "nothing_to_do_peak_megabytes": round(again_megabytes),
        "results_printed_after_seconds": round(results_s, 1),
    }


def busy_slots(work: Path) -> dict[str, Any]:
    """Many slots, on a scheduler and workers of their own."""
    source, inside = make_source(work / "in", SLEEPERS), environment(work, SLEEP_S)
    address, each = f"tcp://127.0.0.1:{free_port()}", str(SLOTS // WORKERS)
    scheduler = [executable("dask"), "scheduler", "--host", "127.0.0.1", "--port", address.rsplit(":")[-1]]
    worker = [executable("dask"), "worker", address, "--nthreads", each, "--resources", f"GPU={each}"]
    with ExitStack() as stack:
        stack.enter_context(running([*scheduler, "--no-dashboard"], inside, work / "scheduler.log"))
        for number in range(WORKERS):
            stack.enter_context(running([*worker, "--no-dashboard"], inside, work / f"worker-{number}.log"))
        time.sleep(15)
        watched(restoration(source, work / "out", "--scheduler", address), inside)
    span_s, busy_s, images = span_of(work / "out")
    return {
        "slots": SLOTS,
        "images": images,
        "mean_seconds": round(busy_s / images, 1),
        "span_seconds": round(span_s),
        "busy_share": round(busy_s / (SLOTS * span_s), 4),
    }


def main() -> None:
    """Measure what is asked for, and add it to the record."""
    work, what, *counts = sys.argv[1:]
    found = [run_of(int(count), Path(work, count)) for count in counts] or [busy_slots(Path(work, what))]
    machine = {"commit": commit(), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    record[what] = [machine | each for each in found]
    print(json.dumps(record, indent=1))
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
