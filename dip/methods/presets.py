"""Named settings per task as data: measured best, what the paper uses, and the variations of both."""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, TypeVar

import torch

from dip.configuration import Configuration, Variation
from dip.configuration.registry import METHODS
from dip.errors import ConfigurationError
from dip.objective import Objective
from dip.optimize.adaptation import Adaptation
from dip.optimize.loop import Schedule
from dip.optimize.settings import Settings
from dip.optimize.stopping import FixedRule, HeldOutRule, NoiseLevelRule, StopRule, VarianceRule
from dip.parameterizations import parameterization_called
from dip.parameterizations.base import Parameterization
from dip.parameterizations.network_input import Ramp
from dip.parameterizations.pixels import FreePixels
from dip.parameterizations.skip import Skip

T = TypeVar("T")

ANY_TASK = "any"
"""Denoising, and every task without settings of its own: the network is fitted to what is there."""

EMV = VarianceRule()
HELD_OUT = HeldOutRule()
HELD_OUT_SOON = HeldOutRule(patience=200)
HELD_OUT_SOONER = HeldOutRule(patience=150)
D = Skip()
D_NEAREST = replace(D, skip_channels=128, upsampling="nearest")
NARROW = replace(D, width=32)
MIDDLING = replace(D, width=48)
JPEG = replace(D, input_channels=3, width=(8, 16, 32, 64, 128), skip_channels=(0, 0, 0, 4, 4))
HOLE = replace(D, input_channels=2, skip_channels=0, upsampling="nearest")
LIBRARY = Skip(
    input_channels=1,
    width=(16, 32, 64, 128, 128, 128),
    skip_channels=0,
    scales=6,
    upsampling="nearest",
    down_kernel=5,
    pointwise=False,
)
FLASH = replace(D, input_channels=3, upsampling=("nearest",) * 2 + ("bilinear",) * 3)
SPARSE = replace(D, width=(16, 32, 64, 128, 128), skip_channels=0, downsampling="average")


def _with_muon(
    network: Skip, input_noise: float | Ramp, iterations: int, rule: StopRule = HELD_OUT_SOON
) -> Settings:
    schedule = Schedule(0.02, iterations, rule, optimizer="muon")
    return Settings(network, input_noise, schedule, torch.bfloat16)


NOISY_SMALL = _with_muon(replace(NARROW, dropout=0.1), Ramp(0.03, 0.1, 200), 1200)
NOISY_MIDDLING = replace(
    _with_muon(replace(NARROW, dropout=0.05), Ramp(0.03, 0.06, 200), 1200),
    least_area_px=160**2,
    smaller=NOISY_SMALL,
)
NOISY_LARGE = replace(NOISY_MIDDLING, input_noise=0.03, least_area_px=384**2, smaller=NOISY_MIDDLING)

DENOISING_SMALL = _with_muon(replace(NARROW, dropout=0.1), Ramp(0.02, 0.06, 300), 1600)
DENOISING_MIDDLING = replace(
    _with_muon(replace(NARROW, dropout=0.05), Ramp(0.02, 0.04, 300), 1600, HELD_OUT_SOONER),
    least_area_px=160**2,
    smaller=DENOISING_SMALL,
)
DENOISING = replace(
    _with_muon(replace(MIDDLING, dropout=0.05), 0.02, 1600, HELD_OUT_SOONER),
    least_area_px=384**2,
    smaller=DENOISING_MIDDLING,
    noisier=NOISY_LARGE,
)
"""The fewer pixels an image has, the more weights there are for each of them, and the more input noise and
dropout it takes to keep the image's own noise out; the same goes for an image with more noise. A large image
without much noise has pixels for more weights, which fit it in fewer iterations."""

PAPER = Settings(D, 1 / 30, Schedule(0.01, 3000, HELD_OUT))

PRESETS: Mapping[str, Mapping[str, Settings]] = MappingProxyType(
    {
        # Source: the notebooks and the supplementary material of Ulyanov et al., CVPR 2018.
        "paper": {
            "any": replace(PAPER, noisier=replace(PAPER, input_noise=1 / 20)),
            "super-resolution": Settings(D, 0.03, Schedule(0.01, 2000, EMV)),
            "super-resolution ×8": Settings(D, 0.05, Schedule(0.01, 4000, EMV)),
            "inpaint": Settings(D_NEAREST, 0.03, Schedule(0.01, 6000, EMV)),
        },
        "paper-jpeg": {"denoise": Settings(JPEG, 1 / 30, Schedule(0.01, 2400, EMV))},
        "paper-hole": {
            "inpaint": Settings(HOLE, 0.03, Schedule(0.01, 5000, FixedRule()), network_input="meshgrid")
        },
        "paper-library": {"inpaint": Settings(LIBRARY, 0.0, Schedule(0.01, 3000, FixedRule()))},
        "paper-missing": {"inpaint": Settings(D, 0.03, Schedule(0.001, 11000, FixedRule()))},
        "paper-sparse": {"inpaint": Settings(SPARSE, 0.0, Schedule(0.01, 1000, FixedRule()))},
        "paper-flash": {
            "denoise": Settings(FLASH, 0.0, Schedule(0.1, 600, FixedRule()), network_input="guide")
        },
        "untrained": {
            "any": DENOISING,
            "super-resolution": _with_muon(NARROW, 0.03, 800, FixedRule()),
            "inpaint": _with_muon(NARROW, 0.03, 1500),
        },
        "fast": {
            "any": Settings(NARROW, 1 / 30, Schedule(0.01, 5000, HELD_OUT), torch.bfloat16),
            "super-resolution": Settings(NARROW, 0.03, Schedule(0.01, 2000, EMV), torch.bfloat16),
            "inpaint": Settings(NARROW, 0.03, Schedule(0.01, 4000, EMV), torch.bfloat16),
        },
    }
)
"""By preset, and by task, with its scale factor where that has settings of its own."""

EDUCATED: Mapping[str, Adaptation] = MappingProxyType(
    {
        "denoise": Adaptation("denoise"),
        "inpaint+denoise": Adaptation("denoise"),
        "restore": Adaptation("denoise"),
        "super-resolution": Adaptation("super-resolution", iterations=0),
    }
)
"""The preset `educated`, by task: fits that begin with a start of the package."""

SHAPE_OF_NETWORK = ("width", "depth", "upsampling", "dropout", "input_channels")
"""What can be asked of a network."""

PIXELS = Settings(FreePixels(), 0.0, Schedule(0.01, 2000, FixedRule()))
"""No prior: the settings of Ulyanov et al. for their comparison, section 3.2."""

TV_WEIGHTS = {"denoise": 0.14, "super-resolution": 0.01, "inpaint": 0.001}
"""λ of pixels with total variation: the best of five on three photographs at 128², σ 25, ×4, 50 % missing."""


def settings_for(configuration: Configuration) -> Settings | None:
    """The settings of an optimisation from random weights; None for a method that does none.

    For the preset `educated` those of `untrained`, which stand in for it in studies.

    Raises:
        ConfigurationError: the preset has none for the task, or cannot be varied so.
    """
    optimises = METHODS[configuration.method].optimises
    if optimises is None:
        return None
    base = _of_preset(configuration) if optimises == "network" else _of_pixels(configuration)
    return _varied(base, configuration)


def _of_preset(configuration: Configuration) -> Settings:
    """The preset's settings for the task at its scale factor, for the task, or for any."""
    by_task, task = PRESETS[random_preset(configuration)], configuration.task
    for name in (f"{task} ×{configuration.scale_factor}", task, ANY_TASK):
        if name in by_task:
            return by_task[name]
    raise ConfigurationError(
        f"Expected the preset {configuration.preset} with the task {' or '.join(by_task)}; "
        f"got {task}. Use auto, untrained or fast for it."
    )


def effective_preset(configuration: Configuration) -> str:
    """The preset that is used: `none` without a network; for `auto` the best that was measured.

    A start has a network of its own, and a fit from it a rule of its own: what varies them begins with random
    weights. Of the networks, Skip alone was measured with the settings of `untrained`; a residual network,
    for one, does not converge to a super-resolution with Muon's steps.
    """
    if METHODS[configuration.method].optimises != "network":
        return "none"
    if configuration.preset != "auto":
        return configuration.preset
    asked = configuration.variation
    if asked == Variation() and configuration.restarts == 1 and configuration.task in EDUCATED:
        return "educated"
    is_measured = asked.network is None or parameterization_called(asked.network) is Skip
    return "untrained" if is_measured else "fast"


def random_preset(configuration: Configuration) -> str:
    """The preset of a fit that begins with random weights, as in studies: `untrained` for `educated`."""
    preset = effective_preset(configuration)
    return "untrained" if preset == "educated" else preset


def adaptation_for(configuration: Configuration) -> Adaptation | None:
    """The fit from a start that is asked for; None where the fit begins with random weights.

    Raises:
        ConfigurationError: the preset `educated` has no start for the task, or cannot be varied so.
    """
    if effective_preset(configuration) != "educated":
        return None
    adaptation = EDUCATED.get(configuration.task)
    if adaptation is None:
        raise ConfigurationError(
            f"Expected the preset educated with the task {' or '.join(EDUCATED)}; got {configuration.task}. "
            "Use the preset untrained for it."
        )
    if configuration.variation != Variation() or configuration.restarts > 1:
        raise ConfigurationError(
            "Expected the preset educated with one restart and no other network, rule or objective; "
            f"got {configuration.variation_text}. Use the preset untrained for it."
        )
    if not adaptation.iterations:
        return adaptation
    return replace(adaptation, iterations=_either(configuration.max_iterations, adaptation.iterations))


def _of_pixels(configuration: Configuration) -> Settings:
    if configuration.method == "pixels":
        return PIXELS
    weight = TV_WEIGHTS.get(configuration.task, TV_WEIGHTS["denoise"])
    return replace(PIXELS, objective=Objective(tv=weight))


def _varied(settings: Settings, configuration: Configuration) -> Settings:
    """Settings with what the configuration asks for instead."""
    asked, schedule, objective = configuration.variation, settings.schedule, settings.objective
    return replace(
        settings,
        smaller=_varied(settings.smaller, configuration) if settings.smaller else None,
        noisier=_varied(settings.noisier, configuration) if settings.noisier else None,
        parameterization=_parameterization(settings.parameterization, asked),
        input_noise=_either(asked.input_noise, settings.input_noise),
        schedule=replace(
            schedule,
            learning_rate=_either(asked.learning_rate, schedule.learning_rate),
            iterations=_either(configuration.max_iterations, schedule.iterations),
            rule=_rule(asked, schedule.rule),
        ),
        objective=Objective(_either(asked.data_term, objective.data_term), _either(asked.tv, objective.tv)),
    )


def _either(asked: T | None, usual: T) -> T:
    return usual if asked is None else asked


def _rule(variation: Variation, usual: StopRule) -> StopRule:
    if variation.stop in (None, usual.name):
        return usual
    if variation.noise_level is not None:
        return NoiseLevelRule(variation.noise_level / 255)
    rules: dict[str | None, StopRule] = {"variance": EMV, "held-out": HELD_OUT, "fixed": FixedRule()}
    return rules[variation.stop]


def _parameterization(of_preset: Parameterization, variation: Variation) -> Parameterization:
    parameterization: Any = of_preset
    if variation.network is not None:
        network = parameterization_called(variation.network)
        parameterization = of_preset if isinstance(of_preset, network) else network()
    known = {field.name for field in fields(parameterization)}
    named = {"depth": "blocks" if "blocks" in known else "scales"}
    options = {name: named.get(name, name) for name in SHAPE_OF_NETWORK}
    asked = {name: getattr(variation, name) for name in options if getattr(variation, name) is not None}
    lacking = [name for name in asked if options[name] not in known]
    if lacking:
        of_it = [name for name in options if options[name] in known]
        raise ConfigurationError(
            f"Expected what the network {type(parameterization).__name__} has: "
            f"{', '.join(of_it) or 'nothing of it'}; got {', '.join(lacking)}."
        )
    varied: Parameterization = replace(
        parameterization, **{options[name]: value for name, value in asked.items()}
    )
    return varied
