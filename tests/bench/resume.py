"""How soon a finished run of 100,000 images has nothing to do: python -m tests.bench.resume WORK

The output is made up: its manifest and part files are written by the same code as ever, with rows of
images that nobody restored. `dip restore` is then called on it. The folders that are listed to find that
there is nothing to do are counted in this process. Prints a JSON object, and records it in resume.json.
"""

import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from dip.storage.part_files import PartFile
from dip.storage.results import Row, encode_record
from flows.parameters import ArchiveParameters
from flows.runs.accounts import close_run, open_run
from flows.runs.run import Earlier, Run, Shard
from tests.bench.circumstances import commit
from tests.bench.overhead import make_images

IMAGES = 100_000
IN_A_FOLDER = 1000


def make_source(folder: Path) -> None:
    """One small image under many names."""
    (image,) = make_images(folder.parent / "one", 1, 8).iterdir()
    for number in range(IMAGES):
        path = folder / f"{number // IN_A_FOLDER:03d}" / f"{number:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(image, path)


def finish(run: Run) -> None:
    """Write the part files of a run as if it had been done."""
    for index in run.open_shards:
        part = PartFile()
        for job in Shard(run, index, frozenset()).open_jobs():
            row = Row(
                run_id=run.run_id,
                image_id=job.image_id,
                source_url=job.source.url_of(job.image_id),
                source_version=job.source_version,
                source_sha256="0" * 64,
                task="denoise",
                method="dip",
                preset="auto",
                config_hash="0" * 16,
                seed=0,
                software_version="0",
                started_at=datetime.now(UTC),
                status="restored",
            )
            part.add(encode_record(row))
        rows, curves = part.finish()
        run.output.write(f"curves/{run.part(index)}", curves)
        run.output.write(f"metrics/{run.part(index)}", rows)
    close_run(run)


def count_listings(asked: ArchiveParameters) -> int:
    """How many folders are listed to find that there is nothing to do."""
    listed: list[object] = []

    def notice(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("os.scandir", "os.listdir"):
            listed.append(arguments)

    sys.addaudithook(notice)
    assert open_run(asked) == (None, Earlier())
    return len(listed)


def main() -> None:
    """Make the run up, and call it again."""
    work = Path(sys.argv[1])
    make_source(work / "in")
    asked = ArchiveParameters(source=str(work / "in"), output=str(work / "out"), task="denoise")
    run, _ = open_run(asked)
    finish(run)
    line = [sys.executable, "-m", "cli", "restore", str(work / "in"), str(work / "out"), "--task", "denoise"]
    start = time.monotonic()
    again = subprocess.run(line, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - start
    assert "Nothing to do" in again.stdout
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.monotonic()
    subprocess.run([*line[:3], "results", str(work / "out")], capture_output=True, check=True)
    result = {
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "images": IMAGES,
        "nothing_to_do_after_seconds": round(seconds, 1),
        "results_printed_after_seconds": round(time.monotonic() - start, 1),
        "peak_megabytes_of_this_and_that": round(peak_kib / 1024),
        "folders_listed": count_listings(asked),
        "metrics_megabytes": round(
            sum(path.stat().st_size for path in (work / "out" / "metrics").iterdir()) / 1e6, 1
        ),
    }
    print(json.dumps(result, indent=1))
    (Path(__file__).parent / "resume.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
