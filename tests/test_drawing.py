import hashlib

import numpy as np
import pytest
from PIL import Image

from dip.drawing import draw_picture
from flows.education import draw_pictures

CHECKSUMS = {
    0: "e1c020dc89abe23b",
    1: "1d701d88e49f2d71",
    2: "d87f84adb7f9e2b8",
    3: "487936231ff8838e",
    11: "6add943a94e2fd30",
    12: "2a19ce9c63de64f7",
}


@pytest.mark.parametrize(("seed", "expected"), CHECKSUMS.items())
def test_a_seed_draws_the_same_picture_on_every_processor(seed, expected):
    picture = np.rint(draw_picture(seed, 96) * 255).astype(np.uint8)
    assert hashlib.sha256(picture.tobytes()).hexdigest()[:16] == expected


def test_pictures_lie_between_black_and_white_and_differ():
    pictures = [draw_picture(seed, 64) for seed in range(12)]
    assert all(p.shape == (3, 64, 64) and p.dtype == np.float32 for p in pictures)
    assert all(0 <= p.min() <= p.max() <= 1 for p in pictures)
    assert len({p.tobytes() for p in pictures}) == 12


def test_some_pictures_are_grey_and_most_are_not():
    grey = [bool(np.ptp(draw_picture(seed, 32), axis=0).max() < 1e-6) for seed in range(60)]
    assert 5 <= sum(grey) <= 30


def test_pictures_are_written_under_their_seeds(tmp_path):
    written = draw_pictures(tmp_path / "drawn", count=2, seed=7, side_px=40)
    assert [path.name for path in written] == ["picture-7.png", "picture-8.png"]
    assert Image.open(written[0]).size == (40, 40)
