"""Masks by infrared: how files that hold it beside their images are named."""

import re
from typing import Annotated

import typer
from pydantic import AfterValidator, Field

from dip.configuration.vocabulary import USUAL_THRESHOLD
from flows.parameters.work import MaskThreshold, SourceParameters, WorkParameters

BY_INFRARED = "infrared"
"""In place of where masks are. A folder of that name is `./infrared`."""

USUAL_SUFFIXES = ("_ir", "-ir")


def _suffix(text: str) -> str:
    if not re.fullmatch(r"[\w.+ -]*[\w+ -]", text):
        raise ValueError("expected letters, digits and . _ + - alone to follow the names of images")
    return text


class InfraredParameters(SourceParameters, frozen=True):
    """Where infrared channels lie beside images.

    Attributes:
        infrared_suffix: what follows the name of an image in that of the file with its infrared channel; None
            for `_ir` or `-ir`.
    """

    infrared_suffix: Annotated[
        str | None,
        Field(min_length=1, max_length=100),
        AfterValidator(lambda text: None if text is None else _suffix(text)),
        typer.Option(
            "--infrared-suffix",
            metavar="TEXT",
            help="Follows the names of files that hold the infrared beside an image, else _ir or -ir.",
        ),
    ] = None

    @property
    def infrared_suffixes(self) -> tuple[str, ...]:
        """What files with infrared channels are told by; none where there is no use for them."""
        if not self.uses_infrared:
            return ()
        return USUAL_SUFFIXES if self.infrared_suffix is None else (self.infrared_suffix,)

    @property
    def uses_infrared(self) -> bool:
        """Whether masks are proposed by infrared channels."""
        raise NotImplementedError


class MasksParameters(WorkParameters, InfraredParameters, frozen=True):
    """Proposals of masks.

    Attributes:
        infrared: whether they are made by infrared channels, not by the images themselves.
        mask_threshold: probability of damage from which a pixel is marked; None for the usual.
    """

    infrared: Annotated[
        bool,
        typer.Option("--infrared", help="By the infrared channels of film scans."),
    ] = False
    mask_threshold: MaskThreshold = None

    @property
    def least_probability(self) -> float:
        """The threshold, or the usual one."""
        return USUAL_THRESHOLD if self.mask_threshold is None else self.mask_threshold

    @property
    def uses_infrared(self) -> bool:
        """Whether masks are proposed by infrared channels."""
        return self.infrared
