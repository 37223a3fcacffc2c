"""A proposal of what to repair in one image: its mask, and the image with the mask drawn on it."""

import io

import numpy as np
import PIL.Image

from dip import images
from dip.errors import ImageError, MaskError, StorageError
from dip.images import Image
from dip.images.image import ONLY_PAGE, PageNumber, PixelMask
from dip.operators.damage import propose_damage
from dip.pipeline.infrared import nothing_found, proposal_for
from dip.pipeline.job import Job, Outcome

RED = np.array([[[1.0]], [[0.0]], [[0.0]]], np.float32)


def propose_mask(job: Job) -> Outcome:
    """Write the proposed mask of an image, white = repair, and an overlay to look at.

    Returns:
        `restored` if there is something to repair, `skipped` if the mask is empty, `failed` if the image
        cannot be read.

    Raises:
        StorageError: the output cannot be written.
    """
    try:
        pages = images.Pages(job.source.read(job.image_id), job.image_id, job.infrared)
        proposed = [_proposed(pages, PageNumber(n, len(pages)), job) for n in range(len(pages))]
    except (ImageError, StorageError) as error:
        return Outcome(job.image_id, "failed", str(error))
    # The mask comes last: who finds one takes the image for done.
    count = len(pages)
    masks = [encode_mask(damaged, mask_format(count)) for damaged in proposed]
    job.output.write(mask_name(job.image_id, count), images.joined(masks, mask_format(count)))
    return Outcome(job.image_id, "restored" if any(map(np.any, proposed)) else "skipped")


def _proposed(pages: images.Pages, page: PageNumber, job: Job) -> PixelMask:
    """The mask of a page, whose overlay is written.

    Raises:
        ImageError: it cannot be read; the sentence names the page.
    """
    try:
        source = pages.decoded(page.number)
    except ImageError as error:
        raise type(error)(str(error) if page.count == 1 else f"{page}: {error}") from error
    damaged = _by_infrared(job, source) if job.infrared else propose_damage(source.pixels)
    job.output.write(overlay_name(job.image_id, page), _overlay(source, damaged))
    return damaged


def _by_infrared(job: Job, source: Image) -> PixelMask:
    beside = None if job.masks is None or job.mask_id is None else job.masks.read(job.mask_id)
    proposal = proposal_for(job, source, beside)
    if proposal is None:
        raise MaskError(nothing_found(job))
    return proposal.damaged


def mask_format(pages: int) -> images.FileFormat:
    """Of the mask of an image with so many pages."""
    return "png" if pages == 1 else "tiff"


def mask_name(image_id: str, pages: int = 1) -> str:
    """Where the mask of an image lies below the output; a restoration finds it below `masks`."""
    return f"masks/{images.derivative_name(image_id, mask_format(pages))}"


def overlay_name(image_id: str, page: PageNumber = ONLY_PAGE) -> str:
    """Where the overlay of a page lies, for people alone."""
    return f"overlays/{image_id}.jpg" if page.count == 1 else f"overlays/{image_id}.{page.number + 1}.jpg"


def encode_mask(damaged: PixelMask, file_format: images.FileFormat = "png") -> bytes:
    """(H, W), True = to be repaired, as a file."""
    return images.encode(Image(damaged[None].astype(np.float32)), file_format)


def _overlay(source: Image, damaged: PixelMask) -> bytes:
    planes = np.where(damaged, RED, np.broadcast_to(source.pixels, (3, *source.size_px)))
    levels = np.rint(planes * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(levels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()
