"""What the network fits first: E against iteration for an image, and for noise.

Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, figure 2 ("high noise impedance").
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch

from dip.configuration import Configuration
from dip.evaluation.studies.base import Findings, Study, Trial
from dip.evaluation.studies.subject import subject_of
from dip.images.image import Pixels
from dip.methods.optimization import settings_of
from dip.objective import Problem
from dip.operators.identity import Identity
from dip.optimize.curve import CurvePoint
from dip.optimize.fit import restore
from dip.optimize.stopping import FixedRule
from dip.parameterizations.skip import Skip

TARGETS = ("natural", "natural + noise", "shuffled", "noise")
INTERVAL = 5
LEVELS = (0.03, 0.02, 0.015, 0.01, 0.003)
"""Of E, for the table of how long each target takes to get there."""


def _variants(configuration: Configuration) -> tuple[str, ...]:  # noqa: ARG001 - they are the same for all
    return TARGETS


def target(name: str, reference: Pixels, noisy: Pixels, random: np.random.Generator) -> Pixels:
    """What is fitted, (C, H, W): the image, with noise, with its pixels shuffled, or white noise.

    Args:
        name: one of `TARGETS`.
        reference: the image, (C, H, W) in [0, 1].
        noisy: the image with noise.
        random: where order and white noise come from.
    """
    channels, height_px, width_px = reference.shape
    if name == "natural + noise":
        return noisy
    if name == "shuffled":
        order = random.permutation(height_px * width_px)
        return reference.reshape(channels, -1)[:, order].reshape(reference.shape)
    return random.random(reference.shape, np.float32) if name == "noise" else reference


def _run(trial: Trial) -> Findings:
    subject = subject_of(trial)
    settings = settings_of(trial.configuration).for_size(subject.measurement.size_px)
    # Without input noise, dropout and a stop, as in the paper: only the network decides what is easy.
    schedule = replace(settings.schedule, rule=FixedRule(), interval=INTERVAL)
    network = settings.parameterization
    network = replace(network, dropout=0.0) if isinstance(network, Skip) else network
    settings = replace(settings, parameterization=network, schedule=schedule, input_noise=0.0)
    reference, random = subject.evaluator.reference.numpy(), np.random.default_rng(subject.seed)
    y = target(trial.variant, reference, subject.measurement.y, random)
    problem = Problem(torch.from_numpy(y)[None], Identity(), settings.objective)
    fit = restore(problem, subject.measurement.size_px, settings, subject.seed, subject.device)
    rows = [{"iteration": point.iteration, "loss": point.loss} for point in fit.curve]
    reached = [{"loss": level, "iteration": _first_at(level, fit.curve)} for level in LEVELS]
    return Findings(trial, {"curves": rows, "reached": reached})


def _first_at(level: float, curve: Sequence[CurvePoint]) -> int | None:
    """The first iteration whose loss is at most `level`, if there is one."""
    return next((point.iteration for point in curve if point.loss <= level), None)


_LOSS = pa.field("loss", pa.float64(), nullable=False)

CURVES = Study(
    _variants,
    _run,
    {
        "curves": pa.schema([pa.field("iteration", pa.int32(), nullable=False), _LOSS]),
        "reached": pa.schema([_LOSS, pa.field("iteration", pa.int32())]),
    },
    tasks=("denoise",),
)
