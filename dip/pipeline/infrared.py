"""Masks by infrared: the channel is found, in an image's own file or beside it, and asked for the damage."""

from dip import images
from dip.errors import MaskError
from dip.images import Image
from dip.images.image import Pixels
from dip.operators.infrared import Proposal, propose_by_infrared
from dip.pipeline.job import Job


def proposal_for(job: Job, source: Image, beside: bytes | None) -> Proposal | None:
    """What is damaged by the infrared; None where there is none.

    Args:
        job: of the image.
        source: a page of it.
        beside: the bytes of the file beside it, if there is one.

    Raises:
        MaskError: the infrared cannot be read, has another size, or tells nothing of dust.
    """
    infrared = _infrared_of(job, source, beside)
    if infrared is None:
        return None
    try:
        return propose_by_infrared(source.pixels, infrared)
    except MaskError as error:
        raise MaskError(f"{error} ({job.image_id})") from error


def _infrared_of(job: Job, source: Image, beside: bytes | None) -> Pixels | None:
    if beside is not None and job.mask_id is not None:
        return images.read_infrared(beside, job.mask_id, source.size_px)
    return images.infrared_in(source, job.image_id)


def nothing_found(job: Job) -> str:
    """Where was looked, in a sentence."""
    return (
        "Expected an infrared channel: a fourth sample of no known meaning, a grey page of the image's size, "
        f"or a file beside the image, named after it; there is none of them ({job.image_id}). "
        "Say what follows the names of such files: --infrared-suffix."
    )


def notes_on(proposal: Proposal) -> list[str]:
    """What is worth a note in the row."""
    notes = []
    if proposal.shift_px is None:
        notes.append("How far the infrared lies off the image could not be told; it was taken as it lies.")
    elif any(proposal.shift_px):
        down, right = proposal.shift_px
        notes.append(f"The infrared was moved {down:g} pixels down and {right:g} right to lie on the image.")
    if proposal.is_capped:
        notes.append("More is dark in infrared than can be dust; the darkest alone is marked.")
    return notes
