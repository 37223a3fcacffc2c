"""A loss without a clean image: y is damaged once more, as it was before, and has to be drawn from that."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from dip.operators.filling import filled
from dip.operators.noise_model import NoiseModel
from dip.optimize.adaptation import drawn_by
from dip.optimize.orientation import ORIENTATIONS, oriented
from dip.parameterizations.residual_unet import ResidualUNet


@dataclass(frozen=True, eq=False)
class RecorruptedNoise:
    """‖m (g(θ, y + α n) − (y − n / α))‖² / ‖m‖², the error to the clean image but for a constant.

    n has the covariance of the noise in y, so that the two are independent. Where there are holes, the same
    holes, moved and mirrored, hide more pixels of the input. The image is laid another way each time: what is
    true of it holds all ways, while noise that is learnt by heart in one is of no use in another.

    Attributes:
        y: (B, 3, H, W), parts of one image, of which one is looked at each time.
        observed: (B, 1, H, W), float, m, 1 = observed.
        tones: (B, 3, H, W) in [0, 1], an estimate of the image, whose tones the noise follows.
        noise: of y; None where y has none.
        share: α.
        crop_px: longest side of what is looked at.
        seed: of noise, crops and holes.

    Source: Pang et al., *Recorrupted-to-Recorrupted*, CVPR 2021, equations 6 to 8.
    """

    y: Tensor
    observed: Tensor
    tones: Tensor
    noise: NoiseModel | None
    share: float
    crop_px: int
    seed: int
    _noise_generator: torch.Generator = field(init=False)
    _places: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_noise_generator", torch.Generator(self.y.device).manual_seed(self.seed))
        object.__setattr__(self, "_places", torch.Generator().manual_seed(self.seed))

    def __call__(self, network: ResidualUNet) -> Tensor:
        """The loss of a network for another draw; a scalar."""
        part = self._number(len(self.y))
        rows, columns = (self._span(length_px) for length_px in self.y.shape[2:])
        y, observed, tones = (
            image[part : part + 1, :, rows, columns] for image in (self.y, self.observed, self.tones)
        )
        left = observed * self._moved(observed)
        given = target = y
        if self.noise is not None:
            noise = self.noise.drawn(tones, self._noise_generator)
            given, target = y + self.share * noise, y - noise / self.share
        orientation = self._number(ORIENTATIONS)
        given, left, target, observed = (
            oriented(image, orientation) for image in (filled(given, left), left, target, observed)
        )
        errors = (drawn_by(network, given, left) - target).square() * observed
        return errors.sum() / (3 * observed.sum()).clamp(min=1)

    def _span(self, length_px: int) -> slice:
        """A part of a side: all of it, or as much as is looked at, somewhere."""
        if length_px <= self.crop_px:
            return slice(0, length_px)
        start = self._number(length_px - self.crop_px + 1)
        return slice(start, start + self.crop_px)

    def _moved(self, observed: Tensor) -> Tensor:
        """The same holes at other places; none where there are none."""
        shift = (self._number(observed.shape[2]), self._number(observed.shape[3]))
        turned = observed.roll(shift, (2, 3))
        return turned.flip(3) if self._number(2) else turned

    def _number(self, below: int) -> int:
        return int(torch.randint(below, (), generator=self._places))
