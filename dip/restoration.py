"""The restoration of one image: x* = g(θ*, z), θ* = argmin E(A g(θ, z), y)."""

from collections.abc import Callable

import torch
from torch import Tensor

from dip.objective import squared_error
from dip.operators import ForwardOperator
from dip.optimize.device import body_precision, one_thread_on
from dip.optimize.loop import Fit, minimize
from dip.parameterizations.network_input import canvas_size_px, uniform_noise
from dip.parameterizations.skip import SkipNetwork
from dip.presets import Settings


def restore(
    measurement: Tensor,
    operator: ForwardOperator,
    size_px: tuple[int, int],
    settings: Settings,
    seed: int,
    device: torch.device,
    psnr_of: Callable[[Tensor], Tensor] | None = None,
) -> Fit:
    """Restore one image from its measurement.

    The network draws on a canvas of the size it needs, and the image is the canvas's upper left
    part: any size is possible, and pixels beyond the image enter no term.

    Args:
        measurement: y, (1, C, h, w), float32, C = 1 or 3.
        operator: A, from (1, C, H, W) to the measurement's shape.
        size_px: (H, W) of the image to restore.
        settings: network, noise, schedule and precision.
        seed: of the weights, z and the input noise. On one type of device the result depends on
            nothing but the arguments.
        device: where to run.
        psnr_of: PSNR of an output, (1, C, H, W), to a reference, for the curve alone.

    Raises:
        DivergenceError: the optimisation did not converge.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, equation 2.
    """
    with one_thread_on(device), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SkipNetwork(settings.architecture, measurement.shape[1])
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        y, operator = measurement.to(device), operator.to(device)
        return minimize(
            forward=_drawing(network, size_px, settings, seed, device),
            loss_of=lambda output: squared_error(operator(output), y),
            network=network,
            schedule=settings.schedule,
            psnr_of=psnr_of,
        )


def _drawing(
    network: SkipNetwork, size_px: tuple[int, int], settings: Settings, seed: int, device: torch.device
) -> Callable[[], Tensor]:
    """The function that draws the next output, g(θ, z + noise), cropped to the image."""
    height_px, width_px = size_px
    canvas = canvas_size_px(height_px, width_px, settings.architecture.scales)
    z = uniform_noise(settings.architecture.input_channels, canvas, torch.Generator().manual_seed(seed))
    z = z.to(device)
    noise = torch.empty_like(z)  # contiguous: only so does torch draw normal numbers in vectors
    generator = torch.Generator(device).manual_seed(seed)
    precision = body_precision(device, settings.precision)

    def draw() -> Tensor:
        noise.normal_(0, settings.input_noise, generator=generator)
        with torch.autocast(device.type, dtype=precision, enabled=precision is not torch.float32):
            drawn: Tensor = network((z + noise).contiguous(memory_format=torch.channels_last))
        return drawn[..., :height_px, :width_px]

    return draw
