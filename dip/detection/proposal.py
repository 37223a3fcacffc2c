"""Which pixels are proposed for repair: what is probably damaged, in pieces, with its soft border."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dip.configuration.vocabulary import USUAL_THRESHOLD
from dip.detection.probability import damage_probability
from dip.errors import MaskError
from dip.images.image import PixelMask, Pixels

FADING = 0.5
"""A piece goes on where it is this many times less probable than the threshold."""

LEAST_AREA_PX = 6
"""Smaller pieces are no damage that a person sees."""

CERTAIN, LEAST_CERTAIN_SHARE = 0.9, 1.5e-3
"""An image is damaged if such a share of its pixels is certain. With less, what looks like damage may be the
picture's own: of nine undamaged ones 1.3e-3 at most, of two worn prints 1.7e-3 and 3e-3."""

GROWN_PX = 1
"""How far the soft border of damage reaches. A pixel beyond drawn damage shows 27 % of its change, the next
14 %, and those farther off 10 %, of damage too faint to be marked. By 2 px, precision falls by a fifth."""

MOST_SHARE = 0.25
"""Of an image: who marks more repaints it."""

TOUCHING = np.ones((3, 3), bool)


@dataclass(frozen=True, eq=False)
class Proposal:
    """What is proposed for one image.

    Attributes:
        damaged: (H, W), True = to be repaired.
        probability: (H, W), float32 in [0, 1].
        pieces: marks that do not touch.
    """

    damaged: PixelMask
    probability: NDArray[np.float32]
    pieces: int

    @property
    def share(self) -> float:
        """Of the pixels, those that are marked."""
        return float(self.damaged.mean())


def propose_damage(pixels: Pixels, threshold: float = USUAL_THRESHOLD) -> Proposal:
    """Cracks, scratches, dust and losses, with their soft border.

    Args:
        pixels: (C, H, W) in [0, 1]; C is 1 or 3.
        threshold: probability from which a pixel is marked.

    Source: Canny, *A computational approach to edge detection*, 1986, for the hysteresis.

    >>> propose_damage(np.full((1, 64, 64), 0.5, np.float32)).pieces
    0
    """
    probability = damage_probability(pixels)
    damaged, pieces = marked(probability, threshold)
    return Proposal(damaged, probability, pieces)


def marked(probability: NDArray[np.float32], threshold: float) -> tuple[PixelMask, int]:
    """The mask of a probability (H, W), and how many pieces it has.

    >>> probability = np.zeros((40, 40), np.float32)
    >>> probability[10, 5:35] = 0.9, *[0.6] * 29
    >>> marked(probability, threshold=0.95)[1]
    0
    """
    from skimage.filters import apply_hysteresis_threshold  # which takes long to import

    if (probability >= CERTAIN).mean() < LEAST_CERTAIN_SHARE:
        return np.zeros(probability.shape, bool), 0
    found = apply_hysteresis_threshold(probability, FADING * threshold, threshold)  # type: ignore[no-untyped-call]
    labels, count = ndimage.label(found, TOUCHING)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    kept = areas >= LEAST_AREA_PX
    kept[0] = False
    grown: PixelMask = ndimage.binary_dilation(kept[labels], TOUCHING, GROWN_PX)
    return grown, pieces_of(grown)


def pieces_of(damaged: PixelMask) -> int:
    """How many marks of a mask (H, W) do not touch."""
    return int(ndimage.label(damaged, TOUCHING)[1])


def check_share(proposal: Proposal, image_id: str) -> None:
    """See that a proposal leaves most of an image as it is.

    Raises:
        MaskError: it would repaint too much of it.
    """
    if proposal.share > MOST_SHARE:
        raise MaskError(
            f"Expected damage on {MOST_SHARE:.0%} of an image at most; the proposal marks "
            f"{proposal.share:.0%} ({image_id}). Look at the overlay of `dip masks`; a higher "
            "--mask-threshold marks less, or paint a mask."
        )
