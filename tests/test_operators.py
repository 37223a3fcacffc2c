"""A: adjoints by dot product, downsampling against independent implementations."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from dip.operators import Downsampling, ForwardOperator, Identity, Mask
from dip.operators.downsampling import KERNELS

CASES = [
    Identity(),
    Mask((torch.rand(1, 1, 24, 48, generator=torch.Generator().manual_seed(0)) > 0.5).float()),
    *(Downsampling.by(factor, kernel, 24, 48) for factor in (2, 3, 4, 8) for kernel in KERNELS),
]


@pytest.mark.parametrize("operator", CASES, ids=repr)
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


@pytest.mark.parametrize("kernel", KERNELS)
def test_downsampling_keeps_a_flat_image_flat(kernel):
    operator = Downsampling.by(4, kernel, 32, 64)
    torch.testing.assert_close(operator(torch.full((1, 1, 32, 64), 0.3)), torch.full((1, 1, 8, 16), 0.3))


def test_lanczos2_has_the_weights_of_its_formula():
    weights = KERNELS["lanczos2"].weight(np.array([0, 0.5, 1, 1.5, 2, 2.5]))
    at_half, at_three_halves = 0.573159, -0.063684
    np.testing.assert_allclose(weights, [1, at_half, 0, at_three_halves, 0, 0], atol=1e-6)


def test_mask_keeps_observed_pixels_alone():
    observed = torch.tensor([[1.0, 0.0]])[None, None]
    assert Mask(observed)(torch.tensor([[0.4, 0.7]])[None, None]).flatten().tolist() == pytest.approx(
        [0.4, 0]
    )
