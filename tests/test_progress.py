"""How far a run is, and how far its images are."""

from dataclasses import replace

import numpy as np

from dip.configuration import Configuration
from dip.pipeline.job import Outcome, fail
from flows.progress import Counter, listener
from flows.workers.cluster import workers
from flows.workers.window import Window
from flows.workers.worker import progress_topic, restore_image
from tests.conftest import wait_for, write_photographs
from tests.one_image import job
from tests.test_large_images import TILED, gradient, optimized


def told(work) -> list:
    """What a listener hears while work is done with a counter."""
    heard = []
    token = listener.set(heard.append)
    try:
        work(Counter(total=6, before=1))
    finally:
        listener.reset(token)
    return heard


def test_images_that_take_long_are_named_until_they_end():
    def work(counter):
        counter.advance("a\n.tif", 0.125)
        for name in "bcdef":
            counter.advance(name, 0.5)
        for name in ("a\n.tif", "b", "c"):
            counter.add(Outcome(name, "restored"))

    first, *_, sixth, _, _, last = map(str, told(work))
    assert first == "1 of 6 images done, 0 failed"
    assert sixth == r"1 of 6 images done, 0 failed; a\x0a.tif 12.5%, b 50.0%, c 50.0%, d 50.0%, …"
    assert last.startswith("4 of 6 images done, 0 failed, ")
    assert last.endswith("left; d 50.0%, e 50.0%, f 50.0%")


def test_tiles_and_runs_are_parts_of_one_whole():
    shares = []
    noisy = gradient(64, 192) + np.random.default_rng(0).normal(0, 0.1, (1, 64, 192)).astype(np.float32)
    restored = optimized(noisy, replace(TILED, restarts=2), progress=shares.append)
    assert restored.tiles == 2
    assert shares == sorted(shares)
    assert shares[:2] == [0, 0.25]
    assert shares[-1] == 1


def test_worker_tells_how_far_its_image_is(cluster, tmp_path):
    write_photographs(tmp_path / "in", 1, side_px=64)
    heard = []
    slow = job(tmp_path, "photo-00.png", Configuration("denoise", max_iterations=200))
    with workers(cluster, None, "cpu") as found:
        found.client.subscribe_topic(progress_topic(slow.run_id), lambda event: heard.append(event[1]))
        (outcome,) = Window(found, restore_image, fail).run([slow])
        wait_for(lambda: heard, "the first message", 10)
    assert outcome.status == "restored"
    assert {name for name, _ in heard} == {"photo-00.png"}
    assert all(0 <= share <= 1 for _, share in heard)
