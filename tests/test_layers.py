"""The layers of our own: torch's values and gradients, sooner."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dip.parameterizations import convolution
from dip.parameterizations.dropout import Dropout
from dip.parameterizations.layers import UPSAMPLINGS, upsampling
from dip.parameterizations.resampling import BilinearUpsampling, NearestUpsampling, ReflectionPadding

OURS_AND_TORCHS = {
    "upsampling": (BilinearUpsampling(), partial(F.interpolate, scale_factor=2.0, mode="bilinear")),
    "nearest": (NearestUpsampling(), partial(F.interpolate, scale_factor=2.0, mode="nearest")),
}
OURS_AND_TORCHS |= {
    f"padding {n}": (ReflectionPadding(n), partial(F.pad, pad=(n,) * 4, mode="reflect")) for n in range(1, 5)
}


@pytest.mark.parametrize("layer", OURS_AND_TORCHS)
@settings(deadline=None, max_examples=50)  # the first convolution of a shape is compiled
@given(
    batch=st.integers(1, 2),
    channels=st.integers(1, 5),
    height_px=st.integers(1, 9),
    width_px=st.integers(1, 9),
)
def test_resampling_is_torchs_with_the_same_gradient(layer, batch, channels, height_px, width_px):
    ours, torchs = OURS_AND_TORCHS[layer]
    least_px = getattr(ours, "width_px", 0)
    size_px = (height_px + least_px, width_px + least_px)
    features = torch.rand(batch, channels, *size_px, dtype=torch.float64, requires_grad=True)
    expected = torchs(features)
    assert torch.equal(ours(features), expected)
    weights = torch.rand_like(expected)
    gradients = [torch.autograd.grad(layer(features), features, weights)[0] for layer in (ours, torchs)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("mode", UPSAMPLINGS)
def test_upsampling_is_kept_from_autocast(mode, monkeypatch):
    """Which on a GPU has float32 for it, so that half of a bfloat16 network would be float32."""
    interpolate, found = F.interpolate, []

    def noting(*arguments, **options):
        found.append(torch.is_autocast_enabled("cpu"))
        return interpolate(*arguments, **options)

    monkeypatch.setattr(F, "interpolate", noting)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        enlarged = upsampling(mode)(torch.rand(1, 2, 3, 3, dtype=torch.bfloat16))
    assert (found, enlarged.dtype) == ([False], torch.bfloat16)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("share", "left_out"), [(0.0, 0.0), (0.1, 26 / 256), (0.999, 255 / 256)])
def test_dropout_leaves_out_its_share_and_nothing_else(share, left_out, precision):
    features = torch.rand(2, 7, 101, 103).add(1).to(precision)
    found = Dropout(share)(features)
    kept = found != 0
    assert found.dtype is precision
    assert torch.equal(found[kept], features[kept])
    assert 1 - kept.float().mean() == pytest.approx(left_out, abs=0.005)
    assert kept.float().mean((0, 2, 3)).std() < 0.01  # of each channel alike


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1)])
@pytest.mark.parametrize("needs_gradient", [True, False])
def test_convolution_is_torchs_with_the_same_gradients(kernel, stride, needs_gradient, monkeypatch):
    layer = convolution.Convolution(6, 9, kernel, stride)
    features = torch.rand(2, 6, 21, 33).contiguous(memory_format=torch.channels_last)
    features.requires_grad_(needs_gradient)
    wanted = [*([features] if needs_gradient else []), *layer.parameters()]
    found = []
    for is_slow in (True, False):
        monkeypatch.setattr(convolution, "HAS_SLOW_WEIGHT_GRADIENT", is_slow)
        output = layer(features)
        found.append([output, *torch.autograd.grad(output.square().sum(), wanted)])
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-4)
