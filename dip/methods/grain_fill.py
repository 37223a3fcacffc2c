"""Grain in fills: a network fills holes too smoothly for a grainy print."""

import torch
from torch import Tensor

from dip.images.noise import SKIP_BELOW
from dip.methods.base import Context
from dip.methods.scene import Scene
from dip.operators.filling import filled
from dip.operators.measurement import Measurement
from dip.operators.noise_model import NoiseModel, estimated_noise
from dip.optimize.adaptation import drawn_by
from dip.optimize.device import repeatable_on
from dip.parameterizations.start import shipped_start

FIELD_PX = 512
"""Side of the grain that is drawn; in larger images it is repeated."""


def with_grain(image: Tensor, measurement: Measurement, context: Context, share: float = 1.0) -> Tensor:
    """An image, (1, C, H, W), with grain in its holes like that of its surroundings.

    Args:
        image: what was restored, of the measurement's size.
        measurement: y and its holes; what is transparent is none.
        context: of its seed is the grain.
        share: of the grain's amplitude: as much as the surroundings keep.

    Source: the model of the noise is `dip.operators.noise_model.estimated_noise`'s, from the residual of the
    package's start.
    """
    hole = holes_of(measurement)
    if hole is None or share <= 0:
        return image
    with repeatable_on(context.device):
        generator = torch.Generator(context.device).manual_seed(context.seed)
        noise = _noise_around(measurement, context, generator)
        if noise.sigma < SKIP_BELOW:
            return image
        return image + share * _grain(noise, image.to(context.device), generator).to(image.device) * hole


def holes_of(measurement: Measurement) -> Tensor | None:
    """(1, 1, H, W), bool, what is hidden and would be seen; None where nothing is."""
    observed, visible = measurement.observed, measurement.visible
    if observed is None:
        return None
    hole = ~observed if visible is None else ~observed & visible
    return torch.from_numpy(hole)[None, None] if hole.any() else None


def _noise_around(measurement: Measurement, context: Context, generator: torch.Generator) -> NoiseModel:
    network = shipped_start("denoise").network().to(context.device)
    y, observed = Scene.of(measurement.y, measurement.observed, context.device).sample()

    def draw(moved: Tensor) -> Tensor:
        with torch.no_grad():
            return drawn_by(network, filled(moved, observed), observed)

    return estimated_noise(draw, y, observed, generator)


def _grain(noise: NoiseModel, image: Tensor, generator: torch.Generator) -> Tensor:
    """Grain that follows the tones of an image, (1, C, H, W), of as many channels."""
    channels, (height_px, width_px) = image.shape[1], image.shape[2:]
    field = noise.field((1, 3, FIELD_PX, FIELD_PX), generator)
    repeats = (-(-height_px // FIELD_PX), -(-width_px // FIELD_PX))
    whole = field.repeat(1, 1, *repeats)[..., :height_px, :width_px] * noise.level_at(image)
    return whole.mean(dim=1, keepdim=True) if channels == 1 else whole
