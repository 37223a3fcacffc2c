"""Whether everything is accounted for whatever fails: python -m tests.bench.chaos WORK

200 small images on an S3 server, behind a proxy that drops, delays, truncates or refuses one request in
five; three worker processes, of which one is killed every ten seconds; the flow itself is killed three times
and started again. At the end there must be 200 rows, none twice, each file as its row says, and all of them
as an undisturbed run makes them. Prints a JSON object, and records it in chaos.json beside this file.
"""

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.circumstances import commit
from tests.bench.overhead import make_images
from tests.conftest import files_below, free_port, serving_s3
from tests.faulty import proxy
from tests.test_archive import rows_of

IMAGES = 200
FAULTS = ("drop", "delay", "truncate", "503")
SHARE = 0.2
KILL_EVERY_S = 10
FLOW_DEATHS = 3
MOST_STARTS = 5
ASKED = ("--task", "denoise", "--noise-floor", "0", "--max-iterations", "3")


class Weather:
    """Faults that never end: one request in five meets one."""

    def __init__(self) -> None:
        self._random = random.Random(0)
        self.count = 0

    def __bool__(self) -> bool:
        return self._random.random() < SHARE

    def popleft(self) -> str:
        """The next fault."""
        self.count += 1
        return self._random.choice(FAULTS)

    def appendleft(self, fault: str) -> None:  # noqa: ARG002 - as a deque's
        """One that did not suit its request."""
        self.count -= 1


def started(source: str, output: str, environment: dict[str, str]) -> subprocess.Popen:
    """`dip restore`, under way."""
    line = [sys.executable, "-m", "cli", "restore", source, output, *ASKED, "--workers", "3"]
    return subprocess.Popen(line, env={**os.environ, **environment})


@contextmanager
def worker_killer(flow: subprocess.Popen) -> Iterator[list[int]]:
    """Kills a worker of a flow every ten seconds for the time of the block; who was killed."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(KILL_EVERY_S):
            children = psutil.Process(flow.pid).children(recursive=True) if flow.poll() is None else []
            workers = [process for process in children if "--multiprocessing-fork" in process.cmdline()]
            workers = [
                process for process in workers if process.memory_info().rss > 200 * 2**20
            ]  # with torch
            if workers:
                victim = random.choice(workers)
                victim.kill()
                killed.append(victim.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def carried_through(environment: dict[str, str]) -> dict[str, int]:
    """Start the flow until it ends with its books closed; how often what was killed, or gave up."""
    moments = random.Random(1)
    workers_killed = flows_killed = gave_up = 0
    while gave_up < MOST_STARTS:
        flow = started("s3://archive/in", "s3://archive/out", environment)
        with worker_killer(flow) as killed:
            try:
                code = flow.wait(moments.uniform(25, 60) if flows_killed < FLOW_DEATHS else None)
            except subprocess.TimeoutExpired:
                flow.kill()
                flow.wait()
                flows_killed += 1
                code = None
        workers_killed += len(killed)
        if code in (0, 1):
            break
        gave_up += code is not None
        time.sleep(5)  # the orphaned workers notice
    return {"workers_killed": workers_killed, "flows_killed": flows_killed, "gave_up": gave_up}


def main() -> None:
    """Carry the run through, and look at what it left."""
    work = Path(sys.argv[1])
    make_images(work / "in", IMAGES, 24)
    key, secret = f"key{secrets.token_hex(6)}", secrets.token_hex(16)
    with (
        serving_s3(work, free_port(), key, secret) as s3,
        proxy(s3.endpoint.removeprefix("http://")) as faulty,
    ):
        shutil.copytree(work / "in", s3.folder / "archive" / "in")
        faulty.faults = weather = Weather()
        start = time.monotonic()
        ended = carried_through({**s3.environment, "AWS_ENDPOINT_URL": faulty.endpoint})
        seconds = time.monotonic() - start
        stored = s3.folder / "archive" / "out"
        verified = subprocess.run(
            [sys.executable, "-m", "cli", "verify", str(stored)], check=False
        ).returncode
        started(str(work / "in"), str(work / "undisturbed"), {}).wait()
        rows = rows_of(stored)
        same = files_below(stored / "images") == files_below(work / "undisturbed" / "images")
        left = len(list((stored / "runs").rglob("*.arrow"))) if stored.exists() else 0
    result = {
        "commit": commit(),
        **ended,
        "seconds": round(seconds),
        "requests": faulty.requests,
        "faults": weather.count,
        "rows": len(rows),
        "images": len({row["image_id"] for row in rows}),
        "restored": sum(row["status"] == "restored" for row in rows),
        "failed": [row["error_message"] for row in rows if row["status"] == "failed"],
        "verified": verified == 0,
        "as_undisturbed": same,
        "records_left": left,
    }
    print(json.dumps(result, indent=1))
    (Path(__file__).parent / "chaos.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
