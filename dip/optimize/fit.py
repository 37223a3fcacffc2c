"""The restoration of one image: x* = g(θ*, z), θ* = argmin E(A g(θ, z), y) + λ R(g(θ, z))."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from dip.objective import Problem
from dip.optimize.device import body_precision, in_precision, repeatable_on
from dip.optimize.loop import Fit, minimize
from dip.optimize.monitors import OutputTracker
from dip.optimize.settings import Settings
from dip.optimize.stopping import StopRule
from dip.parameterizations.network_input import Ramp, network_input


def restore(
    problem: Problem,
    size_px: tuple[int, int],
    settings: Settings,
    seed: int,
    device: torch.device,
    psnr_of: Callable[[Tensor], Tensor] | None = None,
    on_interval: Callable[[OutputTracker], None] | None = None,
    further_rules: Sequence[StopRule] = (),
    guide: Tensor | None = None,
) -> Fit:
    """Restore one image from its measurement.

    The network draws on a canvas of the size it needs, and the image is the canvas's upper left
    part: any size is possible, and pixels beyond the image enter no term.

    Args:
        problem: y, (1, C, h, w), C = 1 or 3, with A, E, λ and R.
        size_px: (H, W) of the image to restore.
        settings: network, noise, schedule and precision.
        seed: of the weights, z, the input noise and the held-out pixels. On a CPU the result depends
            on nothing but the arguments, to the bit; on a GPU, but for its last bits.
        device: where to run.
        psnr_of: PSNR of an output, (1, C, H, W), to a reference, for the curve alone.
        on_interval: is shown the tracker before the first iteration and after every interval. After a fall
            it may be shown iterations again: the later showing is the one that counts.
        further_rules: stop rules that are watched beside the settings' own, and decide nothing.
        guide: (1, 3, H, W) in [0, 1], z of settings whose network input is a second image.

    Raises:
        ConfigurationError: the settings need a guide, and there is none.
        DivergenceError: the optimisation did not converge.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, equation 2.
    """
    with repeatable_on(device), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        canvas_px = settings.parameterization.canvas_px(*size_px)
        network = settings.parameterization.network(problem.y.shape[1], canvas_px)
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        generator = torch.Generator().manual_seed(seed)
        shape = settings.parameterization.input_shape(canvas_px)
        z = network_input(settings.network_input, shape, generator, guide)
        problem = _with_held_out_pixels(problem, settings.schedule.rule, generator).to(device)
        noise_generator = torch.Generator(device).manual_seed(seed)
        draw = _Drawing(network, z.to(device), size_px, settings, noise_generator)
        return minimize(
            draw, problem, network, settings.schedule, psnr_of, on_interval, further_rules, [noise_generator]
        )


def _with_held_out_pixels(problem: Problem, rule: StopRule, generator: torch.Generator) -> Problem:
    order = torch.rand(problem.y[:, :1].shape, generator=generator)
    if problem.operator.observed is not None:
        order = order + ~problem.operator.observed  # a missing pixel, which can tell nothing, comes last
    observed = int((order < 1).sum())
    count = rule.held_out(observed)
    if not count:
        return problem
    return replace(problem, held_out=order <= order.flatten().kthvalue(count).values)


class _Drawing:
    """Draws the output of an iteration, g(θ, z + noise), cropped to the image."""

    def __init__(
        self,
        network: nn.Module,
        z: Tensor,
        size_px: tuple[int, int],
        settings: Settings,
        generator: torch.Generator,
    ) -> None:
        self._network, self._size_px, self._deviation = network, size_px, settings.input_noise
        self._z = z.contiguous(memory_format=torch.channels_last)
        # torch draws normal numbers in vectors only into contiguous memory, which this is, channels last.
        self._noise = torch.empty_like(z.movedim(1, -1), memory_format=torch.contiguous_format)
        self._generator = generator
        self._precision = body_precision(z.device, settings.precision)

    def __call__(self, iteration: Tensor) -> Tensor:
        precision = self._precision
        with in_precision(self._z.device, precision):
            drawn: Tensor = self._network(self._noisy_input(iteration).to(precision))
        height_px, width_px = self._size_px
        return drawn[..., :height_px, :width_px]

    def _noisy_input(self, iteration: Tensor) -> Tensor:
        deviation = self._deviation
        level = deviation.at(iteration) if isinstance(deviation, Ramp) else deviation
        self._noise.normal_(generator=self._generator).mul_(level)
        return self._z + self._noise.movedim(-1, 1)
