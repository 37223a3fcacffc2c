"""What a restoration is worth, without a reference: Stein's estimate of its error."""

from collections.abc import Callable

import torch
from torch import Tensor

from dip.operators.noise_model import NoiseModel

PROBE = 0.1
"""How far, in deviations of the noise, the measurement is moved to see how its restoration follows."""


def removed_noise(
    draw: Callable[[Tensor], Tensor], y: Tensor, drawn: Tensor, noise: NoiseModel, generator: torch.Generator
) -> Tensor:
    """⟨n, y − x̂⟩ / N, the noise's power that a restoration takes off: tr Σ (I − J) / N, a scalar.

    Args:
        draw: the restoration, from y to x̂, both (B, 3, H, W).
        y: the measurement.
        drawn: x̂ of y.
        noise: of y.
        generator: of the random numbers.

    Source: Stein, *Estimation of the mean of a multivariate normal distribution*, 1981, theorem 1; the trace
    by one random probe as in Ramani, Blu, Unser, *Monte-Carlo SURE*, 2008, with the noise's own covariance.
    """
    probe = noise.drawn(drawn.clamp(0, 1), generator)
    followed = (draw(y + PROBE * probe) - drawn) / PROBE
    return (probe * (probe - followed)).mean()


def best_share(
    draw: Callable[[Tensor], Tensor], y: Tensor, noise: NoiseModel, seed: int
) -> tuple[float, float]:
    """How much of a restoration to take, and the error that it then takes off.

    Of y + s (x̂ − y) the error is least at s = ⟨n, y − x̂⟩ / ‖y − x̂‖². A residual that is the noise gives 1;
    one that holds texture, too, gives less.

    Returns:
        s, from 0 to 1, and by how much the mean squared error falls, for values in [0, 1].
    """
    with torch.no_grad():
        drawn = draw(y)
        generator = torch.Generator(y.device).manual_seed(seed)
        removed = float(removed_noise(draw, y, drawn, noise, generator))
    power = max(float((y - drawn).square().mean()), 1e-12)
    share = min(1.0, max(0.0, removed / power))
    return share, 2 * share * removed - share**2 * power
