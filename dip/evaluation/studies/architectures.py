"""Which network suits an image: all parameterizations, one table."""

import time
from dataclasses import replace

import pyarrow as pa

from dip.configuration import Configuration
from dip.configuration.registry import NETWORKS
from dip.errors import ConfigurationError
from dip.evaluation.studies.base import Findings, Study, Trial
from dip.evaluation.studies.subject import subject_of
from dip.methods import method_called
from dip.methods.base import Context
from dip.methods.optimization import settings_for, settings_of
from dip.methods.presets import random_preset
from dip.operators.measurement import Measurement


def _variants(configuration: Configuration) -> tuple[str, ...]:
    if configuration.variation.network is not None:
        raise ConfigurationError(
            f"Expected a study of all networks, without --network; got {configuration.variation.network}."
        )
    for variant in NETWORKS:
        _check_feasible(variant, configuration)
    return tuple(NETWORKS)


def _check_feasible(variant: str, configuration: Configuration) -> None:
    """See that a network can take what is asked, before any other has been fitted.

    Raises:
        ConfigurationError: it cannot.
    """
    try:
        settings_of(_configuration(variant, configuration))
    except ConfigurationError as error:
        raise ConfigurationError(
            f"Expected a preset and options that every network can take; {variant} cannot: {error}"
        ) from error


def _run(trial: Trial) -> Findings:
    subject = subject_of(trial)
    configuration = _configuration(trial.variant, trial.configuration)
    context = Context(subject.seed, subject.device, subject.evaluator.psnr_of())
    start = time.perf_counter()
    restoration = method_called(configuration.method)(subject.measurement, configuration, context)
    seconds = time.perf_counter() - start
    reading = subject.evaluator.readings(restoration.image)[0]
    row = {
        "preset": random_preset(configuration),
        "parameters": _count_parameters(subject.measurement, configuration),
        "protocol": reading.protocol,
        "psnr_degraded_db": reading.psnr_degraded_db,
        "psnr_db": reading.psnr_db,
        "ssim": reading.ssim,
        # Tiles are parts of an image, and have no PSNR of their own.
        "psnr_peak_db": max((p.psnr_db for p in restoration.curve if p.psnr_db is not None), default=None),
        "iterations": restoration.iterations,
        "stop_iteration": restoration.stop_iteration,
        "seconds": seconds,
    }
    return Findings(trial, {"architectures": [row]})


def _configuration(variant: str, asked: Configuration) -> Configuration:
    """What is asked, with the variant's network; pixels are a method of their own, and have no preset."""
    if variant == "pixels":
        return replace(asked, method="pixels", preset="auto", variation=asked.variation.without_network())
    return replace(asked, variation=replace(asked.variation, network=variant))


def _count_parameters(measurement: Measurement, configuration: Configuration) -> int:
    """How many numbers are optimised to restore an image of that size and noise."""
    parameterization = settings_for(measurement, configuration).parameterization
    canvas_px = parameterization.canvas_px(*measurement.size_px)
    network = parameterization.network(len(measurement.y), canvas_px)
    return sum(parameter.numel() for parameter in network.parameters())


ARCHITECTURES = Study(
    _variants,
    _run,
    {
        "architectures": pa.schema(
            [
                pa.field("preset", pa.string(), nullable=False),
                pa.field("parameters", pa.int64(), nullable=False),
                pa.field("protocol", pa.string(), nullable=False),
                pa.field("psnr_degraded_db", pa.float64(), nullable=False),
                pa.field("psnr_db", pa.float64(), nullable=False),
                pa.field("ssim", pa.float64()),
                pa.field("psnr_peak_db", pa.float64()),
                pa.field("iterations", pa.int32(), nullable=False),
                pa.field("stop_iteration", pa.int32(), nullable=False),
                pa.field("seconds", pa.float64(), nullable=False),
            ]
        )
    },
)
