"""Muon, and the input noise that grows."""

import copy

import pytest
import torch
from torch import nn

from dip.configuration import Configuration, Variation
from dip.methods.presets import PRESETS, settings_for
from dip.optimize.optimizers import OPTIMIZERS, Muon, OrthogonalMomentum
from dip.parameterizations.network_input import Ramp


def network() -> nn.Sequential:
    """A matrix of each proportion, and what is none."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.Conv2d(16, 64, 1), nn.Conv2d(64, 8, 3), nn.Conv2d(8, 2, 1)
    )


def step(optimizer, model) -> None:
    optimizer.zero_grad()
    model(torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(1))).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (32, 32), (8, 4, 3, 3)], ids=str)
def test_step_of_a_matrix_has_equal_singular_values(shape):
    torch.manual_seed(0)
    matrix = nn.Parameter(torch.zeros(shape))
    matrix.grad = torch.randn(shape)
    OrthogonalMomentum([matrix], 1.0).step()
    outputs, inputs = matrix.flatten(1).shape
    lengths = torch.linalg.svdvals(matrix.detach().flatten(1)) / max(1, outputs / inputs) ** 0.5
    assert lengths.min() > 0.6
    assert lengths.max() < 1.3


def test_step_points_against_the_gradient():
    torch.manual_seed(0)
    matrix = nn.Parameter(torch.zeros(16, 48))
    matrix.grad = torch.randn(16, 48)
    OrthogonalMomentum([matrix], 1.0).step()
    assert (matrix * matrix.grad).sum() < 0


def test_every_parameter_is_stepped_by_one_part():
    model = network()
    optimizer = Muon(model.parameters(), 0.02)
    counted = [id(parameter) for group in optimizer.param_groups for parameter in group["params"]]
    assert sorted(counted) == sorted(id(parameter) for parameter in model.parameters())
    before = copy.deepcopy(model.state_dict())
    step(optimizer, model)
    assert not any(torch.equal(before[name], value) for name, value in model.named_parameters())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_goes_on_from_its_saved_moments(name):
    model = network()
    optimizer = OPTIMIZERS[name](model.parameters(), 0.02)
    step(optimizer, model)
    weights, moments = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    step(optimizer, model)
    once = copy.deepcopy(model.state_dict())
    model.load_state_dict(weights)
    optimizer.load_state_dict(moments)
    step(optimizer, model)
    assert all(torch.equal(once[name], value) for name, value in model.state_dict().items())


@pytest.mark.fit
def test_muon_fits_in_fewer_steps_than_adam():
    losses = {}
    for name in OPTIMIZERS:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.LeakyReLU(0.2), nn.Conv2d(16, 8, 3))
        optimizer = OPTIMIZERS[name](model.parameters(), 0.02 if name == "muon" else 0.01)
        z, target = torch.rand(1, 8, 20, 20), torch.rand(1, 8, 16, 16)
        for _ in range(100):
            optimizer.zero_grad()
            loss = (model(z) - target).square().mean()
            loss.backward()
            optimizer.step()
        losses[name] = loss.item()
    assert losses["muon"] < 0.9 * losses["adam"]


def test_ramp_grows_and_stays():
    ramp = Ramp(0.01, 0.1, 500)
    found = [float(ramp.at(torch.tensor(i))) for i in (0, 250, 500, 900)]
    assert found == pytest.approx([0.01, 0.055, 0.1, 0.1])


def test_auto_is_measured_with_the_skip_network_and_gives_way_for_others():
    auto, fast = (settings_for(Configuration("denoise", preset=name)) for name in ("auto", "fast"))
    assert settings_for(Configuration("denoise")) == auto == PRESETS["untrained"]["any"]
    assert auto.schedule.optimizer == "muon"
    with_skip = settings_for(Configuration("denoise", variation=Variation(network="skip", width=8)))
    assert with_skip.schedule == auto.schedule
    with_unet = settings_for(Configuration("denoise", variation=Variation(network="unet")))
    assert (with_unet.schedule, with_unet.input_noise) == (fast.schedule, fast.input_noise)


def test_input_noise_that_is_asked_for_does_not_grow():
    assert settings_for(Configuration("denoise", variation=Variation(input_noise=0.05))).input_noise == 0.05
