"""What steps from gradients to weights: Adam, or Muon with Adam for what is not a matrix."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

LEAST_SIDE = 8
"""Weights with fewer inputs or outputs than this are not treated as a matrix."""

MOMENTUM = 0.9
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic that drives all singular values to about 1."""

NEWTON_SCHULZ_STEPS = 5
ADAM_SHARE = 0.5
"""Learning rate of Adam over that of Muon."""


def adam(parameters: Iterable[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Adam with its defaults. Source: Kingma, Ba, ICLR 2015."""
    return _fused_adam(list(parameters), learning_rate, (0.9, 0.999))


def _fused_adam(
    parameters: list[nn.Parameter], learning_rate: float, betas: tuple[float, float]
) -> torch.optim.Adam:
    """One kernel for all parameters; on a GPU one that can be recorded."""
    on_gpu = any(parameter.is_cuda for parameter in parameters)
    return torch.optim.Adam(parameters, learning_rate, betas, fused=True, capturable=on_gpu)


class OrthogonalMomentum(torch.optim.Optimizer):
    """Moves each weight matrix by its averaged gradient with all singular values made equal.

    A convolution's weights count as the matrix of its outputs × all its inputs. No direction is left
    behind because its gradient is small, so that a network is fitted in a third of Adam's iterations.

    Args:
        parameters: each of two or more dimensions.
        learning_rate: length of a step, times √(outputs / inputs) where there are more outputs.

    Source: Jordan et al., *Muon: An optimizer for hidden layers in neural networks*, 2024.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        super().__init__(parameters, {"lr": learning_rate})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Take one step, in one batch of products for all matrices of one shape."""
        for group in self.param_groups:
            for parameters in _by_shape(group["params"]):
                steps = _orthogonalized(torch.stack(self._looking_ahead(parameters)))
                outputs, inputs = steps.shape[1:]
                length = group["lr"] * math.sqrt(max(1, outputs / inputs))
                shaped = [step.view_as(p) for p, step in zip(parameters, steps, strict=True)]
                torch._foreach_add_(parameters, shaped, alpha=-length)

    def _looking_ahead(self, parameters: list[Tensor]) -> list[Tensor]:
        """Nesterov's momentum of each parameter's gradient, as a matrix."""
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        for parameter in parameters:
            if "momentum" not in self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum"] for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        return [ahead.flatten(1) for ahead in torch._foreach_lerp(gradients, momenta, MOMENTUM)]


def _by_shape(parameters: list[nn.Parameter]) -> Iterable[list[Tensor]]:
    shapes: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
    for parameter in parameters:
        shapes[len(parameter), parameter[0].numel()].append(parameter)
    return shapes.values()


def _orthogonalized(matrices: Tensor) -> Tensor:
    """The nearest orthogonal matrices, roughly: (N, outputs, inputs) to the same."""
    is_tall = matrices.shape[1] > matrices.shape[2]
    wide: Tensor = matrices.mT if is_tall else matrices
    wide = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-12)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = wide @ wide.mT
        quadratic = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        wide = torch.baddbmm(wide, quadratic, wide, beta=a)
    return wide.mT if is_tall else wide


class Muon:
    """Orthogonal momentum for matrices, Adam for all other parameters: two optimisers as one.

    Args:
        parameters: of a network.
        learning_rate: of the matrices.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        given = list(parameters)
        matrices = [parameter for parameter in given if _is_matrix(parameter)]
        others = [parameter for parameter in given if not _is_matrix(parameter)]
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(OrthogonalMomentum(matrices, learning_rate))
        if others:
            # Second moments that forget ten times faster than usual: a fit takes hundreds of steps.
            rate = ADAM_SHARE * learning_rate
            self._parts.append(_fused_adam(others, rate, (0.9, 0.99)))

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Of both; their learning rates can be changed."""
        return [group for part in self._parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none)

    def step(self) -> None:
        """Take one step."""
        for part in self._parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """The moments of both."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


def _is_matrix(parameter: nn.Parameter) -> bool:
    return parameter.ndim > 1 and min(len(parameter), parameter[0].numel()) >= LEAST_SIDE


OPTIMIZERS: dict[str, Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer | Muon]] = {
    "adam": adam,
    "muon": Muon,
}
