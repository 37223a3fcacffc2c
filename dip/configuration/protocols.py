"""The named protocols of evaluations: how the input is made, and what of the output is compared.

Numbers compare under one name only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

KernelName = Literal["bicubic", "box", "lanczos2", "lanczos3"]


@dataclass(frozen=True)
class EvaluationProtocol:
    """How an evaluation is done.

    Attributes:
        task: what it evaluates.
        kernel: downsampling kernel of its low resolution, where it prescribes one.
        clips_noise: whether a noisy input is clipped to [0, 1].
        crop_multiple: references are cropped around their centre to a multiple of it; None crops what
            the scale factor asks for, at the lower right.
        is_luma: whether only the Y channel of ITU-R BT.601 is compared, in place of all channels.
        shave_px: width of the border that is left out; None is the scale factor.
        reading: of a masked image: `whole`, `pasted` (whole, known pixels pasted back), or the `hole` alone.
    """

    task: str
    kernel: KernelName | None = None
    clips_noise: bool = False
    crop_multiple: int | None = None
    is_luma: bool = False
    shave_px: int | None = 0
    reading: Literal["whole", "pasted", "hole"] = "whole"


PROTOCOLS: Mapping[str, EvaluationProtocol] = MappingProxyType(
    {
        "denoise-rgb": EvaluationProtocol("denoise"),
        "denoise-rgb-clipped": EvaluationProtocol("denoise", clips_noise=True),
        "inpaint-pasted": EvaluationProtocol("inpaint", reading="pasted"),
        "inpaint": EvaluationProtocol("inpaint"),
        "inpaint-hole": EvaluationProtocol("inpaint", reading="hole"),
        "sr-y-shave": EvaluationProtocol("super-resolution", kernel="bicubic", is_luma=True, shave_px=None),
        # Source: the evaluation of Ulyanov et al., CVPR 2018, section 3.2, and its public code.
        "dip-paper": EvaluationProtocol(
            "super-resolution", "lanczos3", crop_multiple=32, is_luma=True, shave_px=4
        ),
    }
)


def protocols_of(task: str) -> list[str]:
    """The names of a task's protocols, its default first."""
    return [name for name, protocol in PROTOCOLS.items() if protocol.task == task]
