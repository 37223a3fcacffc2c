"""E + λ R: how far the simulated measurement is from the real one, and how rough the image is."""

from dataclasses import dataclass, replace
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from dip.errors import ConfigurationError
from dip.operators.base import ForwardOperator

HUBER_DELTA = 0.05
"""Where Huber's error turns from square to linear, for values in [0, 1]: twice the noise of σ 6."""


def squared_error(simulated: Tensor, measurement: Tensor) -> Tensor:
    """(a − b)², element by element.

    Source: Ulyanov et al., CVPR 2018, equation 2 with the data terms of section 3.

    >>> squared_error(torch.tensor([0.5, 1.0]), torch.tensor([0.25, 0.0]))
    tensor([0.0625, 1.0000])
    """
    return (simulated - measurement).square()


def huber_error(simulated: Tensor, measurement: Tensor) -> Tensor:
    """Square for small differences, linear for large ones. Source: Huber 1964, with δ = `HUBER_DELTA`.

    >>> huber_error(torch.tensor([0.02, 0.325]), torch.zeros(2))
    tensor([0.0002, 0.0150])
    """
    return F.huber_loss(simulated, measurement, reduction="none", delta=HUBER_DELTA)


def absolute_error(simulated: Tensor, measurement: Tensor) -> Tensor:
    """|a − b|: an outlier weighs no more than any other element.

    >>> absolute_error(torch.tensor([0.5, 1.0]), torch.tensor([0.25, 0.0]))
    tensor([0.2500, 1.0000])
    """
    return (simulated - measurement).abs()


DATA_TERMS = {"squared": squared_error, "huber": huber_error, "l1": absolute_error}


def total_variation(image: Tensor) -> Tensor:
    """Mean length of the gradient over all pixels and channels, a scalar.

    Args:
        image: (B, C, H, W). Differences are taken forwards; the last row and column count as flat.

    Source: Rudin, Osher, Fatemi 1992, isotropic; the ε keeps the derivative finite where it is flat.

    >>> step = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]])
    >>> total_variation(step)
    tensor(0.2501)
    """
    down = F.pad(image.diff(dim=2), (0, 0, 0, 1))
    across = F.pad(image.diff(dim=3), (0, 1))
    return (down.square() + across.square() + 1e-8).sqrt().mean()


@dataclass(frozen=True)
class Objective:
    """The data term and the weight of the explicit prior.

    Attributes:
        data_term: E, a name in `DATA_TERMS`.
        tv: λ, the weight of total variation.
    """

    data_term: str = "squared"
    tv: float = 0.0


@dataclass(frozen=True, eq=False)
class Problem:
    """E(A x, y) + λ R(x), for one measurement.

    Attributes:
        y: (1, C, h, w), float32.
        operator: A.
        objective: E, λ and R.
        held_out: (1, 1, h, w), bool, pixels of y that E does not see; None if it sees all.

    >>> from dip.operators.identity import Identity
    >>> problem = Problem(torch.zeros(1, 3, 8, 8), Identity(), Objective("l1"))
    >>> problem.loss(torch.full((1, 3, 8, 8), 0.5))
    tensor(0.5000)
    """

    y: Tensor
    operator: ForwardOperator
    objective: Objective
    held_out: Tensor | None = None

    def loss(self, image: Tensor) -> Tensor:
        """E + λ R of an image x, (1, C, H, W); a scalar. E is the mean over all elements of y."""
        errors = DATA_TERMS[self.objective.data_term](self.operator(image), self.y)
        if self.held_out is not None:
            errors = errors * ~self.held_out
        loss = errors.mean()
        return loss + self.objective.tv * total_variation(image) if self.objective.tv else loss

    def held_out_error(self, image: Tensor) -> Tensor:
        """‖A x − y‖² over the held-out pixels, over the number of all elements; a scalar.

        Raises:
            ConfigurationError: none are held out.
        """
        if self.held_out is None:
            raise ConfigurationError("Expected held-out pixels to take an error at; E sees all of them.")
        return ((self.operator(image) - self.y).square() * self.held_out).mean()

    def squared_residual(self, image: Tensor) -> Tensor:
        """‖A x − y‖² / N over the N observed elements, a scalar."""
        error, observed = (self.operator(image) - self.y).square().mean(), self.operator.observed
        return error if observed is None else error / observed.float().mean()

    def to(self, device: torch.device) -> Self:
        """The same problem on `device`."""
        return replace(
            self,
            y=self.y.to(device),
            operator=self.operator.to(device),
            held_out=None if self.held_out is None else self.held_out.to(device),
        )
