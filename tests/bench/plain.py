"""Deep Image Prior as anyone would write it from the paper: what the product is timed against.

Network D in eager float32, channels first, Adam, the PSNR taken on the host at every iteration. Defaults
are torch's, by which convolutions on a GPU are in TF32.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Beside(nn.Module):
    """Two branches, their channels joined."""

    def __init__(self, one: nn.Module, other: nn.Module) -> None:
        super().__init__()
        self.one, self.other = one, other

    def forward(self, features: Tensor) -> Tensor:
        """Run both."""
        return torch.cat([self.one(features), self.other(features)], 1)


def block(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A padded convolution, normalized and activated."""
    return nn.Sequential(
        nn.ReflectionPad2d(kernel // 2),
        nn.Conv2d(inputs, outputs, kernel, stride),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2, inplace=True),
    )


def hourglass(inputs: int, scales: int, width: int = 128, skip: int = 4) -> nn.Sequential:
    """Network D without its head."""
    deeper = [block(inputs, width, 3, 2), block(width, width, 3)]
    if scales > 1:
        deeper.append(hourglass(width, scales - 1))
    deeper.append(nn.Upsample(scale_factor=2, mode="bilinear"))
    return nn.Sequential(
        Beside(block(inputs, skip, 1), nn.Sequential(*deeper)),
        nn.BatchNorm2d(width + skip),
        block(width + skip, width, 3),
        block(width, width, 1),
    )


def fit(noisy: Tensor, reference: Tensor, seed: int, device: str = "cpu") -> Iterator[float]:
    """Denoise (1, 3, H, W), for ever; the PSNR of the averaged output, dB, after each iteration."""
    torch.manual_seed(seed)
    network = nn.Sequential(hourglass(32, 5), nn.Conv2d(128, 3, 1), nn.Sigmoid()).to(device)
    noisy = noisy.to(device)
    z = 0.1 * torch.rand(1, 32, *noisy.shape[2:], device=device)
    optimizer, distance = torch.optim.Adam(network.parameters(), lr=0.01), nn.MSELoss()
    average = None
    while True:
        optimizer.zero_grad()
        output = network(z + torch.randn_like(z) / 30)
        loss = distance(output, noisy)
        loss.backward()
        optimizer.step()
        output = output.detach()
        average = output if average is None else 0.99 * average + 0.01 * output
        yield -10 * math.log10((average.cpu().clamp(0, 1) - reference).square().mean().item())
