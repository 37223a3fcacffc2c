"""Images that kill their worker, hang, or take too long."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tests.conftest import write_photographs
from tests.test_archive import rows_of

SABOTAGE = {
    "PYTHONPATH": f"{Path(__file__).parent / 'sabotage'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
}


def test_images_that_kill_their_worker_fail_by_themselves(dip, tmp_path):
    """One ends its process; with the other a GPU is lost, which ends the process, too."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(48):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(folder / f"{i:02d}.png")
    Image.new("L", (13, 8)).save(folder / "20 deadly.png")
    Image.new("L", (14, 8)).save(folder / "30 deadly.png")
    line = ("restore", folder, tmp_path / "out", "--task", "denoise", "--noise-floor", 0)
    finished = subprocess.run(
        dip.command(*line, "--method", "none", "--workers", 2),
        env=dip.environment | SABOTAGE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1, finished.stderr
    assert "48 restored, 2 failed" in finished.stdout
    failed = [row for row in rows_of(tmp_path / "out") if row["status"] == "failed"]
    assert {row["image_id"] for row in failed} == {"20 deadly.png", "30 deadly.png"}
    for row in failed:
        assert "its worker process died each time it was tried" in row["error_message"]


def test_image_that_takes_too_long_fails_with_how_far_it_came(dip, tmp_path):
    write_photographs(tmp_path / "in", 2, side_px=96)
    line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", "--time-limit", 1)
    assert dip(*line).returncode == 1
    for row in rows_of(tmp_path / "out"):
        assert row["error_type"] == "ImageTimeoutError"
        assert "Expected a restoration within 1 s" in row["error_message"]


def test_hung_process_is_ended():
    script = (
        "import time; from flows.workers import worker; worker.HUNG_AFTER_S = 0.5\n"
        "with worker._ended_if_it_hangs(0.1): pass\n"
        "time.sleep(1.5); print('not ended', flush=True)\n"
        "with worker._ended_if_it_hangs(0.1): time.sleep(60)"
    )
    start = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert time.monotonic() - start < 50
    assert (ended.returncode, ended.stdout) == (1, "not ended\n")
    assert "Timeout" in ended.stderr
