"""A: adjoints by dot product, downsampling against independent implementations."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from dip.configuration import Configuration, Degradation
from dip.configuration.registry import OPERATORS, ListedOperator
from dip.methods import method_called
from dip.methods.base import Context
from dip.operators import operator_for
from dip.operators.base import Acquisition, ForwardOperator
from dip.operators.composition import Composition
from dip.operators.downsampling import KERNELS, Downsampling
from dip.operators.identity import Identity
from dip.operators.mask import Mask
from dip.operators.simulation import simulated

CASES = [
    Identity(),
    Mask(torch.rand(1, 1, 24, 48, generator=torch.Generator().manual_seed(0)) > 0.5),
    *(Downsampling.by(factor, kernel, 24, 48) for factor in (2, 3, 4, 8) for kernel in KERNELS),
    *(operator_for(task, Acquisition(size_px=(24, 48), scale=2)) for task in OPERATORS),
    Composition(
        Downsampling.by(4, "bicubic", 24, 48),
        Mask(torch.rand(1, 1, 6, 12, generator=torch.Generator().manual_seed(0)) > 0.5),
    ),
]


@pytest.mark.parametrize("operator", CASES, ids=lambda operator: type(operator).__name__)
def test_adjoint_agrees_with_the_operator_in_a_dot_product(operator: ForwardOperator):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, 3, 24, 48, generator=generator)
    measurement = torch.rand(operator(image).shape, generator=generator)
    forward = (operator(image) * measurement).sum()
    backward = (image * operator.adjoint(measurement)).sum()
    torch.testing.assert_close(forward, backward)


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
@pytest.mark.parametrize(
    ("kernel", "pillow"), [("bicubic", Image.Resampling.BICUBIC), ("lanczos3", Image.Resampling.LANCZOS)]
)
def test_downsampling_equals_pillow_on_a_mirrored_image(factor, kernel, pillow):
    side = 24 * factor
    image = data.camera()[:side, 100 : 100 + side].astype(np.float32) / 255
    margin = 8 * factor
    mirrored = Image.fromarray(np.pad(image, margin, mode="symmetric"))
    expected = np.asarray(mirrored.resize((40, 40), pillow))[8:-8, 8:-8]
    operator = Downsampling.by(factor, kernel, side, side)
    found = operator(torch.from_numpy(image)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("factor", range(2, 9))
def test_box_is_the_mean_over_blocks(factor):
    image = torch.rand(1, 1, 6 * factor, 4 * factor)
    expected = torch.nn.functional.avg_pool2d(image, factor)
    found = Downsampling.by(factor, "box", 6 * factor, 4 * factor)(image)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_downsampling_keeps_a_flat_image_flat(kernel):
    operator = Downsampling.by(4, kernel, 32, 64)
    torch.testing.assert_close(operator(torch.full((1, 1, 32, 64), 0.3)), torch.full((1, 1, 8, 16), 0.3))


def test_lanczos2_has_the_weights_of_its_formula():
    weights = KERNELS["lanczos2"].weight(np.array([0, 0.5, 1, 1.5, 2, 2.5]))
    at_half, at_three_halves = 0.573159, -0.063684
    np.testing.assert_allclose(weights, [1, at_half, 0, at_three_halves, 0, 0], atol=1e-6)


def test_mask_keeps_observed_pixels_alone():
    observed = torch.tensor([[True, False]])[None, None]
    assert Mask(observed)(torch.tensor([[0.4, 0.7]])[None, None]).flatten().tolist() == pytest.approx(
        [0.4, 0]
    )


def test_mask_lies_over_a_downsampled_noisy_image():
    reference = np.random.default_rng(0).random((3, 32, 40), np.float32)
    asked = Configuration("super-resolution", scale=2, degradation=Degradation(sigma=10, missing=0.3))
    measurement = simulated(reference, asked, asked.degradation, seed=0)
    clean = measurement.operator(torch.from_numpy(reference)[None])[0].numpy()
    observed = measurement.observed
    assert observed.shape == (16, 20) == measurement.y.shape[1:]
    assert np.all(measurement.y[:, ~observed] == 0)
    assert np.all(clean[:, ~observed] == 0)
    noise = (measurement.y - clean)[:, observed]
    assert noise.std() * 255 == pytest.approx(10, rel=0.1)
    assert not measurement.keeps_observed


OPERATOR_OF_ONE_FILE = """
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Mirror:
    observed = None  # all of it

    @classmethod
    def of(cls, acquisition):
        return cls()

    def __call__(self, image):
        return image.flip(-1)

    adjoint = __call__

    def to(self, device):
        return self
"""


def test_new_operator_is_one_file_and_one_line(tmp_path, monkeypatch):
    (tmp_path / "mirror.py").write_text(OPERATOR_OF_ONE_FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(OPERATORS, "unmirror", ListedOperator("mirror:Mirror"))
    reference = np.random.default_rng(0).random((1, 8, 8), np.float32)
    asked = Configuration("unmirror", method="pixels", degradation=Degradation())
    measurement = simulated(reference, asked, Degradation(), seed=0)
    assert np.array_equal(measurement.y, reference[..., ::-1])
    restoration = method_called("pixels")(measurement, asked, Context(0, torch.device("cpu")))
    np.testing.assert_allclose(restoration.image[0].numpy(), reference, atol=1e-3)
