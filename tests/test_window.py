"""Jobs on workers, as the window sends them."""

import os
import threading
import time
from pathlib import Path

import pytest
from distributed import get_worker

from dip.configuration import Configuration
from dip.errors import ImageError, StorageError
from dip.pipeline.job import Job, Outcome
from dip.storage import Location
from flows.workers.cluster import workers
from flows.workers.window import Window
from flows.workers.worker import TAKES_ON_FOR_S, in_turn


def job(folder: Path, name: str) -> Job:
    return Job("run", name, Location("in"), Location(str(folder)), name, Configuration("denoise"))


def work(job: Job) -> Outcome:
    """Write a line, and for a deadly job die once, soon after its result is told."""
    seen = Path(job.output.root, job.image_id)
    if not seen.exists() and job.image_id.startswith("deadly"):
        time.sleep(1)
        threading.Timer(1, os._exit, [1]).start()
    with seen.open("a") as lines:
        lines.write("worked\n")
    return Outcome(job.image_id, "restored")


@pytest.fixture(scope="module")
def found():
    with workers(None, 2, "cpu") as found:
        yield found


def test_result_lost_with_its_worker_is_worked_out_again(found, tmp_path):
    outcomes = Window(found, work, pytest.fail).run([job(tmp_path, "harmless"), job(tmp_path, "deadly")])
    assert next(outcomes).image_id == "harmless"
    time.sleep(4)  # the other result is there and, unasked for, gone again
    assert [outcome.image_id for outcome in outcomes] == ["deadly"]
    assert (tmp_path / "deadly").read_text() == "worked\n" * 2
    assert (tmp_path / "harmless").read_text() == "worked\n"


def test_who_began_first_is_served_first(found, tmp_path):
    window = Window(found, work, pytest.fail)
    first = window.run(job(tmp_path, f"first-{i}") for i in range(40))
    second = window.run(job(tmp_path, f"second-{i}") for i in range(40))
    next(first)  # takes its number
    order = []

    def follow(outcomes):
        order.extend(outcome.image_id for outcome in outcomes)

    threads = [threading.Thread(target=follow, args=[outcomes]) for outcomes in (second, first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(order) == 79
    served = [name.split("-")[0] for name in order]
    assert served[:20] == ["first"] * 20


def test_short_jobs_are_sent_before_there_is_a_slot_and_long_ones_are_not(found, tmp_path):
    window = Window(found, work, pytest.fail)
    outcomes = window.run(job(tmp_path, str(i)) for i in range(60))
    assert window._just_ended() == 0
    for _ in range(30):
        next(outcomes)
    assert window._just_ended() > 0
    assert len(list(outcomes)) == 30
    time.sleep(0.2)
    assert window._just_ended() == 0


def told_by_task(job: Job) -> Outcome:
    """Which Dask task a job was part of; one job fails."""
    if job.image_id == "30":
        raise ImageError("this one")
    return Outcome(job.image_id, "restored", str(get_worker().get_current_task()))


def failed(job: Job, error: BaseException) -> Outcome:
    return Outcome(job.image_id, "failed", str(error))


def test_short_jobs_share_a_task_and_fail_by_themselves(found, tmp_path):
    jobs = [job(tmp_path, str(i)) for i in range(400)]
    outcomes = list(Window(found, told_by_task, failed).run(jobs))
    assert sorted(outcome.image_id for outcome in outcomes) == sorted(job.image_id for job in jobs)
    assert [(o.image_id, o.error_message) for o in outcomes if o.status == "failed"] == [("30", "this one")]
    assert len({outcome.error_message for outcome in outcomes}) < 300


def test_what_follows_a_long_job_comes_back():
    pauses_s = [0, TAKES_ON_FOR_S + 0.01, 0]
    assert in_turn(time.sleep, pauses_s) == [None, None]


def test_failure_is_that_of_the_first_job():
    assert in_turn(int, ["1", "2", "three", "4"]) == [1, 2]
    with pytest.raises(ValueError, match="three"):
        in_turn(int, ["three", "4"])


def test_storage_that_fails_is_not_tried_for_every_job():
    def work(name: str) -> str:
        if name == "second":
            raise StorageError("away")
        return name

    with pytest.raises(StorageError):
        in_turn(work, ["first", "second"])
