"""The network that starts are educated for: a residual U-Net that works at half resolution."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 3
HALVINGS = 4
"""Of the resolution: in the shuffle, and between the scales. Sides are padded to a multiple of 2^HALVINGS."""


class ResidualUNet(nn.Module):
    """x = y − d(y, m): what it draws is the damage d of an image whose pixels m were observed.

    Without normalisation layers, so that tiles of an image are drawn as the whole would be.

    Attributes:
        widths: channels at each scale, from the finest, which has half of the image's resolution, down.

    Example:
        >>> network = ResidualUNet((8, 16))
        >>> network(torch.zeros(1, 3, 20, 30), torch.ones(1, 1, 20, 30)).shape
        torch.Size([1, 3, 20, 30])
    """

    def __init__(self, widths: tuple[int, ...] = (48, 96, 128), blocks: int = 2, shuffle: int = 2) -> None:
        super().__init__()
        self.widths, self.blocks, self.shuffle = widths, blocks, shuffle
        finer, coarser = widths[:-1], widths[1:]
        self.head = nn.Conv2d((CHANNELS + 1) * shuffle**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_blocks(width, blocks) for width in widths)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(finer, coarser, strict=True))
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(finer, coarser, strict=True)
        )
        self.up = nn.ModuleList(_blocks(width, blocks) for width in finer)
        self.tail = nn.Conv2d(widths[0], CHANNELS * shuffle**2, 3, padding=1)

    def forward(self, y: Tensor, observed: Tensor) -> Tensor:
        """Restore images of three channels.

        Args:
            y: (B, 3, H, W), its holes filled; about 0 to 1.
            observed: (B, 1, H, W), 1 = observed, 0 = hole.

        Returns:
            (B, 3, H, W).
        """
        height, width = y.shape[-2:]
        padded = _padded(torch.cat([y - 0.5, observed.expand(y.shape[0], -1, -1, -1)], dim=1), self.multiple)
        damage: Tensor = self.damage(padded)
        return y - damage[..., :height, :width]

    @property
    def multiple(self) -> int:
        """Of what the sides of the padded image are."""
        made: int = self.shuffle * 2 ** (len(self.widths) - 1)
        return made

    def damage(self, image: Tensor) -> Tensor:
        """d: (B, 4, H, W) to (B, 3, H, W), with sides that are multiples of `multiple`."""
        features = self.head(F.pixel_unshuffle(image, self.shuffle))
        kept = []
        for scale, shrink in zip(self.down[:-1], self.shrink, strict=True):
            features = scale(features)
            kept.append(features)
            features = shrink(features)
        features = self.down[-1](features)
        for scale, grow, same in zip(reversed(self.up), reversed(self.grow), reversed(kept), strict=True):
            features = scale(grow(features) + same)
        return F.pixel_shuffle(self.tail(features), self.shuffle)


class _Block(nn.Module):
    """h + C₂ relu(C₁ h), which begins as h."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        drawn: Tensor = self.second(F.relu(self.first(features)))
        return features + drawn


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(width) for _ in range(count)))


def _padded(image: Tensor, multiple: int) -> Tensor:
    """The image with its last rows and columns repeated, so that the sides are multiples."""
    height, width = image.shape[-2:]
    return F.pad(image, (0, -width % multiple, 0, -height % multiple), mode="replicate")
