"""The networks that are educated: U-Nets of residual blocks that work at half resolution."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 3
HALVINGS = 4
"""Of the resolution: in the shuffle, and between the scales. Sides are padded to a multiple of 2^HALVINGS."""


LOSS_DISCOUNT = 4.0
"""By which a detector's logit of a loss is lowered. Without it, a bright chest, a bow and a cigarette of a
worn print, and the gap between two bathers, are taken for missing emulsion."""


class UNet(nn.Module):
    """A U-Net of residual blocks, whose finest scale has a part of the image's resolution.

    Without normalisation layers, so that tiles of an image are drawn as the whole would be.

    Attributes:
        widths: channels at each scale, from the finest down.
        blocks: residual blocks at each scale, on the way down and on the way up.
        shuffle: rows and columns of the pixels that the finest scale holds as channels.
    """

    def __init__(
        self, channels_in: int, channels_out: int, widths: tuple[int, ...], blocks: int, shuffle: int
    ) -> None:
        super().__init__()
        self.widths, self.blocks, self.shuffle = widths, blocks, shuffle
        finer, coarser = widths[:-1], widths[1:]
        self.head = nn.Conv2d(channels_in * shuffle**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_blocks(width, blocks) for width in widths)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(finer, coarser, strict=True))
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in zip(finer, coarser, strict=True)
        )
        self.up = nn.ModuleList(_blocks(width, blocks) for width in finer)
        self.tail = nn.Conv2d(widths[0], channels_out * shuffle**2, 3, padding=1)

    def drawn(self, image: Tensor) -> Tensor:
        """(B, channels_in, H, W) of any size to (B, channels_out, H, W)."""
        height, width = image.shape[-2:]
        drawn: Tensor = self.body(_padded(image, self.multiple))
        return drawn[..., :height, :width]

    @property
    def multiple(self) -> int:
        """Of what the sides of the padded image are."""
        made: int = self.shuffle * 2 ** (len(self.widths) - 1)
        return made

    def body(self, image: Tensor) -> Tensor:
        """The same, for sides that are multiples of `multiple`."""
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


class ResidualUNet(UNet):
    """x = y − d(y, m): what it draws is the damage d of an image whose pixels m were observed.

    Attributes:
        widths: channels at each scale, from the finest, which has half of the image's resolution, down.

    Example:
        >>> network = ResidualUNet((8, 16))
        >>> network(torch.zeros(1, 3, 20, 30), torch.ones(1, 1, 20, 30)).shape
        torch.Size([1, 3, 20, 30])
    """

    def __init__(self, widths: tuple[int, ...] = (48, 96, 128), blocks: int = 2, shuffle: int = 2) -> None:
        super().__init__(CHANNELS + 1, CHANNELS, widths, blocks, shuffle)

    def forward(self, y: Tensor, observed: Tensor) -> Tensor:
        """Restore images of three channels.

        Args:
            y: (B, 3, H, W), its holes filled; about 0 to 1.
            observed: (B, 1, H, W), 1 = observed, 0 = hole.

        Returns:
            (B, 3, H, W).
        """
        return y - self.drawn(torch.cat([y - 0.5, observed.expand(y.shape[0], -1, -1, -1)], dim=1))


class Detector(UNet):
    """What lies at each pixel: nothing, or one of some kinds of damage.

    Attributes:
        kinds: of damage.

    Example:
        >>> Detector((8, 16), kinds=5)(torch.zeros(1, 3, 20, 30)).shape
        torch.Size([1, 6, 20, 30])
    """

    def __init__(
        self, widths: tuple[int, ...] = (32, 48, 64, 96), blocks: int = 2, shuffle: int = 2, kinds: int = 5
    ) -> None:
        super().__init__(CHANNELS, kinds + 1, widths, blocks, shuffle)
        self.kinds = kinds

    def forward(self, image: Tensor) -> Tensor:
        """Logits of images (B, 3, H, W) in [0, 1]: (B, kinds + 1, H, W), no damage first, stains last."""
        return self.drawn(image - 0.5)

    @staticmethod
    def log_odds(logits: Tensor) -> Tensor:
        """Of damage that hides the picture against none, or a stain: (B, 1, H, W).

        Losses, the last kind but stains, need more evidence: who fills in error what is broad repaints more.
        """
        thin, loss = logits[:, 1:-2], logits[:, -2:-1] - LOSS_DISCOUNT
        hidden = torch.logsumexp(torch.cat([thin, loss], dim=1), dim=1, keepdim=True)
        return hidden - torch.logsumexp(logits[:, [0, -1]], dim=1, keepdim=True)


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
