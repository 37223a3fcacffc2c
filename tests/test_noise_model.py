import numpy as np
import pytest
import torch
from skimage import data

from dip.operators.grain import by_tones, correlated, white_noise
from dip.operators.noise_model import estimated_noise
from dip.optimize.risk import best_share


@pytest.fixture(scope="module")
def clean():
    image = np.ascontiguousarray(data.astronaut()[:192, 100:292].transpose(2, 0, 1))
    return image.astype(np.float32) / 255


def tensor(pixels):
    return torch.from_numpy(np.ascontiguousarray(pixels))[None]


def model_of(noise, clean):
    """By a network that knows the image, so that its residual is the noise."""
    y, known = tensor(clean + noise), torch.ones(1, 1, *clean.shape[1:])
    return estimated_noise(
        lambda moved: tensor(clean).expand_as(moved), y, known, torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize(("sigma", "size_px"), [(15, 0.0), (25, 0.0), (12, 0.6), (20, 1.2)])
def test_level_and_size_of_noise_are_told_by_the_residual(clean, sigma, size_px):
    noise = white_noise(np.random.default_rng(1), clean.shape, shared=0.5)
    noise = correlated(noise, size_px) if size_px else noise
    model = model_of(noise * np.float32(sigma / 255), clean)
    assert model.sigma == pytest.approx(sigma, rel=0.12)
    assert model.size_px == pytest.approx(size_px, abs=0.2)


def test_drawn_noise_is_like_the_noise_that_was_measured(clean):
    noise = correlated(white_noise(np.random.default_rng(2), clean.shape, shared=0.7), 0.8) * np.float32(0.05)
    drawn = model_of(noise, clean).drawn(tensor(clean), torch.Generator().manual_seed(3))[0].numpy()

    def told(n):
        beside = np.corrcoef(n[0, :, 1:].ravel(), n[0, :, :-1].ravel())[0, 1]
        return [n.std() / 0.05, beside, np.corrcoef(n[0].ravel(), n[1].ravel())[0, 1]]

    assert told(drawn) == pytest.approx(told(noise), abs=0.15)


def test_noise_that_follows_the_tones_is_drawn_so():
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[None, None].repeat(256, 1), 3, 0)
    noise = by_tones(white_noise(np.random.default_rng(4), ramp.shape), ramp) * np.float32(0.05)
    drawn = model_of(noise, ramp).drawn(tensor(ramp), torch.Generator().manual_seed(5))[0].numpy()
    middle, ends = drawn[..., 112:144].std(), np.concatenate([drawn[..., :24], drawn[..., -24:]], -1).std()
    assert middle > 1.25 * ends


def test_network_that_leaves_half_of_the_noise_in_does_not_hide_it(clean):
    noise = white_noise(np.random.default_rng(6), clean.shape) * np.float32(0.08)
    known = torch.ones(1, 1, *clean.shape[1:])

    def halves(moved):
        return tensor(clean) + (moved - tensor(clean)) / 2

    model = estimated_noise(halves, tensor(clean + noise), known, torch.Generator().manual_seed(0))
    seen_alone = 255 * 0.04
    assert 1.2 * seen_alone < model.sigma < 1.1 * 255 * 0.08


def test_restoration_that_is_right_is_taken_and_one_that_takes_texture_is_not(clean):
    noise = white_noise(np.random.default_rng(7), clean.shape) * np.float32(0.06)
    y, model = tensor(clean + noise), model_of(noise, clean)
    share, gain = best_share(lambda moved: tensor(clean).expand_as(moved), y, model, 0)
    assert share > 0.9
    assert gain == pytest.approx(0.06**2, rel=0.1)
    share, _ = best_share(lambda moved: torch.full_like(moved, 0.5), y, model, 0)
    assert share < 0.2
