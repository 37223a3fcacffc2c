"""A deep random projector: its convolutions stay as they were drawn, z and the normalizations are fitted.

The recipe for denoising: one scale, width 64, Adam at 0.1, √MSE + 0.45 · mean |∇|.
Source: Li et al., *Deep Random Projector: Accelerated Deep Image Prior*, CVPR 2023.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from tests.bench.subject import psnr_db

WIDTH, LEARNING_RATE, TV_WEIGHT = 64, 0.1, 0.45


def frozen(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution that is not fitted, normalized and activated."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="reflect").requires_grad_(False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, inplace=True))


def network(width: int) -> nn.Sequential:
    """One scale: to half the size and back."""
    return nn.Sequential(
        frozen(width, width, 2),
        frozen(width, width),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        frozen(width, width),
        nn.Conv2d(width, 3, 1).requires_grad_(False),
        nn.Sigmoid(),
    )


def fit(noisy: Tensor, reference: Tensor, seed: int) -> Iterator[float]:
    """Denoise (1, 3, H, W), H and W even, for ever; the PSNR of the output, dB, after each iteration."""
    torch.manual_seed(seed)
    projector = network(WIDTH).to(noisy.device)
    z = nn.Parameter(0.1 * torch.rand(1, WIDTH, *noisy.shape[2:], device=noisy.device))
    fitted = [z, *(parameter for parameter in projector.parameters() if parameter.requires_grad)]
    optimizer = torch.optim.Adam(fitted, LEARNING_RATE)
    while True:
        optimizer.zero_grad()
        output = projector(z)
        gradient = output.diff(dim=2).abs().mean() + output.diff(dim=3).abs().mean()
        loss = (output - noisy).square().mean().sqrt() + TV_WEIGHT * gradient
        loss.backward()
        optimizer.step()
        yield psnr_db(output.detach(), reference).item()
