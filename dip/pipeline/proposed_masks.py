"""A proposal of what to repair in one image: its mask, and what a person looks at to judge it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image

from dip import images
from dip.detection import Proposal, check_share, pieces_of, propose_damage
from dip.errors import ImageError, MaskError, StorageError
from dip.images import Image
from dip.images.image import ONLY_PAGE, PageNumber, PixelMask
from dip.pipeline.infrared import nothing_found, proposal_for
from dip.pipeline.job import Job, Outcome

RED = np.array([[[1.0]], [[0.0]], [[0.0]]], np.float32)


@dataclass(frozen=True)
class MaskOutcome(Outcome):
    """What became of one image.

    Attributes:
        share: of the pixels that its mask marks.
        pieces: marks that do not touch, on all pages.
    """

    share: float | None = None
    pieces: int | None = None


def propose_mask(job: Job) -> MaskOutcome:
    """Write the proposed mask of an image, white = repair, its probability, and an overlay to look at.

    A mask that is there stays: somebody may have retouched it.

    Returns:
        `proposed` if there is something to repair, `empty` if not, `kept` if there was a mask, `failed` if
        the image cannot be read, or too much of a page is marked.

    Raises:
        StorageError: the output cannot be written.
    """
    try:
        there = _mask_there(job)
        if there is not None:
            return _outcome(job, "kept", _marked_in(job, there))
        pages = images.Pages(job.source.read(job.image_id), job.image_id, job.infrared)
        proposed = [_proposed(pages, PageNumber(n, len(pages)), job) for n in range(len(pages))]
    except (ImageError, StorageError) as error:
        return MaskOutcome(job.image_id, "failed", str(error))
    # The mask comes last: who finds one takes the image for done.
    count = len(pages)
    masks = [encode_mask(damaged, mask_format(count)) for damaged in proposed]
    job.output.write(mask_name(job.image_id, count), images.joined(masks, mask_format(count)))
    return _outcome(job, "proposed" if any(map(np.any, proposed)) else "empty", proposed)


def _outcome(job: Job, status: str, masks: Sequence[PixelMask]) -> MaskOutcome:
    share = sum(int(damaged.sum()) for damaged in masks) / sum(damaged.size for damaged in masks)
    return MaskOutcome(job.image_id, status, None, share, sum(map(pieces_of, masks)))


def _mask_there(job: Job) -> str | None:
    """Name of the mask that the output holds already, if it does."""
    names = mask_name(job.image_id), mask_name(job.image_id, pages=2)
    return next((name for name in names if job.output.exists(name)), None)


def _marked_in(job: Job, name: str) -> list[PixelMask]:
    """What the pages of a mask mark.

    Raises:
        ImageError: it cannot be read.
    """
    content = job.output.read(name)
    pages = images.Pages(content, name)
    sizes = [pages.decoded(number).size_px for number in range(len(pages))]
    return [
        ~images.read_mask(content, name, size_px, "white", PageNumber(number, len(pages)))
        for number, size_px in enumerate(sizes)
    ]


def _proposed(pages: images.Pages, page: PageNumber, job: Job) -> PixelMask:
    """The mask of a page, whose overlay and probability are written.

    Raises:
        ImageError: it cannot be read, or is marked too much; the sentence names the page.
    """
    try:
        source = pages.decoded(page.number)
        damaged = _by_infrared(job, source, page) if job.infrared else _by_network(job, source, page)
    except ImageError as error:
        raise type(error)(str(error) if page.count == 1 else f"{page}: {error}") from error
    return damaged


def _by_network(job: Job, source: Image, page: PageNumber) -> PixelMask:
    """What the detector marks; its probability is written.

    Raises:
        MaskError: too much is marked.
    """
    proposal = propose_damage(source.pixels, job.mask_threshold)
    _write_to_look_at(source, proposal, page, job)
    check_share(proposal, job.image_id)
    return proposal.damaged


def _write_to_look_at(source: Image, proposal: Proposal, page: PageNumber, job: Job) -> None:
    job.output.write(overlay_name(job.image_id, page), _overlay(source, proposal.damaged))
    probability = images.encode(Image(proposal.probability[None]), "png")
    job.output.write(probability_name(job.image_id, page), probability)


def _by_infrared(job: Job, source: Image, page: PageNumber) -> PixelMask:
    beside = None if job.masks is None or job.mask_id is None else job.masks.read(job.mask_id)
    proposal = proposal_for(job, source, beside)
    if proposal is None:
        raise MaskError(nothing_found(job))
    job.output.write(overlay_name(job.image_id, page), _overlay(source, proposal.damaged))
    return proposal.damaged


def mask_format(pages: int) -> images.FileFormat:
    """Of the mask of an image with so many pages."""
    return "png" if pages == 1 else "tiff"


def mask_name(image_id: str, pages: int = 1) -> str:
    """Where the mask of an image lies below the output; a restoration finds it below `masks`."""
    return f"masks/{images.derivative_name(image_id, mask_format(pages))}"


def overlay_name(image_id: str, page: PageNumber = ONLY_PAGE) -> str:
    """Where the overlay of a page lies, for people alone."""
    return f"overlays/{image_id}{_suffix_of(page)}.jpg"


def probability_name(image_id: str, page: PageNumber = ONLY_PAGE) -> str:
    """Where the probability of a page lies, black = 0, white = 1."""
    return f"probability/{image_id}{_suffix_of(page)}.png"


def _suffix_of(page: PageNumber) -> str:
    return "" if page.count == 1 else f".{page.number + 1}"


def encode_mask(damaged: PixelMask, file_format: images.FileFormat = "png") -> bytes:
    """(H, W), True = to be repaired, as a file."""
    return images.encode(Image(damaged[None].astype(np.float32)), file_format)


def _overlay(source: Image, damaged: PixelMask) -> bytes:
    planes = np.where(damaged, RED, np.broadcast_to(source.pixels, (3, *source.size_px)))
    levels = np.rint(planes * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(levels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()
