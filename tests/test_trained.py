"""Trained networks, from TorchScript and ONNX files."""

import os
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from dip.configuration import Configuration, Degradation
from dip.errors import ConfigurationError
from dip.methods import method_called
from dip.methods.base import Context
from dip.methods.canonical import config_hash
from tests.handmade import astronaut, measurement_of, noisy, restored

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def scripted(network: torch.nn.Module, path) -> object:
    torch.jit.script(network).save(path)
    return path


def convolution(channels: int) -> torch.nn.Conv2d:
    torch.manual_seed(0)
    return torch.nn.Conv2d(channels, channels, 3, padding=1)


def onnx_file(path, channels: int | str = "C", factor: float = 0.5) -> object:
    """A network that multiplies an image."""
    shape = ["N", channels, "H", "W"]
    node = helper.make_node("Mul", ["noisy", "factor"], ["clean"])
    graph = helper.make_graph(
        [node],
        "multiply",
        [helper.make_tensor_value_info("noisy", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("clean", TensorProto.FLOAT, shape)],
        [helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


class TakesThree(torch.nn.Module):
    """Brightens red, keeps green, darkens blue; refuses grey, as most networks do."""

    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 3, 1, bias=False)
        self.convolution.weight.data = torch.diag(torch.tensor([1.5, 1.0, 0.2]))[:, :, None, None]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.convolution(image)


class Broadcasts(torch.nn.Module):
    """Makes three channels of one."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * torch.tensor([1.5, 1.0, 0.2])[None, :, None, None]


class ReturnsTwo(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return image, image


class LooksLikeDropout(torch.nn.Module):
    """Not the same in training as afterwards."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.dropout(image, 0.5, self.training)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_one_tile_is_what_the_network_makes_of_it(channels, tmp_path):
    network = convolution(channels)
    y = noisy(astronaut(40)[:channels])
    with torch.no_grad():
        expected = network(torch.from_numpy(y)[None])[0].numpy()
    result = restored("trained", y, weights=scripted(network, tmp_path / "net.pt"))
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".pt", ".PTH", ".ts", ".torchscript"])
def test_traced_networks_are_read_under_every_name(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    torch.jit.trace(TakesThree(), torch.zeros(1, 3, 8, 8)).save(path)
    image = astronaut(16)
    assert restored("trained", image, weights=path)[0] == pytest.approx(1.5 * image[0], abs=1e-6)


def test_tiles_of_a_large_image_meet_without_a_seam(tmp_path):
    image = np.random.default_rng(0).random((3, 300, 520), dtype=np.float32)
    result = restored("trained", image, weights=scripted(TakesThree(), tmp_path / "net.pt"))
    expected = image * np.array([1.5, 1, 0.2], np.float32)[:, None, None]
    np.testing.assert_allclose(result, expected, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3])
def test_super_resolution_network_enlarges(scale, tmp_path):
    path = scripted(torch.nn.Upsample(scale_factor=float(scale)), tmp_path / "net.pt")
    image = astronaut(20)
    result = restored("trained", image, task="super-resolution", weights=path, scale=scale)
    np.testing.assert_allclose(result, image.repeat(scale, axis=1).repeat(scale, axis=2), atol=1e-6)


@pytest.mark.parametrize("network", [TakesThree(), Broadcasts()], ids=lambda network: type(network).__name__)
def test_grey_image_is_the_mean_of_a_colour_network(network, tmp_path):
    image = astronaut(16)[:1]
    result = restored("trained", image, weights=scripted(network, tmp_path / "net.pt"))
    np.testing.assert_allclose(result, 0.9 * image, atol=1e-6)


@pytest.mark.parametrize("size_px", [(1, 1), (1, 7)])
def test_trained_network_takes_every_size(size_px, tmp_path):
    image = np.random.default_rng(0).random((3, *size_px), dtype=np.float32)
    weights = scripted(convolution(3), tmp_path / "net.pt")
    assert restored("trained", image, weights=weights).shape == image.shape


def test_network_runs_as_after_its_training(tmp_path):
    image = astronaut(16)
    weights = scripted(LooksLikeDropout().train(), tmp_path / "net.pt")
    np.testing.assert_array_equal(restored("trained", image, weights=weights), image)


class Halves(torch.nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image / 2 + 0.25


def test_network_is_given_noise_beyond_the_range(tmp_path):
    y = np.array([[[-0.5, 0.5, 1.5]]], np.float32)
    weights = scripted(Halves(), tmp_path / "net.pt")
    assert restored("trained", y, weights=weights).flatten().tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("channels", [1, 3])
def test_onnx_network_runs(channels, tmp_path):
    image = astronaut(20)[:channels]
    result = restored("trained", image, weights=onnx_file(tmp_path / "net.onnx"))
    np.testing.assert_allclose(result, image / 2, atol=1e-6)


def test_grey_image_is_given_to_an_onnx_network_for_colour(tmp_path):
    image = astronaut(16)[:1]
    result = restored("trained", image, weights=onnx_file(tmp_path / "net.onnx", channels=3))
    np.testing.assert_allclose(result, image / 2, atol=1e-6)


def test_newer_file_of_the_same_name_is_another_network(tmp_path):
    path = tmp_path / "net.onnx"
    image = astronaut(8)
    for i, factor in enumerate((0.25, 0.75)):
        onnx_file(path, factor=factor)
        os.utime(path, ns=(i, i))
        np.testing.assert_allclose(restored("trained", image, weights=path), factor * image, atol=1e-6)


def test_network_is_loaded_once(tmp_path, monkeypatch):
    loaded, load = [], torch.jit.load
    monkeypatch.setattr(
        torch.jit, "load", lambda path, **options: loaded.append(path) or load(path, **options)
    )
    path = scripted(convolution(3), tmp_path / "net.pt")
    for _ in range(3):
        restored("trained", astronaut(8), weights=path)
    assert loaded == [path]


def test_onnx_without_its_runtime_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigurationError, match=r"dip-restoration\[onnx\]"):
        restored("trained", astronaut(8), weights=onnx_file(tmp_path / "net.onnx"))


def test_method_and_network_belong_together():
    for options in ({"method": "trained"}, {"weights": "net.pt"}):
        with pytest.raises(ConfigurationError, match="--weights"):
            Configuration("denoise", **options)


def test_network_that_has_changed_since_the_run_began_is_refused(tmp_path):
    path = scripted(convolution(3), tmp_path / "net.pt")
    y = astronaut(8)
    asked = Configuration("denoise", method="trained", weights=str(path), weights_sha256="0" * 64)
    with pytest.raises(ConfigurationError, match="the network the run began with"):
        method_called("trained")(measurement_of(y), asked, Context(seed=0, device=torch.device("cpu")))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"there is none"):
        restored("trained", astronaut(8), weights=tmp_path / "net.pt")


def test_unknown_format_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"TorchScript .* or ONNX .*; got .*net\.safetensors"):
        restored("trained", astronaut(8), weights=tmp_path / "net.safetensors")


@pytest.mark.parametrize("name", ["net.pt", "net.onnx"])
@pytest.mark.parametrize("content", [b"", b"no network at all"])
def test_file_without_a_network_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"Expected a network in .*{name}, which holds none"):
        restored("trained", astronaut(8), weights=tmp_path / name)


def test_weights_alone_are_refused(tmp_path):
    torch.save(convolution(3).state_dict(), tmp_path / "net.pth")
    with pytest.raises(ConfigurationError, match=r"weights alone \(a state_dict\) are no network"):
        restored("trained", astronaut(8), weights=tmp_path / "net.pth")


@pytest.mark.parametrize(
    ("network", "task", "message"),
    [
        (torch.nn.Upsample(scale_factor=2.0), "denoise", "makes 1×3×8×8 of 1×3×8×8; got 1×3×16×16"),
        (convolution(3), "super-resolution", "makes 1×3×16×16 of 1×3×8×8; got 1×3×8×8"),
        (torch.nn.Conv2d(3, 1, 1), "denoise", "got 1×1×8×8"),
        (convolution(4), "denoise", "takes 1×3×8×8; it refused: .*4 channels, but got 3"),
        (ReturnsTwo(), "denoise", "one tensor .*; got tuple"),
        (torch.nn.Flatten(), "denoise", "one tensor .*; got 1×192"),
    ],
)
def test_network_for_something_else_is_refused(network, task, message, tmp_path):
    with pytest.raises(ConfigurationError, match=message):
        restored("trained", astronaut(8), task=task, weights=scripted(network, tmp_path / "net.pt"))


def test_progress_is_told_tile_by_tile(tmp_path):
    weights = scripted(torch.nn.Identity(), tmp_path / "net.pt")
    shares: list[float] = []
    context = Context(0, torch.device("cpu"), progress=shares.append)
    configuration = Configuration("denoise", method="trained", weights=str(weights))
    y = np.zeros((1, 300, 500), np.float32)
    method_called("trained")(measurement_of(y), configuration, context)
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])


def test_hash_follows_the_network_and_not_its_place():
    first, other = (
        Configuration("denoise", method="trained", weights=place, weights_sha256="00ff")
        for place in ("a/net.pt", "b/net.pt")
    )
    assert config_hash(first) == config_hash(other)
    assert "weights" not in first.as_dictionary()
    assert config_hash(replace(first, weights_sha256="ff00")) != config_hash(first)


def test_networks_are_not_shown_holes():
    with pytest.raises(ConfigurationError, match="method trained with the task denoise or super-resolution"):
        Configuration("inpaint", method="trained", weights="net.pt")
    with pytest.raises(ConfigurationError, match="without holes for the method trained"):
        Configuration(
            "super-resolution", method="trained", weights="net.pt", degradation=Degradation(missing=0.5)
        )
