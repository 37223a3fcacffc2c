"""Outputs that take nothing any more: the run says so, nothing is lost, and it continues later."""

import subprocess

import pytest

from tests.conftest import write_photographs
from tests.test_archive import FEW

INSIDE = ["unshare", "--user", "--map-root-user", "--mount"]
"""A process that may mount a disk of its own, without being root."""

FULL = """
mount -t tmpfs -o size=200k none "$OUT"
{line} 2>&1; echo "ended with $?"
find "$OUT" -name '*.tmp' | wc -l
mount -o remount,size=50m "$OUT"
{line} 2>&1; echo "ended with $?"
{verify}; echo "ended with $?"
"""

READ_ONLY = """
mount -t tmpfs none "$OUT"
{line} 2>&1 &
until ls "$OUT"/images/* 2>/dev/null | grep -q png; do sleep 0.1; done
until mount -o remount,ro "$OUT" 2>/dev/null; do :; done
wait $!; echo "ended with $?"
echo 0
mount -o remount,rw "$OUT"
{line} 2>&1; echo "ended with $?"
{verify}; echo "ended with $?"
"""


def can_mount() -> bool:
    try:
        return subprocess.run([*INSIDE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not can_mount(), reason="needs user namespaces, to mount a small disk")
@pytest.mark.parametrize(
    ("script", "side_px", "iterations"),
    [(FULL, 96, FEW), (READ_ONLY, 48, ("--max-iterations", "40"))],
    ids=["full", "read-only"],
)
def test_run_stops_where_nothing_can_be_written_and_continues_later(
    dip, tmp_path, script, side_px, iterations
):
    source, output = write_photographs(tmp_path / "in", 12, side_px), tmp_path / "out"
    output.mkdir()
    line = dip.command("restore", source, output, "--task", "denoise", "--workers", 1, *iterations)
    commands = {"line": subprocess.list2cmdline(line), "verify": f"{dip.command()[0]} verify {output}"}
    finished = subprocess.run(
        [*INSIDE, "bash", "-c", script.format(**commands)],
        env={**dip.environment, "OUT": str(output)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    told = finished.stdout
    first, left, second, verified = told.split("ended with ")[0], *told.split("ended with ")[1:]
    assert "its disk is full or read-only" in first, told
    assert "What is finished is safe; the same line continues the run" in first, told
    assert left.split()[:2] == ["2", "0"], told
    assert "12 restored, 0 failed" in left, told
    assert second.startswith("0\n"), told
    assert verified.startswith("0\n"), told
