"""Methods that solve the equation: Deep Image Prior, and pixels without a prior or with an explicit one."""

import itertools
import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from dip.configuration import Configuration
from dip.errors import ConfigurationError, ImageError, ImageTooLargeError
from dip.methods import presets
from dip.methods.base import Context, Restoration
from dip.methods.educated import restore_from_start
from dip.methods.tiling import count_tiles, shortened_px, tiled
from dip.objective import Objective, Problem
from dip.operators.measurement import Measurement, measured
from dip.optimize.cost import largest_area_px
from dip.optimize.fit import restore
from dip.optimize.loop import Fit
from dip.optimize.monitors import OutputTracker
from dip.optimize.settings import Settings

OVERLAP_PX = 64
"""What neighbouring tiles share of the restored image."""

LEAST_TILE_PX = 128
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "ALLOC_FAILED", "unable to find an engine")
ALWAYS_WHOLE_PX = 256
"""Up to this side no memory is counted."""


def optimize(measurement: Measurement, configuration: Configuration, context: Context) -> Restoration:
    """x* = g(θ*, z), once, or averaged over restarts from different seeds.

    An image too large to be fitted whole is fitted in overlapping tiles, each stopped by the same rule. Where
    the memory does not do for a tile, all are made half as large.

    Raises:
        ConfigurationError: the preset cannot do the task, or cannot be varied as asked.
        DivergenceError: an optimisation did not converge.
        ImageError: a tile has no observed pixel.
        ImageTooLargeError: there is no memory for the smallest tile.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, equation 2; its section 3.1 for
    the average over restarts.
    """
    adaptation = presets.adaptation_for(configuration)
    if adaptation is not None:
        return restore_from_start(measurement, configuration, context, adaptation)
    settings = settings_of(configuration).for_noise(measurement.noise_sigma)
    tile_px = _tile_px(measurement, configuration, settings)
    while True:
        try:
            return _in_tiles(measurement, configuration, context, settings, tile_px)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            if tile_px <= LEAST_TILE_PX:
                raise ImageTooLargeError(
                    f"Expected memory for a tile of {tile_px} pixels a side; there is not enough: {error}. "
                    "Use fewer workers, or a narrower network."
                ) from error
        torch.cuda.empty_cache()  # nothing without a GPU
        tile_px = max(LEAST_TILE_PX, min(tile_px, max(measurement.size_px)) // 2)


def _tile_px(measurement: Measurement, configuration: Configuration, settings: Settings) -> int:
    """Side of the tiles, in pixels of the restored image; at least its own if it is fitted whole."""
    if configuration.tile_px is not None:
        return configuration.tile_px
    height_px, width_px = measurement.size_px
    if max(height_px, width_px) <= ALWAYS_WHOLE_PX:
        return ALWAYS_WHOLE_PX
    area_px = largest_area_px(settings, len(measurement.y))
    if height_px * width_px <= area_px:
        return max(height_px, width_px)
    return max(LEAST_TILE_PX, math.isqrt(area_px) // OVERLAP_PX * OVERLAP_PX)


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Whether that is what it means, in the words of torch on a CPU, of CUDA, of cuDNN or of cuBLAS."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)


def _in_tiles(
    measurement: Measurement,
    configuration: Configuration,
    context: Context,
    settings: Settings,
    tile_px: int,
) -> Restoration:
    if max(measurement.size_px) <= tile_px:
        return _fitted(measurement, configuration, context, settings)
    scale, channels = configuration.scale_factor, len(measurement.y)
    height_px, width_px = measurement.y.shape[1:]
    longest_px, overlap_px = tile_px // scale, OVERLAP_PX // scale
    sides_px = (
        shortened_px(height_px, longest_px, overlap_px),
        shortened_px(width_px, longest_px, overlap_px),
    )
    count = count_tiles((height_px, width_px), sides_px, overlap_px)
    numbers = itertools.count()
    found: list[Restoration] = []

    def restored(part: Tensor) -> Tensor:
        number = next(numbers)
        tile = _tile_of(part, channels, configuration)
        if tile.observed is None and configuration.keeps_observed:
            return _with_deviation(part[:, :channels], None, configuration)  # there is no damage
        if tile.observed is not None and not tile.observed.any():
            return _with_deviation(_unseen(tile), None, configuration)
        # The reference is that of the whole image.
        here = replace(context, psnr_of=None).part(number, count)
        made = _fitted(tile, configuration, here, settings)
        found.append(made)
        return _with_deviation(made.image, made.deviation, configuration)

    blended = tiled(restored, _stacked(measurement), sides_px, overlap_px, scale)
    return replace(
        found[0],
        image=blended[:, :channels],
        iterations=sum(made.iterations or 0 for made in found),
        deviation=blended[:, channels:] if blended.shape[1] > channels else None,
        tiles=len(found),
        tile_px=tile_px,
    )


def _stacked(measurement: Measurement) -> Tensor:
    """A measurement as channels, (1, C + 2 or C + 5, H, W): y, observed, visible, a guide if there is one."""
    everywhere = np.ones(measurement.y.shape[1:], np.bool_)
    observed, visible = (
        everywhere if of is None else of for of in (measurement.observed, measurement.visible)
    )
    guide = [] if measurement.guide is None else [measurement.guide]
    return torch.from_numpy(np.concatenate([measurement.y, observed[None], visible[None], *guide]))[None]


def _tile_of(part: Tensor, channels: int, configuration: Configuration) -> Measurement:
    """The measurement of a tile, from the channels of `_stacked`."""
    y, observed, visible, guide = np.split(part[0].numpy(), [channels, channels + 1, channels + 2])
    mask = None if observed.all() else observed[0] > 0
    tile = measured(y, mask, configuration, guide if len(guide) else None)
    return replace(tile, visible=visible[0] > 0)


def _unseen(tile: Measurement) -> Tensor:
    """What stands for a tile without an observed pixel: nothing, where all of it is transparent."""
    if tile.visible is None or tile.visible.any():
        raise ImageError(
            f"Expected observed pixels in each tile of {tile.size_px[1]}×{tile.size_px[0]}; the mask leaves "
            "none in one of them. Use larger tiles (--tile)."
        )
    return torch.from_numpy(tile.seen)[None]


def _with_deviation(image: Tensor, deviation: Tensor | None, configuration: Configuration) -> Tensor:
    """An image, and behind it the deviation between its restarts, if there are several."""
    if configuration.restarts == 1:
        return image
    return torch.cat([image, torch.zeros_like(image) if deviation is None else deviation], dim=1)


def _fitted(
    measurement: Measurement, configuration: Configuration, context: Context, settings: Settings
) -> Restoration:
    """An image, or a tile of one, as a whole."""
    settings, restarts = settings.for_size(measurement.size_px), configuration.restarts
    fits = [_fit(measurement, settings, context.part(number, restarts), number) for number in range(restarts)]
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
    settings = presets.settings_for(configuration)
    if settings is None:
        raise ConfigurationError(
            f"Expected a method that optimises, dip or pixels; got {configuration.method}."
        )
    return settings


def settings_for(measurement: Measurement, configuration: Configuration) -> Settings:
    """The settings of a method that optimises, for an image that is fitted whole: its size, and its noise.

    Raises:
        ConfigurationError: as `settings_of`.
    """
    return settings_of(configuration).for_noise(measurement.noise_sigma).for_size(measurement.size_px)


def problem_of(measurement: Measurement, objective: Objective) -> Problem:
    """What is minimised for a measurement."""
    return Problem(torch.from_numpy(measurement.y)[None], measurement.operator, objective)


def _fit(measurement: Measurement, settings: Settings, context: Context, number: int) -> Fit:
    def on_interval(tracker: OutputTracker) -> None:
        if context.progress is not None:
            context.progress(tracker.iteration / settings.schedule.iterations)

    return restore(
        problem_of(measurement, settings.objective),
        measurement.size_px,
        settings,
        context.seed + number,
        context.device,
        context.psnr_of,
        on_interval,
        guide=None if measurement.guide is None else torch.from_numpy(measurement.guide)[None],
    )
