"""What stands beside Deep Image Prior: classical methods and trained networks, and the tiles they run in."""

import os
import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from skimage import data

from dip.config import Configuration
from dip.errors import ConfigurationError, ImageError
from dip.measurement import Measurement
from dip.methods import method_called
from dip.methods.base import Situation
from dip.methods.classical import noise_level
from dip.operators.identity import Identity
from dip.tiling import strips, tiled

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

DENOISERS = ("tv-chambolle", "nlm", "wavelet")


def astronaut(side_px: int = 96) -> np.ndarray:
    face = data.astronaut()[80 : 80 + side_px, 180 : 180 + side_px]
    return np.ascontiguousarray(face.transpose(2, 0, 1), dtype=np.float32) / 255


def noisy(image: np.ndarray, sigma: float = 25) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(image.shape, dtype=np.float32)
    return image + noise * np.float32(sigma / 255)


def psnr(image: np.ndarray, reference: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image - reference) ** 2)))


def restored(
    method: str,
    y: np.ndarray,
    observed: np.ndarray | None = None,
    task: str = "denoise",
    weights: object = None,
    scale: int = 2,
) -> np.ndarray:
    """What a method makes of y, (C, H, W)."""
    path = None if weights is None else str(weights)
    configuration = Configuration(task, method=method, weights=path, scale=scale)
    size_px = tuple(side * configuration.scale_factor for side in y.shape[1:])
    measurement = Measurement(y=y, operator=Identity(), size_px=size_px, seen=y, observed=observed)
    situation = Situation(seed=0, device=torch.device("cpu"))
    restoration = method_called(method)(measurement, configuration, situation)
    assert restoration.image.dtype == torch.float32
    assert restoration.iterations is None
    return restoration.image[0].numpy()


def holes(shape: tuple[int, ...], share: float = 0.5) -> np.ndarray:
    """1 = observed; at least the first pixel is."""
    observed = (np.random.default_rng(1).random(shape) >= share).astype(np.float32)
    observed[0, 0] = 1
    return observed


# --- without a restoration


def test_none_is_what_is_seen():
    image = noisy(astronaut())
    np.testing.assert_array_equal(restored("none", image), image)


# --- denoising


@pytest.mark.parametrize(
    ("method", "channels", "gain_db"),
    [
        ("tv-chambolle", 1, 7.5),
        ("tv-chambolle", 3, 7),
        ("nlm", 1, 7.5),
        ("nlm", 3, 8),
        ("wavelet", 1, 6.5),
        ("wavelet", 3, 6.8),  # without YCbCr it gains 6.3 dB
    ],
)
def test_denoisers_gain_decibels(method, channels, gain_db):
    image = astronaut()[:channels]
    y = noisy(image)
    assert psnr(restored(method, y), image) > psnr(y, image) + gain_db


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_noise_level_is_estimated_from_the_noisy_image(sigma):
    assert 255 * noise_level(noisy(astronaut(192), sigma)) == pytest.approx(sigma, rel=0.1)


def test_a_flat_channel_has_no_say_in_the_noise_level():
    y = noisy(astronaut())
    y[2] = 0.5
    assert noise_level(y) == pytest.approx(noise_level(y[:2]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size_px", [(1, 1), (1, 7), (7, 1), (2, 2), (5, 9), (1, 300)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("method", DENOISERS)
def test_denoisers_take_every_size(method, channels, size_px):
    image = np.random.default_rng(0).random((channels, *size_px), dtype=np.float32)
    result = restored(method, image)
    assert result.shape == image.shape
    assert np.isfinite(result).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", DENOISERS)
def test_denoisers_leave_an_image_without_noise_alone(method):
    ramp = np.broadcast_to(np.linspace(0, 1, 32, dtype=np.float32), (3, 32, 32)).copy()
    np.testing.assert_allclose(restored(method, ramp), ramp, atol=1e-6)


# --- inpainting


@pytest.mark.parametrize("channels", [1, 3])
def test_biharmonic_fills_holes_and_keeps_the_rest(channels):
    image = astronaut()[:channels]
    observed = holes(image.shape[1:])
    filled = restored("biharmonic", image * observed, observed, task="inpaint")
    np.testing.assert_allclose(filled * observed, image * observed, atol=1e-6)
    assert psnr(filled, image) > 31


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size_px", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5)])
def test_biharmonic_takes_every_size(size_px):
    image = np.random.default_rng(0).random((3, *size_px), dtype=np.float32)
    observed = holes(size_px)
    filled = restored("biharmonic", image * observed, observed, task="inpaint")
    assert filled.shape == image.shape
    assert np.isfinite(filled).all()


def test_biharmonic_needs_an_observed_pixel():
    with pytest.raises(ImageError, match="observed pixels"):
        restored("biharmonic", np.zeros((3, 8, 8), np.float32), np.zeros((8, 8), np.float32), task="inpaint")


# --- what a method cannot do


@pytest.mark.parametrize(
    ("method", "task"),
    [
        *((method, "inpaint") for method in DENOISERS),
        *((method, "super-resolution") for method in DENOISERS),
        ("biharmonic", "denoise"),
        ("biharmonic", "super-resolution"),
    ],
)
def test_another_task_is_refused(method, task):
    with pytest.raises(ConfigurationError, match=rf"Expected the task .*{method}.*; got {task}"):
        restored(method, astronaut(), task=task)


# --- trained networks


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
        expected = network(torch.from_numpy(y).clamp(0, 1)[None])[0].numpy()
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


def test_noise_beyond_the_range_is_clipped(tmp_path):
    y = np.array([[[-0.5, 0.5, 1.5]]], np.float32)
    weights = scripted(torch.nn.Identity(), tmp_path / "net.pt")
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


def test_no_network_is_refused():
    y = astronaut(8)
    measurement = Measurement(y=y, operator=Identity(), size_px=(8, 8), seen=y)
    configuration = SimpleNamespace(task="denoise", weights=None)
    situation = Situation(seed=0, device=torch.device("cpu"))
    with pytest.raises(ConfigurationError, match="--weights"):
        method_called("trained")(measurement, configuration, situation)


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


@pytest.mark.parametrize("task", ["inpaint", "super-resolution"])
def test_networks_are_not_shown_holes(task, tmp_path):
    weights = scripted(torch.nn.Identity(), tmp_path / "net.pt")
    with pytest.raises(ConfigurationError, match=f"without masks.*; got {task}"):
        restored("trained", astronaut(8), holes((8, 8)), task=task, weights=weights)


# --- tiles

SIZES = [(1, 1), (5, 40), (16, 16), (17, 16), (28, 29), (100, 37)]


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize("scale", [1, 3])
def test_tiles_of_the_identity_give_the_image_back(size_px, scale):
    image = torch.rand(1, 3, *size_px, generator=torch.Generator().manual_seed(0))

    def enlarge(tile: torch.Tensor) -> torch.Tensor:
        return tile.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)

    result = tiled(enlarge, image, tile_px=16, overlap_px=4, scale=scale)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, enlarge(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize("size_px", [(1, 1), (5, 16), (16, 16)])
def test_image_of_one_tile_is_exactly_what_the_function_makes(size_px):
    image = torch.rand(1, 3, *size_px, generator=torch.Generator().manual_seed(0))
    assert torch.equal(tiled(torch.sin, image, tile_px=16, overlap_px=4), image.sin())


@pytest.mark.parametrize("length_px", [1, 15, 16, 17, 28, 29, 1000])
@pytest.mark.parametrize("overlap_px", [1, 4, 15])
@pytest.mark.parametrize("scale", [1, 2])
def test_strips_cover_an_axis_with_weights_that_sum_to_one(length_px, overlap_px, scale):
    parts = strips(length_px, 16, overlap_px, scale)
    total = torch.zeros(length_px * scale)
    for part in parts:
        assert part.source.stop - part.source.start == min(16, length_px)
        assert part.weights.min() > 0
        total[part.target] += part.weights
    torch.testing.assert_close(total, torch.ones(length_px * scale))
    for left, right in pairwise(parts):
        assert left.source.stop - right.source.start >= overlap_px


@pytest.mark.parametrize("scale", [1, 2])
def test_tiles_that_differ_meet_without_a_step(scale):
    """Of a gradient every tile comes back too bright by its own mean: the offset goes over the overlap."""
    gradient = torch.linspace(0, 1, 400).expand(1, 1, 8, 400)

    def offset(tile: torch.Tensor) -> torch.Tensor:
        return (tile + tile.mean()).repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)

    row = tiled(offset, gradient, tile_px=100, overlap_px=40, scale=scale)[0, 0, 0]
    from_tile_to_tile = 60 / 399
    assert row.diff().max() < 1 / 399 + 1.1 * from_tile_to_tile / (40 * scale)


@pytest.mark.parametrize("overlap_px", [0, 16, 20])
def test_overlap_must_be_smaller_than_a_tile(overlap_px):
    with pytest.raises(ValueError, match="Expected an overlap from 1 to 15 pixels"):
        strips(64, 16, overlap_px)
