"""Named settings per task: what the paper uses, and a fast variant, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch

from dip.optimize.loop import Schedule
from dip.optimize.stopping import VarianceRule
from dip.parameterizations.skip import SkipArchitecture


@dataclass(frozen=True)
class Settings:
    """Everything an optimisation needs beside the image, the operator and the seed.

    Attributes:
        architecture: of the skip network.
        input_noise: standard deviation of what is added to z at each iteration (`reg_noise`).
        schedule: learning rate, iterations, stop rule.
        precision: of the network's body; statistics, head, weights and loss are float32.
    """

    architecture: SkipArchitecture
    input_noise: float
    schedule: Schedule
    precision: torch.dtype


D = SkipArchitecture()
D_NEAREST = replace(D, skip_channels=128, upsampling="nearest")
NARROW = replace(D, width=32)

PRESETS: Mapping[str, Mapping[str, Settings]] = MappingProxyType(
    {
        # Source: the notebooks and the supplementary material of Ulyanov et al., CVPR 2018.
        "paper": {
            "denoise": Settings(D, 1 / 30, Schedule(0.01, 3000, VarianceRule()), torch.float32),
            "super-resolution": Settings(D, 0.03, Schedule(0.01, 2000, VarianceRule()), torch.float32),
            "inpaint": Settings(D_NEAREST, 0.03, Schedule(0.01, 6000, VarianceRule()), torch.float32),
        },
        "fast": {
            "denoise": Settings(NARROW, 1 / 30, Schedule(0.01, 5000, VarianceRule()), torch.bfloat16),
            "super-resolution": Settings(NARROW, 0.03, Schedule(0.01, 2000, VarianceRule()), torch.bfloat16),
            "inpaint": Settings(NARROW, 0.03, Schedule(0.01, 3000, VarianceRule()), torch.bfloat16),
        },
    }
)


def settings_for(preset: str, task: str, max_iterations: int | None = None) -> Settings:
    """The preset's settings for a task, with its iterations capped.

    Args:
        preset: a name in `PRESETS`.
        task: `denoise`, `inpaint` or `super-resolution`.
        max_iterations: a cap below the preset's own limit; None keeps that.
    """
    settings = PRESETS[preset][task]
    if max_iterations is None:
        return settings
    capped = min(max_iterations, settings.schedule.iterations)
    return replace(settings, schedule=replace(settings.schedule, iterations=capped))
