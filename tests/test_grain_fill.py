"""Fills get the grain of their surroundings."""

import numpy as np
import pytest
import torch
from PIL import Image

from dip.configuration import Configuration
from dip.methods.base import Context
from dip.methods.grain_fill import with_grain
from dip.operators.grain import film_grain
from dip.operators.measurement import measured
from dip.storage import Location
from tests.conftest import photograph
from tests.one_image import run

HOLE = (slice(60, 110), slice(70, 120))
INPAINT = Configuration("inpaint")


def context(seed=3):
    return Context(seed, torch.device("cpu"))


def holed(pixels):
    """The measurement of an image with a hole of 50×50 pixels."""
    observed = np.ones(pixels.shape[1:], bool)
    observed[HOLE] = False
    return measured(pixels, observed, INPAINT)


def grainy(channels=3, sigma=12.0, size_px=0.8):
    """A smooth image under grain, and the image without it."""
    slope = np.linspace(0.3, 0.6, 180, dtype=np.float32)
    smooth = np.broadcast_to(slope, (channels, 160, 180)).copy()
    return smooth + film_grain(smooth, sigma, size_px, np.random.default_rng(0)), smooth


def neighbours(plane):
    """Correlation of each pixel with the next."""
    return np.corrcoef(plane[:, 1:].ravel(), plane[:, :-1].ravel())[0, 1]


@pytest.mark.parametrize("channels", [1, 3])
def test_fill_is_as_grainy_as_its_surroundings(channels):
    pixels, smooth = grainy(channels)
    made = with_grain(torch.from_numpy(smooth)[None], holed(pixels), context())[0].numpy()
    here, around = (made - smooth)[:, *HOLE], (pixels - smooth)[:, :50]
    assert here.std() == pytest.approx(around.std(), rel=0.35)
    assert neighbours(here[0]) == pytest.approx(neighbours(around[0]), abs=0.2)


def test_grain_stays_within_the_hole_and_follows_the_seed():
    pixels, smooth = grainy()
    image = torch.from_numpy(smooth)[None]
    first, again, other = (with_grain(image, holed(pixels), context(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    outside = torch.from_numpy(holed(pixels).observed)
    assert torch.equal(first[..., outside], image[..., outside])


def test_fill_of_an_image_without_noise_stays_smooth():
    _, smooth = grainy()
    image = torch.from_numpy(smooth)[None]
    assert torch.equal(with_grain(image, holed(smooth), context()), image)


def test_fills_are_left_smooth_on_request(tmp_path):
    (tmp_path / "in").mkdir()
    noise = np.random.default_rng(0).normal(0, 15, (128, 128, 3))
    planes = np.asarray(photograph("coffee", 128), np.float64) + noise
    Image.fromarray(np.uint8(planes.clip(0, 255))).save(tmp_path / "in" / "a.png")
    mask = np.zeros((128, 128), np.uint8)
    mask[40:80, 40:80] = 255
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    made = {}
    for name, grain_fill in {"grainy": True, "smooth": False}.items():
        configuration = Configuration("inpaint", max_iterations=2, grain_fill=grain_fill)
        masks = {"masks": Location(str(tmp_path / "masks")), "mask_id": "a.png"}
        row = run(tmp_path, "a.png", configuration, name, **masks)
        assert row["keeps_unmasked"] is True
        made[name] = np.asarray(Image.open(tmp_path / name / "images" / "a.png"), np.int16)
    inside = (made["grainy"] - made["smooth"])[40:80, 40:80]
    assert 5 < inside.std() < 30
