"""The last stage: what is restored leaves as files, or in the row, and says where it comes from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from dip import images
from dip.errors import ImageError, UnsupportedImageError
from dip.evaluation.change import change_between
from dip.images import Image, Metadata
from dip.images.image import ONLY_PAGE, Levels, PageNumber, PixelMask, Pixels
from dip.images.xmp import with_history
from dip.methods.base import Restoration
from dip.operators.measurement import Measurement, enlarged_bicubic
from dip.pipeline.job import Job
from dip.pipeline.proposed_masks import encode_mask, mask_format, mask_name
from dip.storage.results import Row
from dip.storage.sidecar import describes, encode_sidecar, sidecar_name, source_in


@dataclass(frozen=True)
class Encoded:
    """What is to be written of a page.

    Attributes:
        image: the restored page.
        mask: the proposed or simulated one, if there is one.
        uncertainty: the deviation between the restarts, if it is asked for.
    """

    image: bytes
    mask: bytes | None = None
    uncertainty: bytes | None = None


@dataclass
class Writer:
    """What is written of one image; its row fills up on the way."""

    job: Job
    row: Row
    page: PageNumber = ONLY_PAGE

    def encoded(self, source: Image, measurement: Measurement, restoration: Restoration) -> Encoded:
        """The restored page; in an evaluation the degraded one is written beside it.

        Raises:
            UnsupportedImageError: the format asked for cannot hold it.
            StorageError: it could not be written.
        """
        restored: Pixels = measurement.with_observed(restoration.image)[0].numpy()
        derivative = _derivative(source, restored, measurement)
        mask = self._mask(measurement.observed, measurement.size_px)
        uncertainty = self._uncertainty(measurement, restoration.deviation)
        if measurement.reference is not None:
            self._write_degraded(source, measurement)
            return Encoded(images.encode(derivative, self._file_format), mask, uncertainty)
        derivative = replace(derivative, metadata=self._metadata(source))
        content = images.encode(derivative, self._file_format)
        written = images.decode(content, self._name) if self._file_format == "jpeg" else derivative
        self._compare(source, written, measurement)
        return Encoded(content, mask, uncertainty)

    def as_it_was(self, source: Image) -> Encoded:
        """A page that is left alone: nothing is marked on it, and nothing of it is uncertain."""
        nothing = np.ones(source.size_px, bool)
        certain = np.zeros(source.size_px, np.float32)
        return Encoded(
            images.encode(source, self._file_format),
            self._mask(nothing, source.size_px),
            images.encode_float_tiff(certain) if self.job.uncertainty else None,
        )

    def write(self, pages: Sequence[Encoded]) -> None:
        """The restored image, as a file or in the row.

        Raises:
            ImageError: something else lies where it goes, or the source was changed meanwhile.
            UnsupportedImageError: the format cannot hold so many pages.
            StorageError: it could not be written.
        """
        output, image_id = self.job.output, self.job.image_id
        if masks := [page.mask for page in pages if page.mask is not None]:
            output.write(mask_name(image_id, len(pages)), images.joined(masks, mask_format(len(pages))))
        if deviations := [page.uncertainty for page in pages if page.uncertainty is not None]:
            output.write(f"uncertainty/{image_id}.tif", images.joined(deviations, "tiff"))
        if self.job.infrared:
            self._carry_infrared()
        self._write_derivative(images.joined([page.image for page in pages], self._file_format))

    def rehearse(self, source: Image) -> None:
        """Find out before the fit what else only writing finds out: the source's own pixels are encoded.

        Raises:
            ImageError: the format cannot hold the restored image.
            StorageError: the output cannot take its name.
        """
        job, file_format = self.job, self._file_format
        if not job.embed:
            job.output.check_name(sidecar_name(self._name))
        factor = job.configuration.scale_factor
        height_px, width_px = (side * factor for side in source.size_px)
        try:
            images.check_pages(self.page.count, file_format)
            images.check_format(source, (height_px, width_px), file_format)
            images.encode(replace(source, metadata=self._metadata(source)), file_format)
        except ImageError as error:
            raise type(error)(f"{error} ({job.image_id})") from error
        except Exception as error:
            raise UnsupportedImageError(
                f"Expected an image that can be written as {file_format}; it cannot: {error} "
                f"({job.image_id}). Choose another --format."
            ) from error
        self.row.notes = [*(self.row.notes or ()), *images.not_carried(source, file_format, factor)]

    def _metadata(self, source: Image) -> Metadata:
        """What the derivative carries: the source's metadata, as it holds for its size, and its history."""
        factor = self.job.configuration.scale_factor
        metadata = source.metadata if factor == 1 else images.enlarged(source.metadata, factor)
        return self._with_history(metadata)

    @property
    def _file_format(self) -> images.FileFormat:
        return images.derivative_format(self.job.image_id, self.job.file_format)

    @property
    def _name(self) -> str:
        """Of the restored image, below the output."""
        name = images.derivative_name(self.job.image_id, self._file_format, self.job.suffix)
        return f"images/{name}"

    def _carry_infrared(self) -> None:
        """The infrared of a file of its own, to the byte; one in the image's file is carried there."""
        job = self.job
        if job.masks is not None and job.mask_id is not None:
            job.output.write(f"infrared/{job.mask_id}", job.masks.read(job.mask_id))

    def _write_derivative(self, content: bytes) -> None:
        """The restored image, with a sidecar, or in the row."""
        job, name = self.job, self._name
        self._check_unchanged_source()
        checksum = hashlib.sha256(content).hexdigest()
        if job.embed:
            self.row.output_sha256 = checksum
            self.row.image = {"bytes": content, "path": name.removeprefix("images/")}
            return
        if not job.overwrite:
            self._make_way(name, content)
        written = replace(self.row, output_name=name, output_sha256=checksum)
        sidecar = encode_sidecar(written, job.configuration)
        # The sidecar comes first: a run that is cut off between the two knows the image as its own.
        job.output.write(sidecar_name(name), sidecar)
        job.output.write(name, content)
        self.row.output_name, self.row.output_url = name, job.output.url_of(name)
        self.row.output_sha256, self.row.sidecar_sha256 = checksum, hashlib.sha256(sidecar).hexdigest()

    def _make_way(self, name: str, content: bytes) -> None:
        """Remove an earlier derivative, left as it was made, from where another one goes.

        With the other one's sidecar it would look like somebody else's, should the run be cut off between.
        """
        output, sidecar = self.job.output, sidecar_name(name)
        if not output.exists(name):
            return
        found = output.read(name)
        known = output.read(sidecar) if output.exists(sidecar) else b""
        other = source_in(known)
        if other not in (None, self.job.image_id) and describes(known, found):
            raise ImageError(
                f"Expected a name of its own for the restored image; {output.url_of(name)} is that of "
                f"{other} ({self.job.image_id}). Rename one of the two images, or choose another output."
            )
        if found == content:
            return
        if not describes(known, found):
            raise ImageError(
                f"Expected no file, or an unchanged one of an earlier run, where the restored image goes; "
                f"{output.url_of(name)} is neither ({self.job.image_id}). Move it away, or say --overwrite."
            )
        output.delete([name])

    def _check_unchanged_source(self) -> None:
        """A source that was replaced meanwhile is not the one that was restored.

        One that is still as it was listed need not be read again.
        """
        source, name, listed = self.job.source, self.job.image_id, self.job.source_version
        if listed and source.version(name) == listed:
            return
        if source.sha256(name) != self.row.source_sha256:
            raise ImageError(
                f"Expected the source to stay as it was; its file was changed while it was restored "
                f"({self.job.image_id}). Run the same line again with --retry-failed."
            )

    def _compare(self, source: Image, derivative: Image, measurement: Measurement) -> None:
        """How far the derivative is from its source, and whether what no mask marks is the source's."""
        row = self.row
        if derivative.size_px != source.size_px:
            return
        change = change_between(source.pixels, derivative.pixels, source.bit_depth)
        row.mean_absolute_change, row.changed_share = change.mean_absolute, change.changed_share
        row.colour_drift = change.colour_drift
        if row.masked_share is not None and measurement.observed is not None:
            is_kept = (derivative.pixels == source.pixels)[:, measurement.observed]
            row.keeps_unmasked = bool(is_kept.all())

    def _with_history(self, metadata: Metadata) -> Metadata:
        """The metadata, and in the XMP packet how the derivative came about."""
        row = self.row
        packet = with_history(
            metadata.xmp,
            source_name=row.image_id,
            source_sha256=row.source_sha256 or "",
            agent=f"dip-restoration {row.software_version}",
            what=f"task={row.task} method={row.method} preset={row.preset} configuration={row.config_hash}",
        )
        return metadata.with_xmp(packet)

    def _uncertainty(self, measurement: Measurement, deviation: torch.Tensor | None) -> bytes | None:
        """The deviation between the restarts; pixels that are kept as they were measured have none."""
        if not self.job.uncertainty or deviation is None:
            return None
        kept = measurement.with_observed(deviation, torch.zeros(()))
        return images.encode_float_tiff(kept[0].mean(dim=0).numpy())

    def _write_degraded(self, source: Image, measurement: Measurement) -> None:
        """What the restoration of a reference started from."""
        name = images.derivative_name(self.job.image_id, "png")
        profile = Metadata(icc_profile=source.metadata.icc_profile)
        degraded = images.encode(Image(measurement.seen, metadata=profile), "png")
        self.job.output.write(f"degraded/{name}", degraded)

    def _mask(self, observed: PixelMask | None, size_px: tuple[int, int]) -> bytes | None:
        """Which pixels were hidden, where no file says so; of several pages each has a mask."""
        is_ours = self.job.proposes_masks or self.job.configuration.degradation is not None
        if not is_ours or (observed is None and self.page.count == 1):
            return None
        damaged = np.zeros(size_px, bool) if observed is None else ~observed
        return encode_mask(damaged, mask_format(self.page.count))


def _derivative(source: Image, restored: Pixels, measurement: Measurement) -> Image:
    """The restored pixels with what the source carries beside its own."""
    alpha = None if source.alpha is None else _carried(source.alpha[None], measurement)[0]
    others = None if source.others is None else _carried(source.others, measurement)
    if measurement.reference is None and source.alpha is not None and restored.shape == source.pixels.shape:
        restored = np.where(source.alpha > 0, restored, source.pixels)
    is_as_large = restored.shape == source.pixels.shape
    attached = tuple(each for each in source.attached if is_as_large or each.content is None)
    return replace(source, pixels=restored, alpha=alpha, others=others, attached=attached)


def _carried(planes: Levels, measurement: Measurement) -> Levels:
    """Samples that are not restored, (K, H, W), cut to the size of the derivative or enlarged to it."""
    height_px, width_px = measurement.size_px
    if measurement.reference is not None:
        top, left = measurement.corner_px
        return planes[:, top : top + height_px, left : left + width_px]
    if planes.shape[1:] == measurement.size_px:
        return planes
    enlarged = enlarged_bicubic(planes.astype(np.float32), measurement.size_px)
    whole: Levels = np.rint(enlarged.clip(0, np.iinfo(planes.dtype).max)).astype(planes.dtype)
    return whole
