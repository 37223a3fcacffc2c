"""The eight ways to lay an image: on one of four sides, seen from the front or from the back."""

from torch import Tensor

ORIENTATIONS = 8


def oriented(image: Tensor, orientation: int) -> Tensor:
    """An image (B, C, H, W) laid another way, 0 to 7; from 4 on it is (B, C, W, H).

    >>> import torch
    >>> oriented(torch.tensor([[[[1, 2], [3, 4]]]]), 5)
    tensor([[[[2, 4],
              [1, 3]]]])
    """
    if orientation & 1:
        image = image.flip(3)
    if orientation & 2:
        image = image.flip(2)
    return image.transpose(2, 3) if orientation & 4 else image


def upright(image: Tensor, orientation: int) -> Tensor:
    """An image laid as it was before `oriented`.

    >>> import torch
    >>> image = torch.rand(1, 3, 4, 6)
    >>> all(torch.equal(upright(oriented(image, way), way), image) for way in range(ORIENTATIONS))
    True
    """
    if orientation & 4:
        image = image.transpose(2, 3)
    if orientation & 2:
        image = image.flip(2)
    return image.flip(3) if orientation & 1 else image
