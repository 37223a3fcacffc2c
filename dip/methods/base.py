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
class Context:
    """Where and how a method works: a run's context.

    Attributes:
        seed: of everything that is drawn; the image's own.
        device: where tensors are computed.
        psnr_of: PSNR of an output, (1, C, H, W), to the reference, in an evaluation; for curves alone.
        progress: a callback that takes the share of the restoration that is done, now and then.
    """

    seed: int
    device: torch.device
    psnr_of: Callable[[Tensor], Tensor] | None = None
    progress: Callable[[float], None] | None = None

    def part(self, index: int, count: int) -> Self:
        """The context of one of so many parts of the work: its progress is a part of the whole's."""
        progress = self.progress
        if progress is None:
            return self
        return replace(self, progress=lambda share: progress((index + share) / count))


@dataclass(frozen=True)
class Restoration:
    """What a method made of a measurement.

    Attributes:
        image: (1, C, H, W), float32, on the CPU.
        iterations: how many were run, over all tiles, and all restarts that were averaged; None where nothing
            is iterated.
        stop_iteration: the one the image was taken at; of the first start and tile, like the curve.
        stop_rule: name of the rule that chose it.
        stop_reason: why, in a word.
        curve: one point per interval of iterations.
        tiles: parts the image was restored in.
        tile_px: the longest that their sides can be, if there are several.
        deviation: (1, C, H, W), sample standard deviation over several restarts, if there were any.
        noise_sigma: σ of the noise that the residual showed, in 8-bit units, where a fit asks for it.
        noise_size_px: its correlation, as the deviation of a Gaussian blur.
        share: how much of what the network drew was taken, 0 to 1, where a fit judges that.
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
    noise_sigma: float | None = None
    noise_size_px: float | None = None
    share: float | None = None


class Method(Protocol):
    """A way to restore an image from its measurement."""

    def __call__(
        self, measurement: Measurement, configuration: Configuration, context: Context
    ) -> Restoration:
        """Restore one image.

        Raises:
            ConfigurationError: the method cannot do what the configuration asks for.
            DivergenceError: an optimisation did not converge.
            ImageError: there is nothing in the image to go by.
            ImageTooLargeError: there is no memory for it.
        """
