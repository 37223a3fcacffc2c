"""A proposal of what to repair in one image: its mask, and what a person looks at to judge it."""

import io
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dip import images
from dip.detection import Proposal, check_share, pieces_of, propose_damage
from dip.errors import ImageError, StorageError
from dip.images import Image
from dip.images.image import PixelMask
from dip.pipeline.job import Job, Outcome

RED = np.array([[[1.0]], [[0.0]], [[0.0]]], np.float32)


@dataclass(frozen=True)
class MaskOutcome(Outcome):
    """What became of one image.

    Attributes:
        share: of the pixels that its mask marks.
        pieces: marks that do not touch.
    """

    share: float | None = None
    pieces: int | None = None


def propose_mask(job: Job) -> MaskOutcome:
    """Write the proposed mask of an image, white = repair, its probability, and an overlay to look at.

    A mask that is there stays: somebody may have retouched it.

    Returns:
        `proposed` if there is something to repair, `empty` if not, `kept` if there was a mask, `failed` if
        the image cannot be read, or too much of it is marked.

    Raises:
        StorageError: the output cannot be written.
    """
    try:
        if job.output.exists(mask_name(job.image_id)):
            return _kept(job)
        source = images.decode(job.source.read(job.image_id), job.image_id)
    except (ImageError, StorageError) as error:
        return MaskOutcome(job.image_id, "failed", str(error))
    proposal = propose_damage(source.pixels, job.mask_threshold)
    job.output.write(overlay_name(job.image_id), _overlay(source, proposal.damaged))
    job.output.write(probability_name(job.image_id), _encoded(proposal.probability))
    try:
        check_share(proposal, job.image_id)
    except ImageError as error:
        return MaskOutcome(job.image_id, "failed", str(error), proposal.share, proposal.pieces)
    # The mask comes last: who finds one takes the image for done.
    job.output.write(mask_name(job.image_id), encode_mask(proposal.damaged))
    return _outcome(job, "proposed" if proposal.pieces else "empty", proposal)


def _outcome(job: Job, status: str, proposal: Proposal) -> MaskOutcome:
    return MaskOutcome(job.image_id, status, None, proposal.share, proposal.pieces)


def _kept(job: Job) -> MaskOutcome:
    """What a mask that is there marks."""
    name = mask_name(job.image_id)
    content = job.output.read(name)
    damaged = ~images.read_mask(content, name, images.decode(content, name).size_px, "white")
    return MaskOutcome(job.image_id, "kept", None, float(damaged.mean()), pieces_of(damaged))


def mask_name(image_id: str) -> str:
    """Where the mask of an image lies below the output; a restoration finds it below `masks`."""
    return f"masks/{images.derivative_name(image_id, 'png')}"


def probability_name(image_id: str) -> str:
    """Where the probability lies, black = 0, white = 1."""
    return f"probability/{images.derivative_name(image_id, 'png')}"


def overlay_name(image_id: str) -> str:
    """Where the overlay lies, for people alone."""
    return f"overlays/{image_id}.jpg"


def encode_mask(damaged: PixelMask) -> bytes:
    """(H, W), True = to be repaired, as a PNG."""
    return _encoded(damaged.astype(np.float32))


def _encoded(plane: NDArray[np.float32]) -> bytes:
    return images.encode(Image(plane[None]), "png")


def _overlay(source: Image, damaged: PixelMask) -> bytes:
    planes = np.where(damaged, RED, np.broadcast_to(source.pixels, (3, *source.size_px)))
    levels = np.rint(planes * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(levels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()
