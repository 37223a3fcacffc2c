"""What can be asked for, and what it comes to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from dip.configuration import Configuration, Degradation, Variation, vocabulary
from dip.configuration.registry import NETWORKS, OPERATORS
from dip.errors import ConfigurationError
from dip.methods.canonical import canonical_dictionary, config_hash
from dip.methods.presets import PRESETS, settings_for
from dip.objective import DATA_TERMS, Objective
from dip.operators.downsampling import KERNELS
from dip.operators.simulation import _SHAPES
from dip.optimize.loop import Schedule
from dip.optimize.settings import Settings
from dip.optimize.stopping import HeldOutRule, VarianceRule
from dip.parameterizations.layers import UPSAMPLINGS
from dip.parameterizations.network_input import Ramp
from dip.parameterizations.pixels import FreePixels
from dip.parameterizations.skip import Skip
from dip.parameterizations.unet import UNet


def engine(**options):
    return settings_for(Configuration("denoise", **options))


def test_protocols_are_told_apart():
    asked = [
        Configuration("denoise", protocol=name, degradation=Degradation(sigma=25))
        for name in (None, "denoise-rgb-clipped")
    ] + [
        Configuration("super-resolution", kernel=kernel, protocol=name, degradation=Degradation())
        for kernel, name in ((None, None), ("lanczos2", None), (None, "dip-paper"), ("box", "dip-paper"))
    ]
    assert [configuration.protocol_name for configuration in asked] == [
        "denoise-rgb",
        "denoise-rgb-clipped",
        "sr-y-shave",
        "sr-y-shave-lanczos2",
        "dip-paper",
        "dip-paper-box",
    ]
    with pytest.raises(ConfigurationError, match="a protocol of the task inpaint, of inpaint-pasted"):
        Configuration("inpaint", protocol="sr-y-shave")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"stop": "noise-level"}, "noise level"),
        ({"noise_level": 5.0}, "noise level"),
        ({"tv": -1.0}, "total variation"),
        ({"tv": float("nan")}, "total variation"),
        ({"width": 0}, "a width from 1"),
        ({"depth": 9}, "a depth from 1"),
        ({"learning_rate": 0.0}, "a learning rate above 0"),
        ({"network": "vgg"}, "a network of skip"),
        ({"data_term": "l3"}, "a data term of squared"),
    ],
)
def test_variation_that_makes_no_sense_is_refused(options, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        Variation(**options)


def test_what_a_network_lacks_cannot_be_varied():
    with pytest.raises(
        ConfigurationError, match="what the network ResNet has: width, depth, input_channels; got upsampling"
    ):
        _ = engine(variation=Variation(network="resnet", upsampling="nearest"))
    with pytest.raises(ConfigurationError, match="preset paper-jpeg with the task denoise; got inpaint"):
        _ = settings_for(Configuration("inpaint", preset="paper-jpeg"))


def test_variation_reaches_the_settings():
    varied = engine(variation=Variation(network="unet", width=8, depth=2, tv=0.1, data_term="huber"))
    assert (varied.parameterization.width, varied.parameterization.scales) == (8, 2)
    assert varied.objective == Objective("huber", 0.1)
    assert engine(variation=Variation(network="resnet", depth=3)).parameterization.blocks == 3
    assert engine(max_iterations=10).schedule.iterations == 10
    assert engine(max_iterations=10**6).schedule.iterations == 10**6
    eight = settings_for(Configuration("super-resolution", preset="paper", scale=8))
    assert (eight.input_noise, eight.schedule.iterations) == (0.05, 4000)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"task": "super-resolution", "protocol": "dip-paper", "scale": 3}, "divides 32"),
        ({"task": "inpaint", "method": "wavelet"}, "method wavelet with the task denoise"),
        (
            {"task": "denoise", "method": "none", "variation": Variation(input_noise=0.1), "tile_px": 256},
            "nothing to vary .* got --input-noise=0.1, --tile=256",
        ),
        ({"task": "denoise", "method": "nlm", "preset": "paper"}, "no preset for the method nlm"),
        ({"task": "denoise", "method": "pixels", "preset": "fast"}, "no preset for the method pixels"),
        ({"task": "denoise", "method": "pixels", "variation": Variation(stop="held-out")}, "no pixels out"),
        ({"task": "super-resolution", "method": "none", "kernel": "box"}, "no downsampling kernel"),
        ({"task": "inpaint+denoise", "protocol": "inpaint"}, "no protocol for the task"),
        (
            {"task": "denoise", "method": "pixels", "variation": Variation(network="unet", input_channels=3)},
            "nothing of a network .* got --network, --input-channels",
        ),
        ({"task": "denoise", "variation": Variation(network="pixels")}, "a method of their own"),
        ({"task": "denoise", "kernel": "box"}, "with a super-resolution"),
        ({"task": "denoise", "restarts": 0}, "at least one start"),
    ],
)
def test_what_would_be_ignored_is_refused(options, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        Configuration(**options)


def test_network_without_channels_for_coordinates_cannot_have_them():
    with pytest.raises(ConfigurationError, match="2 input channels, for the network input meshgrid"):
        _ = settings_for(Configuration("inpaint", preset="paper-hole", variation=Variation(network="unet")))


def test_noise_of_the_paper_grows_with_the_image_noise():
    paper = engine(preset="paper")
    levels = [paper.for_noise(sigma).input_noise for sigma in (None, 25, 34, 36, 50, 75)]
    assert levels == [1 / 30] * 3 + [1 / 20] * 3


@pytest.mark.parametrize("sigma", [None, 50])
def test_denoising_is_hindered_more_the_fewer_pixels_there_are(sigma):
    large = engine().for_noise(sigma)
    small, middling = (large.for_size(size_px) for size_px in ((96, 96), (256, 256)))
    assert small.input_noise.last > middling.input_noise.last > large.input_noise
    assert small.parameterization.dropout > middling.parameterization.dropout > 0
    borders = {(160, 159): small, (160, 160): middling, (384, 383): middling, (384, 384): large}
    for size_px, settings in (borders | {(100, 2000): large}).items():
        assert large.for_size(size_px) == settings


def test_denoising_is_hindered_more_the_more_noise_there_is():
    for size_px in ((96, 96), (256, 256)):
        less, more = (engine().for_noise(sigma).for_size(size_px).input_noise for sigma in (34, 36))
        assert (more.first, more.last) > (less.first, less.last)
    assert engine().for_noise(None) == engine()


def test_large_images_without_much_noise_have_the_wider_network():
    asked = product(((256, 256), (512, 512)), (25, 50))
    widths = [engine().for_noise(sigma).for_size(size_px).parameterization.width for size_px, sigma in asked]
    assert widths == [32, 32, 48, 32]


def test_what_is_asked_for_holds_at_every_size_and_noise():
    asked = engine(variation=Variation(input_noise=0.01, dropout=0.3), max_iterations=7)
    for size_px, sigma in product(((20, 20), (200, 200), (2000, 2000)), (10, 50)):
        settings = asked.for_noise(sigma).for_size(size_px)
        assert (settings.input_noise, settings.schedule.iterations) == (0.01, 7)
        assert settings.parameterization.dropout == 0.3


def test_hash_changes_with_all_that_decides_the_result():
    base = Configuration("denoise")
    others = [
        replace(base, method="pixels"),
        replace(base, variation=Variation(stop="fixed")),
        replace(base, variation=Variation(tv=0.1)),
        replace(base, restarts=2),
        replace(base, seed=1),
    ]
    hashes = {config_hash(configuration) for configuration in (base, *others)}
    assert len(hashes) == 1 + len(others)


@contextmanager
def renamed_and_moved(*classes: type) -> Iterator[None]:
    """Classes under another name, of another module."""
    known = [(each.__qualname__, each.__module__) for each in classes]
    try:
        for each in classes:
            each.__qualname__, each.__module__ = "Renamed", "moved"
        yield
    finally:
        for each, (name, module) in zip(classes, known, strict=True):
            each.__qualname__, each.__module__ = name, module


def test_renamed_classes_and_moved_modules_change_no_hash():
    asked = [
        Configuration("denoise", degradation=Degradation(sigma=25)),
        Configuration("inpaint", preset="paper", variation=Variation(network="unet", tv=0.1)),
        Configuration("super-resolution", method="pixels"),
    ]
    before = [config_hash(configuration) for configuration in asked]
    written = repr(settings_for(asked[0]))
    of_settings = (Settings, Schedule, Objective, Ramp, HeldOutRule, VarianceRule, Skip, UNet, FreePixels)
    with renamed_and_moved(Configuration, Variation, Degradation, *of_settings):
        assert repr(settings_for(asked[0])) != written
        assert [config_hash(configuration) for configuration in asked] == before


def test_a_whole_number_has_the_hash_of_the_same_fraction():
    whole, fraction = (Configuration("denoise", degradation=Degradation(sigma=sigma)) for sigma in (25, 25.0))
    assert config_hash(whole) == config_hash(fraction)


def test_options_that_are_not_asked_for_are_in_no_hash():
    content = json.dumps(canonical_dictionary(Configuration("denoise", preset="untrained")))
    assert '"width": 48' in content
    assert "max_iterations" not in content
    assert "null" not in content


@pytest.mark.parametrize(
    ("words", "table"),
    [
        (vocabulary.Preset, {"auto", "educated", *PRESETS}),
        (vocabulary.KernelName, KERNELS),
        (vocabulary.Upsampling, UPSAMPLINGS),
        (vocabulary.DataTerm, DATA_TERMS),
        (vocabulary.MaskShape, _SHAPES),
        (vocabulary.Task, OPERATORS),
        (vocabulary.NetworkName, NETWORKS.keys() - {"pixels"}),  # these are offered as a method
    ],
)
def test_words_are_the_names_that_the_engine_has_something_for(words, table):
    assert set(get_args(words)) == set(table)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_settings_for_a_task_it_names(preset):
    task = next(iter(PRESETS[preset]))
    configuration = Configuration("denoise" if task == "any" else task, preset=preset)
    assert settings_for(configuration) == PRESETS[preset][task]
