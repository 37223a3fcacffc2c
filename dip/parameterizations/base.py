"""What every parameterization of images offers."""

from typing import Protocol

from torch import nn


class Parameterization(Protocol):
    """g, as a value: a frozen dataclass of plain numbers and words that say how the network is built."""

    def canvas_px(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Height and width of the smallest canvas it can draw an image of height_px × width_px on.

        The image is the canvas's upper left part.
        """

    def input_shape(self, canvas_px: tuple[int, int]) -> tuple[int, int, int]:
        """(channels, height, width) of the network input z for a canvas."""

    def network(self, output_channels: int, canvas_px: tuple[int, int]) -> nn.Module:
        """A fresh network, with weights from torch's global generator.

        It maps z, (1, *input_shape(canvas_px)), to an image, (1, output_channels, *canvas_px),
        float32, whatever the precision of its body.
        """
