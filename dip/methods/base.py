"""What every method is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self

import torch
from torch import Tensor

from dip.configuration import Configuration
from dip.operators.measurement import Measurement
from dip.optimize.curve import CurvePoint


@dataclass(frozen=True)
class Situation:
    """Where and how a method runs.

    Attributes:
        seed: of everything that is drawn; the image's own.
        device: where tensors are computed.
        psnr_of: PSNR of an output, (1, C, H, W), to the reference, in an evaluation; for curves alone.
        tell: is told now and then which share of the restoration is done, if anybody wants to know.
    """

    seed: int
    device: torch.device
    psnr_of: Callable[[Tensor], Tensor] | None = None
    tell: Callable[[float], None] | None = None

    def part(self, index: int, count: int) -> Self:
        """The situation of one of so many parts of the work: what it tells is a part of the whole."""
        tell = self.tell
        if tell is None:
            return self
        return replace(self, tell=lambda share: tell((index + share) / count))


@dataclass(frozen=True)
class Restoration:
    """What a method made of a measurement.

    Attributes:
        image: (1, C, H, W), float32, on the CPU.
        iterations: how many were run, over all tiles, and all runs that were averaged; None where nothing
            is iterated.
        stop_iteration: the one the image was taken at; of the first run and tile, like the curve.
        stop_rule: name of the rule that chose it.
        stop_reason: why, in a word.
        curve: one point per window of iterations.
        tiles: parts the image was restored in.
        tile_px: the longest that their sides can be, if there are several.
        deviation: (1, C, H, W), sample standard deviation over several runs, if there were any.
    """

    image: Tensor
    iterations: int | None = None
    stop_iteration: int | None = None
    stop_rule: str | None = None
    stop_reason: str | None = None
    curve: tuple[CurvePoint, ...] = ()
    deviation: Tensor | None = None
    tiles: int | None = None
    tile_px: int | None = None


class Method(Protocol):
    """A way to restore an image from its measurement."""

    def __call__(
        self, measurement: Measurement, configuration: Configuration, situation: Situation
    ) -> Restoration:
        """Restore one image.

        Raises:
            ConfigurationError: the method cannot do what the configuration asks for.
            DivergenceError: an optimisation did not converge.
            ImageError: there is nothing in the image to go by.
            ImageTooLargeError: there is no memory for it.
        """
