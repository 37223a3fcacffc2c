"""Runs on workers that come, go and die, and runs that are killed themselves."""

import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import torch

from flows.workers.cluster import count_slots
from tests.conftest import executable, files_below, free_port, running, wait_for, write_photographs
from tests.test_archive import FEW, rows_of

SLOW = ("--task", "denoise", "--max-iterations", "40")


@pytest.fixture
def scheduler(tmp_path, environment):
    address = f"tcp://127.0.0.1:{free_port()}"
    command = [executable("dask"), "scheduler", "--host", address, "--no-dashboard"]
    log = tmp_path / "scheduler.log"
    with running(command, environment, log):
        wait_for(lambda: log.exists() and "Scheduler at" in log.read_text(), "the start of the scheduler")
        yield address


@contextmanager
def worker(address: str, environment: dict[str, str], log: Path, slots: str = "GPU=1", threads: int = 1):
    """A worker and its nanny in a process group of their own."""
    command = [
        executable("dask"),
        "worker",
        address,
        "--nthreads",
        str(threads),
        "--no-dashboard",
        "--resources",
        slots,
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink, start_new_session=True)
    try:
        wait_for(lambda: "Registered to" in log.read_text(), "the start of a worker")
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def records(output: Path) -> list[Path]:
    return sorted(output.glob("runs/*/records/*/*.arrow"))


def test_workers_may_come_and_die_on_the_way(dip, environment, scheduler, tmp_path):
    write_photographs(tmp_path / "in", 8)
    line = dip.command("restore", tmp_path / "in", tmp_path / "out", *SLOW, "--scheduler", scheduler)
    with (
        worker(scheduler, environment, tmp_path / "worker-1.log") as first,
        worker(scheduler, environment, tmp_path / "worker-2.log"),
        subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as run,
    ):
        wait_for(lambda: len(records(tmp_path / "out")) >= 2, "the first restorations")
        with worker(scheduler, environment, tmp_path / "worker-3.log"):
            kill(first)
            _, errors = run.communicate(timeout=200)
    assert run.returncode == 0, errors
    rows = rows_of(tmp_path / "out")
    assert [row["status"] for row in rows] == ["restored"] * 8
    assert len({row["image_id"] for row in rows}) == 8
    assert records(tmp_path / "out") == []


def test_killed_run_is_continued_without_doing_anything_twice(dip, tmp_path):
    write_photographs(tmp_path / "in", 8)
    line = ("restore", tmp_path / "in", tmp_path / "out", *SLOW)
    with subprocess.Popen(
        dip.command(*line, "--workers", 2), env=dip.environment, stderr=subprocess.DEVNULL
    ) as run:
        wait_for(lambda: len(records(tmp_path / "out")) >= 2, "the first restorations")
        run.send_signal(signal.SIGKILL)
    time.sleep(8)  # the workers notice that their nanny is gone
    done = records(tmp_path / "out")
    assert 2 <= len(done) < 8
    images = tmp_path / "out" / "images"
    written_at = {path: path.stat().st_mtime_ns for path in images.iterdir()}
    assert dip(*line, "--seed", 3).returncode == 2
    again = dip(*line)
    assert again.returncode == 0, again.stderr
    assert re.match(rf"{len(done)} of 8 images done", again.stderr), again.stderr
    untouched = [path for path, time_ns in written_at.items() if path.stat().st_mtime_ns == time_ns]
    assert len(untouched) >= len(done)
    assert "8 restored, 0 failed" in again.stdout
    rows = rows_of(tmp_path / "out")
    assert len(rows) == len({row["image_id"] for row in rows}) == 8
    assert len({row["run_id"] for row in rows}) == 1
    dip("restore", tmp_path / "in", tmp_path / "undisturbed", *SLOW)
    assert files_below(images) == files_below(tmp_path / "undisturbed" / "images")


def test_lost_scheduler_ends_the_run_in_a_sentence(dip, environment, tmp_path):
    write_photographs(tmp_path / "in", 6)
    address = f"tcp://127.0.0.1:{free_port()}"
    command = [executable("dask"), "scheduler", "--host", address, "--no-dashboard"]
    line = dip.command("restore", tmp_path / "in", tmp_path / "out", *SLOW, "--scheduler", address)
    with (
        running(command, environment, tmp_path / "scheduler.log") as scheduler,
        worker(address, environment, tmp_path / "worker.log"),
        subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as run,
    ):
        wait_for(lambda: records(tmp_path / "out"), "the first restoration")
        scheduler.kill()
        _, errors = run.communicate(timeout=150)
    assert run.returncode == 2, errors
    assert "the same line continues the run" in errors
    assert "Traceback" not in errors


def test_client_between_two_schedulers_has_no_slots():
    class Reconnecting:
        def scheduler_info(self, n_workers):  # noqa: ARG002 - as Dask's client
            return {}

    assert count_slots(Reconnecting()) == 0


@pytest.mark.parametrize(
    ("slots", "threads", "what"), [("MEM=1", 1, "got none"), ("GPU=2", 2, "carries several at a time")]
)
def test_workers_that_do_not_carry_one_restoration_at_a_time_are_said_so(
    dip, environment, scheduler, tmp_path, slots, threads, what
):
    write_photographs(tmp_path / "in", 1)
    with worker(scheduler, environment, tmp_path / "worker.log", slots, threads):
        line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", "--scheduler", scheduler)
        finished = dip(*line, *FEW)
    assert finished.returncode == 2
    assert what in finished.stderr
    assert "--resources GPU=1" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_workers_without_the_device_asked_for_are_said_so(dip, environment, scheduler, tmp_path):
    write_photographs(tmp_path / "in", 1)
    with worker(scheduler, environment, tmp_path / "worker.log"):
        line = ("restore", tmp_path / "in", tmp_path / "out", "--task", "denoise", "--scheduler", scheduler)
        finished = dip(*line, *FEW, "--device", "cuda")
    assert finished.returncode == 2
    assert "which has 0 GPUs; got 'cuda'. So it is on 1 of 1 workers" in finished.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_interrupted_run_ends_soon_and_says_how_to_go_on(dip, tmp_path, how):
    write_photographs(tmp_path / "in", 6)
    line = dip.command("restore", tmp_path / "in", tmp_path / "out", *SLOW, "--workers", 1)
    heed = partial(signal.signal, how, signal.SIG_DFL)  # what a shell runs in the background ignores SIGINT
    with subprocess.Popen(
        line, env=dip.environment, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    ) as run:
        wait_for(lambda: records(tmp_path / "out"), "the first restoration")
        run.send_signal(how)
        _, errors = run.communicate(timeout=20)  # schedulers grant ten seconds; CI machines are slow
    assert run.returncode == 130
    assert "the same line continues the run" in errors
    assert "Traceback" not in errors
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"images", "runs"}  # and no lock
