"""A proposal of what to repair in one image: its mask, and the image with the mask drawn on it."""

import io

import numpy as np
import PIL.Image

from dip import images
from dip.errors import ImageError, StorageError
from dip.images import Image
from dip.images.image import PixelMask
from dip.operators.damage import propose_damage
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
        source = images.decode(job.source.read(job.image_id), job.image_id)
    except (ImageError, StorageError) as error:
        return Outcome(job.image_id, "failed", str(error))
    damaged = propose_damage(source.pixels)
    job.output.write(overlay_name(job.image_id), _overlay(source, damaged))
    # The mask comes last: who finds one takes the image for done.
    job.output.write(mask_name(job.image_id), encode_mask(damaged))
    return Outcome(job.image_id, "restored" if damaged.any() else "skipped")


def mask_name(image_id: str) -> str:
    """Where the mask of an image lies below the output; a restoration finds it below `masks`."""
    return f"masks/{images.derivative_name(image_id, 'png')}"


def overlay_name(image_id: str) -> str:
    """Where the overlay lies, for people alone."""
    return f"overlays/{image_id}.jpg"


def encode_mask(damaged: PixelMask) -> bytes:
    """(H, W), True = to be repaired, as a PNG."""
    return images.encode(Image(damaged[None].astype(np.float32)), "png")


def _overlay(source: Image, damaged: PixelMask) -> bytes:
    planes = np.where(damaged, RED, np.broadcast_to(source.pixels, (3, *source.size_px)))
    levels = np.rint(planes * 255).astype(np.uint8).transpose(1, 2, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(levels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()
