"""g and z."""

import pytest
import torch

from dip.parameterizations.network_input import canvas_size_px, uniform_noise
from dip.parameterizations.skip import SkipArchitecture, SkipNetwork
from dip.presets import PRESETS, settings_for


def test_network_d_has_the_published_number_of_parameters():
    network = SkipNetwork(PRESETS["paper"]["denoise"].architecture, output_channels=3)
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_217_831


@pytest.mark.parametrize("channels", [1, 3])
def test_network_draws_an_image_of_its_canvas(channels):
    network = SkipNetwork(SkipArchitecture(width=8), channels)
    image = network(torch.rand(1, 32, 64, 96))
    assert image.shape == (1, channels, 64, 96)
    assert image.dtype == torch.float32
    assert 0 <= image.min() <= image.max() <= 1


def test_head_stays_in_float32_under_a_bfloat16_body():
    network = SkipNetwork(SkipArchitecture(width=8), 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = network(torch.rand(1, 32, 64, 64))
    assert image.dtype == torch.float32
    assert len(image.unique()) > 1000  # bfloat16 has some 130 values in the upper half of [0, 1]


@pytest.mark.parametrize(
    ("size_px", "canvas"),
    [((1, 1), (64, 64)), ((64, 64), (64, 64)), ((7, 1000), (64, 1024)), ((65, 96), (96, 96))],
)
def test_canvas_is_the_smallest_the_network_can_halve(size_px, canvas):
    assert canvas_size_px(*size_px, scales=5) == canvas


def test_network_input_is_uniform_below_a_tenth_and_follows_its_generator():
    first, second = (uniform_noise(32, (64, 64), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)
    assert 0 <= first.min() < 0.001
    assert 0.099 < first.max() <= 0.1
    assert abs(first.mean() - 0.05) < 0.001


def test_iterations_are_capped_and_never_raised():
    assert settings_for("paper", "denoise", 10).schedule.iterations == 10
    assert settings_for("paper", "denoise", 10**6).schedule.iterations == 3000
