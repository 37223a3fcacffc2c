"""Methods that solve the equation: Deep Image Prior, and pixels without a prior or with an explicit one."""

import torch

from dip.config import Configuration
from dip.errors import ConfigurationError
from dip.measurement import Measurement
from dip.methods.base import Restoration, Situation
from dip.objective import Objective, Problem
from dip.optimize.loop import Fit
from dip.presets import Settings
from dip.restoration import restore


def optimize(measurement: Measurement, configuration: Configuration, situation: Situation) -> Restoration:
    """x* = g(θ*, z), once, or averaged over several runs that start from different seeds.

    Raises:
        ConfigurationError: the preset cannot do the task, or cannot be varied as asked.
        DivergenceError: an optimisation did not converge.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, equation 2; its section 3.1 for
    the average over runs.
    """
    settings = settings_of(configuration)
    fits = [_fit(measurement, settings, situation, run) for run in range(configuration.runs)]
    outputs = torch.stack([fit.output for fit in fits])
    first = fits[0]
    return Restoration(
        image=outputs.mean(dim=0),
        iterations=sum(fit.iterations for fit in fits),
        stop_iteration=first.stop_iteration,
        stop_rule=settings.schedule.rule.name,
        stop_reason=first.stop_reason,
        curve=first.curve,
        deviation=outputs.std(dim=0) if len(fits) > 1 else None,
    )


def settings_of(configuration: Configuration) -> Settings:
    """The settings of a method that optimises.

    Raises:
        ConfigurationError: it does not optimise; the preset cannot do the task, or be varied as asked.
    """
    settings = configuration.settings
    if settings is None:
        raise ConfigurationError(
            f"Expected a method that optimises, dip or pixels; got {configuration.method}."
        )
    return settings


def problem_of(measurement: Measurement, objective: Objective) -> Problem:
    """What is minimised for a measurement."""
    observed = measurement.observed
    return Problem(
        torch.from_numpy(measurement.y)[None],
        measurement.operator,
        objective,
        observed=None if observed is None else torch.from_numpy(observed)[None, None],
    )


def _fit(measurement: Measurement, settings: Settings, situation: Situation, run: int) -> Fit:
    return restore(
        problem_of(measurement, settings.objective),
        measurement.size_px,
        settings,
        situation.seed + run,
        situation.device,
        situation.psnr_of,
    )
