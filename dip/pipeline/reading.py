"""The first stage: an image, its mask and its guide are read, and what needs no restoration is left alone."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from dip import images
from dip.configuration import Configuration
from dip.configuration.registry import METHODS, OPERATORS
from dip.detection import check_share, propose_damage
from dip.errors import ImageSkipped, MaskError
from dip.images import Image
from dip.images.image import ONLY_PAGE, PageNumber, PixelMask, Pixels
from dip.images.noise import estimate_noise
from dip.pipeline.infrared import notes_on, nothing_found, proposal_for
from dip.pipeline.job import Job
from dip.storage.results import Row


@dataclass(frozen=True, eq=False)
class Given:
    """An image as it is given.

    Attributes:
        source: the image.
        observed: (H, W), True = observed, where a mask hides pixels, or transparency does.
        guide: (3, H, W) in [0, 1], another image of the same scene, if the network draws from one.
        visible: (H, W), True = visible, where the image is transparent elsewhere.
    """

    source: Image
    observed: PixelMask | None = None
    guide: Pixels | None = None
    visible: PixelMask | None = None


class Files:
    """The files of a job, each read when it is asked for, and once.

    Raises:
        StorageError: the storage does not answer; at reading.
        ImageError: the image has pages, and there is use for one alone; or none can be read.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    @cached_property
    def content(self) -> bytes:
        """Of the image's file."""
        return self._job.source.read(self._job.image_id)

    @cached_property
    def pages(self) -> images.Pages:
        """Of the image. In an evaluation there is one."""
        pages = images.Pages(self.content, self._job.image_id, self._job.infrared)
        if self._job.configuration.degradation is not None:
            pages.check_single()
        return pages

    @cached_property
    def mask(self) -> bytes | None:
        """Of the mask's file, or the infrared's, if there is one."""
        job = self._job
        return None if job.masks is None or job.mask_id is None else job.masks.read(job.mask_id)

    @cached_property
    def guide(self) -> bytes | None:
        """Of the guide's file, if there are guides."""
        guides = self._job.guides
        return None if guides is None else guides.read(self._job.image_id)


@dataclass
class Reader:
    """Reads what belongs to a page of a job; its row fills up on the way."""

    job: Job
    row: Row
    files: Files
    page: PageNumber = ONLY_PAGE

    @property
    def configuration(self) -> Configuration:
        """The job's."""
        return self.job.configuration

    def read(self) -> Given:
        """The source image, and what belongs to it.

        Raises:
            ImageSkipped: there is nothing to be done on it.
            ImageError: it, its mask or its guide cannot be read, or do not go together.
            StorageError: the storage does not answer.
        """
        source = self.files.pages.decoded(self.page.number)
        self.row.notes = list(source.notes)
        self.row.height_px, self.row.width_px = source.size_px
        self.row.channels, self.row.bit_depth = source.channels, source.bit_depth
        if self.configuration.degradation is not None:
            return Given(source)
        self.row.noise_sigma = estimate_noise(source.pixels)
        guide = self.read_guide(source)
        observed = self.read_mask(source)
        if observed is None and OPERATORS[self.configuration.task].denoises:
            self.check_noise()
        visible = self.read_visible(source)
        if visible is not None:
            observed = visible if observed is None else observed & visible
        return Given(source.reduced_to_grey(), observed, guide, visible)

    def check_noise(self) -> None:
        """Leave an image alone that has no noise, and nothing else to be done on it."""
        sigma, floor = self.row.noise_sigma, self.job.noise_floor
        if sigma is not None and sigma < floor:
            raise ImageSkipped(
                f"Expected noise of σ {floor} or more; got σ {sigma:.2f} ({self.job.image_id}). "
                "A lower --noise-floor restores it all the same."
            )

    def read_visible(self, source: Image) -> PixelMask | None:
        """Which pixels can be seen: what is transparent must not steer a restoration; None if all can be."""
        if source.alpha is None or METHODS[self.configuration.method].optimises is None:
            return None
        visible = source.alpha > 0
        if not visible.any():
            raise ImageSkipped(f"Expected an image; all of it is transparent ({self.job.image_id}).")
        return None if visible.all() else visible

    def read_guide(self, source: Image) -> Pixels | None:
        """The second image that the network draws from, (3, H, W); None where none is asked for."""
        guides, content = self.job.guides, self.files.guide
        if guides is None or content is None:
            return None
        return images.read_guide(content, guides.url_of(self.job.image_id), source.size_px, self.page)

    def read_mask(self, source: Image) -> PixelMask | None:
        """Which pixels are observed; None where no mask says so, and the task needs none."""
        job = self.job
        if job.infrared:
            return self.read_infrared(source)
        if job.proposes_masks:
            return self.propose_mask(source)
        if job.masks is None:
            return None
        mask = self.files.mask
        if job.mask_id is None or mask is None:
            self.skip_if_inpainting(
                f"Expected a mask at the same relative path below {job.masks.url}; "
                f"there is none ({job.image_id})."
            )
            return None
        self.row.mask_sha256 = hashlib.sha256(mask).hexdigest()
        damage = self.configuration.damage
        observed = images.read_mask(mask, job.mask_id, source.size_px, damage, self.page)
        if observed.all():
            self.skip_if_inpainting(f"Expected damage to repair; the mask marks none ({job.mask_id}).")
            return None
        if not observed.any():
            raise MaskError(
                f"Expected a mask that leaves pixels to learn from; everything is marked as damage "
                f"({job.mask_id}). If the mask marks what is sound, say that black means damage."
            )
        self.row.masked_share = float((~observed).mean())
        return observed

    def propose_mask(self, source: Image) -> PixelMask | None:
        """Which pixels look undamaged; None where all of them do.

        Raises:
            MaskError: too little of the image would stay as it is.
        """
        proposal = propose_damage(source.pixels, self.job.mask_threshold)
        if not proposal.pieces:
            self.skip_if_inpainting(f"Expected cracks, scratches or dust; found none ({self.job.image_id}).")
            return None
        self.row.masked_share = proposal.share
        check_share(proposal, self.job.image_id)
        return ~proposal.damaged

    def read_infrared(self, source: Image) -> PixelMask | None:
        """Which pixels are undamaged by the infrared; None where all of them are."""
        beside = self.files.mask
        if beside is not None:
            self.row.mask_sha256 = hashlib.sha256(beside).hexdigest()
        proposal = proposal_for(self.job, source, beside)
        if proposal is None:
            self.skip_if_inpainting(nothing_found(self.job))
            self.row.notes = [*(self.row.notes or ()), nothing_found(self.job)]
            return None
        self.row.notes = [*(self.row.notes or ()), *notes_on(proposal)]
        if not proposal.damaged.any():
            self.skip_if_inpainting(
                f"Expected dust or scratches; the infrared shows none ({self.job.image_id})."
            )
            return None
        self.row.masked_share = float(proposal.damaged.mean())
        return ~proposal.damaged

    def skip_if_inpainting(self, reason: str) -> None:
        """Inpainting leaves an image without holes alone; other tasks have something to do on it."""
        if self.configuration.task == "inpaint":
            raise ImageSkipped(reason)
