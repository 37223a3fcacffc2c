"""g and z."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dip.configuration.registry import NETWORKS
from dip.errors import ConfigurationError
from dip.parameterizations import parameterization_called
from dip.parameterizations.deep_decoder import DeepDecoder
from dip.parameterizations.network_input import canvas_size_px, meshgrid, network_input, uniform_noise
from dip.parameterizations.pixels import FreePixels
from dip.parameterizations.resampling import BilinearUpsampling, NearestUpsampling
from dip.parameterizations.resnet import ResNet
from dip.parameterizations.skip import Skip
from dip.parameterizations.unet import UNet
from tests.conftest import photograph

SIDES_PX = st.integers(1, 130)
NARROW = {
    "skip": Skip(width=8),
    "unet": UNet(width=4),
    "resnet": ResNet(width=8, blocks=2),
    "deep-decoder": DeepDecoder(width=8),
    "pixels": FreePixels(),
}
# The settings of the paper's notebooks that differ from network D, at a fraction of their widths.
VARIANTS = {
    "JPEG artifacts": Skip(3, (2, 4, 4, 8, 8), (0, 0, 0, 4, 4)),
    "text": Skip(32, 8, 8, upsampling="nearest"),
    "vase": Skip(2, 8, 0, upsampling="nearest"),
    "library": Skip(1, (2, 4, 4, 8), 0, 4, "nearest", down_kernel=5, pointwise=False),
    "98 % missing": Skip(32, (2, 4, 4, 8, 8), 0, downsampling="average"),
    "flash": Skip(3, 8, upsampling=("nearest", "nearest", "bilinear", "bilinear", "bilinear")),
    "large kernels": Skip(3, 4, 2, 1, down_kernel=7, up_kernel=9),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def drawn(shape, size_px, channels=3, precision=torch.float32):
    """The first output of a fresh network."""
    canvas = shape.canvas_px(*size_px)
    network = shape.network(channels, canvas).to(memory_format=torch.channels_last)
    z = torch.rand(1, *shape.input_shape(canvas)).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=precision, enabled=precision is not torch.float32):
        return network(z)


def parameters_of(network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_every_registered_network_is_tested():
    assert NARROW.keys() == NETWORKS.keys()
    assert all(type(NARROW[name]) is parameterization_called(name) for name in NETWORKS)


@pytest.mark.parametrize(
    ("name", "channels", "parameters"),
    [
        ("skip", 3, 2_217_831),
        ("skip", 1, 2_217_573),
        ("deep-decoder", 3, 100_224),
        ("pixels", 3, 3 * 64 * 64),
    ],
)
def test_networks_have_the_stated_number_of_parameters(name, channels, parameters):
    assert parameters_of(parameterization_called(name)().network(channels, (64, 64))) == parameters


@pytest.mark.parametrize("name", NETWORKS)
@given(height_px=SIDES_PX, width_px=SIDES_PX)
def test_canvas_holds_the_image_and_is_a_canvas_of_its_own_size(name, height_px, width_px):
    shape = parameterization_called(name)()
    canvas = shape.canvas_px(height_px, width_px)
    assert canvas[0] >= height_px
    assert canvas[1] >= width_px
    assert shape.canvas_px(*canvas) == canvas


@pytest.mark.parametrize(
    ("size_px", "canvas"),
    [((1, 1), (64, 64)), ((64, 64), (64, 64)), ((7, 1000), (64, 1024)), ((65, 96), (96, 96))],
)
def test_canvas_is_the_smallest_the_network_can_halve(size_px, canvas):
    assert canvas_size_px(*size_px, scales=5) == canvas
    assert Skip().canvas_px(*size_px) == canvas


def test_canvas_leaves_a_large_kernel_enough_pixels_to_reflect():
    assert Skip(scales=6, down_kernel=5).canvas_px(1, 448) == (192, 448)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("size_px", [(1, 1), (1, 130), (33, 2), (77, 51)], ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_network_draws_images_of_any_size_and_color_in_float32(name, size_px, precision):
    shape = NARROW[name]
    for channels in (1, 3):
        image = drawn(shape, size_px, channels, precision)
        assert image.shape == (1, channels, *shape.canvas_px(*size_px))
        assert image.dtype == torch.float32
        assert 0 <= image.min() <= image.max() <= 1


@pytest.mark.parametrize("name", NETWORKS)
def test_head_stays_in_float32_under_a_bfloat16_body(name):
    image = drawn(NARROW[name], (64, 64), 1, torch.bfloat16)
    assert (image != image.bfloat16()).float().mean() > 0.9


@pytest.mark.parametrize(("dropout", "is_same"), [(0.0, True), (0.1, False)])
def test_dropout_makes_each_output_another_one(dropout, is_same):
    network = replace(NARROW["skip"], dropout=dropout).network(3, (64, 64))
    z = torch.rand(1, NARROW["skip"].input_channels, 64, 64)
    assert torch.equal(network(z), network(z)) is is_same


@pytest.mark.parametrize("variant", VARIANTS)
def test_skip_network_takes_the_shapes_of_all_published_tasks(variant):
    assert drawn(VARIANTS[variant], (70, 30)).shape == (1, 3, *VARIANTS[variant].canvas_px(70, 30))


def test_one_value_stands_for_all_scales():
    assert (
        Skip(width=8, scales=2).each_scale()
        == Skip(width=(8, 8), skip_channels=(4, 4), scales=2, upsampling=("bilinear",) * 2).each_scale()
    )


def test_each_scale_has_its_own_width_skip_and_upsampling():
    network = Skip(1, (2, 3), (0, 5), 2, ("nearest", "bilinear")).network(1, (8, 8))
    finest = network.body
    coarsest = finest.deeper[2]
    assert finest.skip is None
    assert isinstance(finest.deeper[-1], NearestUpsampling)
    assert isinstance(coarsest.deeper[-1], BilinearUpsampling)
    assert [outputs_of(part.deeper[0]) for part in (finest, coarsest)] == [2, 3]
    assert outputs_of(coarsest.skip) == 5


def outputs_of(layers) -> int:
    """Channels of the first convolution in them."""
    return next(layer for layer in layers.modules() if isinstance(layer, torch.nn.Conv2d)).out_channels


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": (8, 8)},
        {"skip_channels": (4,) * 6},
        {"upsampling": ("bilinear",) * 4},
        {"upsampling": "bicubic"},
        {"downsampling": "maximum"},
        {"down_kernel": 4},
        {"up_kernel": 0},
        {"scales": 0},
    ],
    ids=str,
)
def test_impossible_shape_of_a_skip_network_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=r"^Expected .*; got .*\.$"):
        Skip(**wrong)


@pytest.mark.parametrize("shape", [UNet, DeepDecoder])
def test_unknown_upsampling_is_refused(shape):
    with pytest.raises(ConfigurationError, match="Expected an upsampling of bilinear or nearest; got cubic"):
        shape(upsampling="cubic")


@pytest.mark.parametrize("name", NETWORKS)
def test_same_seed_gives_the_same_weights(name):
    networks = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        networks.append(torch.cat([p.flatten() for p in NARROW[name].network(1, (64, 64)).parameters()]))
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])


@pytest.mark.fit
@pytest.mark.parametrize("name", NETWORKS)
def test_network_can_fit_a_small_image(name):
    torch.manual_seed(0)
    target = torch.from_numpy(np.array(photograph("chelsea", 32))).movedim(-1, 0)[None] / 255
    shape = NARROW[name]
    canvas = shape.canvas_px(32, 32)
    z = uniform_noise(shape.input_shape(canvas)[0], shape.input_shape(canvas)[1:], torch.default_generator)
    network = shape.network(3, canvas)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    losses = []
    for _ in range(60):
        loss = (network(z)[..., :32, :32] - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_pixels_start_dark_and_may_leave_the_range_of_images():
    network = FreePixels().network(1, (1, 9))
    assert network(torch.zeros(1, 1, 1, 1)).max() <= 0.1
    with torch.no_grad():
        network.image += 2
    (gradient,) = torch.autograd.grad(network(torch.zeros(1, 1, 1, 1)).sum(), network.parameters())
    assert torch.equal(gradient, torch.ones(1, 1, 1, 9))


def test_new_network_is_one_file_and_one_line_of_the_table(tmp_path, monkeypatch):
    (tmp_path / "flat_color.py").write_text(
        "from dataclasses import dataclass\n"
        "from torch import nn\n"
        "@dataclass(frozen=True)\n"
        "class FlatColor:\n"
        "    def canvas_px(self, height_px, width_px): return height_px, width_px\n"
        "    def input_shape(self, canvas_px): return 1, *canvas_px\n"
        "    def network(self, output_channels, canvas_px): return nn.Conv2d(1, output_channels, 1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(NETWORKS, "mine", "flat_color:FlatColor")
    assert drawn(parameterization_called("mine")(), (3, 5)).shape == (1, 3, 3, 5)


def test_noise_is_uniform_below_a_tenth_and_follows_its_generator():
    first, second = (network_input("noise", (32, 64, 64), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, second)
    assert 0 <= first.min() < 0.001
    assert 0.099 < first.max() <= 0.1
    assert abs(first.mean() - 0.05) < 0.001


def test_meshgrid_holds_x_and_y_from_nought_to_one():
    x, y = network_input("meshgrid", (2, 3, 5), torch.Generator())[0]
    assert torch.equal(x, torch.tensor([[0, 0.25, 0.5, 0.75, 1]] * 3))
    assert torch.equal(y, torch.tensor([[0.0] * 5, [0.5] * 5, [1.0] * 5]))
    assert meshgrid((1, 1)).tolist() == [[[[0]], [[0]]]]


@pytest.mark.parametrize(("kind", "channels"), [("meshgrid", 32), ("guide", 2), ("guide", 3), ("fourier", 2)])
def test_impossible_network_input_is_refused(kind, channels):
    with pytest.raises(ConfigurationError, match=r"^Expected .*; got .*\.$"):
        network_input(kind, (channels, 8, 8), torch.Generator())
