"""The fuzz tests for longer, each time from another seed: python -m tests.bench.fuzz MINUTES

Each test of tests/test_fuzz.py gets its share of the time, in rounds of a thousand examples. Prints how many
examples each saw, and records it in fuzz.json beside this file; ends at the first failure.
"""

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from tests import test_fuzz
from tests.bench.circumstances import commit

TESTS = [name for name in vars(test_fuzz) if name.startswith("test_")]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n0", "--timeout=0", "-p", "no:cacheprovider"]


def examples_of(test: str, seed: int) -> int:
    """How many examples a round of a test saw."""
    asked = [f"tests/test_fuzz.py::{test}", f"--hypothesis-seed={seed}", "--hypothesis-show-statistics"]
    done = subprocess.run(
        [*PYTEST, "--hypothesis-profile=long", *asked], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout)
    return sum(map(int, re.findall(r"(\d+) passing", done.stdout)))


def main() -> None:
    """Rounds until the time is up."""
    seconds = 60 * float(sys.argv[1])
    seen = dict.fromkeys(TESTS, 0)
    start, seed = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        test = TESTS[seed % len(TESTS)]
        seen[test] += examples_of(test, seed)
        seed += 1
    result = {
        "commit": commit(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "minutes": round((time.monotonic() - start) / 60, 1),
        "examples": seen,
    }
    print(json.dumps(result, indent=1))
    (Path(__file__).parent / "fuzz.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
