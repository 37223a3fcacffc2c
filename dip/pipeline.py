"""One image through the five stages: read → degrade → restore → measure → write.

`process` is what a worker runs. It never raises for what is wrong with one image: that becomes a row.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from dip import images, metrics
from dip.config import Configuration
from dip.curve import CurvePoint
from dip.errors import ImageSkipped, MaskError
from dip.images import Image
from dip.job import Job, Outcome, new_row
from dip.measurement import Measurement, Pixels, measured, simulated
from dip.optimize.device import resolve_device
from dip.restoration import restore
from dip.results import Row, encode_record


@dataclass
class _Stages:
    """A job under way: its row fills up as the stages go by."""

    job: Job
    row: Row
    curve: tuple[CurvePoint, ...] = field(default=())

    def run(self) -> None:
        source, observed = self.read()
        measurement = self.degrade(source, observed)
        restored = self.restore(measurement)
        self.measure(measurement, restored)
        self.write(source, measurement, restored)
        self.row.status = "restored"

    @property
    def configuration(self) -> Configuration:
        return self.job.configuration

    @property
    def image_seed(self) -> int:
        """Seed of this image: it follows the bytes, so that neither its name nor its place matters."""
        text = f"{self.configuration.seed}:{self.row.source_sha256}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")

    def read(self) -> tuple[Image, Pixels | None]:
        """The source image, and which of its pixels are observed where a mask says so."""
        job = self.job
        content = job.source.read(job.image_id)
        self.row.source_sha256 = hashlib.sha256(content).hexdigest()
        source = images.decode(content, job.image_id)
        self.row.height_px, self.row.width_px = source.size_px
        self.row.channels = source.channels
        if job.masks is None:
            return source, None
        if job.mask_id is None:
            raise ImageSkipped(
                f"Expected a mask at the same relative path below {job.masks.url}; "
                f"there is none ({job.image_id})."
            )
        mask = job.masks.read(job.mask_id)
        observed = images.read_mask(mask, job.mask_id, source.size_px, self.configuration.damage)
        _check_mask(observed, job)
        return source, observed

    def degrade(self, source: Image, observed: Pixels | None) -> Measurement:
        """The measurement: the source itself, or in an evaluation what is made of it."""
        degradation = self.configuration.degradation
        if degradation is None:
            return measured(source.pixels, observed, self.configuration)
        return simulated(source.pixels, self.configuration, degradation, self.image_seed)

    def restore(self, measurement: Measurement) -> Pixels:
        """x*, (C, H, W), with the observed pixels pasted back where a mask says so."""
        device = resolve_device(self.job.device)
        self.row.device = "cpu" if device.type == "cpu" else torch.cuda.get_device_name(device)
        fit = restore(
            torch.from_numpy(measurement.y)[None],
            measurement.operator,
            measurement.size_px,
            self.configuration.settings,
            self.image_seed,
            device,
            None if measurement.reference is None else self.judge(measurement),
        )
        self.row.iterations, self.row.stop_iteration = fit.iterations, fit.stop_iteration
        self.row.stop_reason, self.curve = fit.stop_reason, fit.curve
        pasted: Pixels = measurement.with_observed(fit.output)[0].numpy()
        return pasted

    def judge(self, measurement: Measurement) -> Callable[[Tensor], Tensor]:
        """The function that takes the PSNR of an output, unrounded, under the row's protocol."""
        protocol, scale = protocol_of(self.configuration), self.configuration.scale_factor
        reference = metrics.judged(torch.from_numpy(measurement.reference), protocol, scale)

        def psnr_of(output: Tensor) -> Tensor:
            seen = metrics.judged(measurement.with_observed(output)[0], protocol, scale)
            return metrics.psnr(seen, reference.to(seen.device))

        return psnr_of

    def measure(self, measurement: Measurement, restored: Pixels) -> None:
        """The metrics, if there is a reference."""
        row, configuration = self.row, self.configuration
        row.height_px, row.width_px = measurement.size_px
        if measurement.reference is None:
            return
        reference, row.protocol = torch.from_numpy(measurement.reference), protocol_of(configuration)
        arguments = (reference, row.protocol, configuration.scale_factor)
        row.psnr_db, row.ssim = metrics.measure(torch.from_numpy(restored), *arguments)
        row.psnr_degraded_db, _ = metrics.measure(torch.from_numpy(measurement.seen), *arguments)
        row.psnr_peak_db = max(point.psnr_db for point in self.curve if point.psnr_db is not None)

    def write(self, source: Image, measurement: Measurement, restored: Pixels) -> None:
        """The restored image, as a file or in the row; in an evaluation the degraded one beside it."""
        job, name = self.job, images.derivative_name(self.job.image_id)
        if measurement.reference is not None:
            degraded = images.encode_png(Image(measurement.seen, icc_profile=source.icc_profile))
            job.output.write(f"degraded/{name}", degraded)
            if measurement.observed is not None:
                damage = Image(1 - measurement.observed[None])
                job.output.write(f"masks/{name}", images.encode_png(damage))
        content = images.encode_png(_derivative(source, restored, measurement))
        self.row.output_sha256 = hashlib.sha256(content).hexdigest()
        if job.embed:
            self.row.image = {"bytes": content, "path": name}
        else:
            job.output.write(f"images/{name}", content)
            self.row.output_url = job.output.url_of(f"images/{name}")


def process(job: Job) -> Outcome:
    """Take one image through the five stages and write its record.

    Raises:
        StorageError: the record could not be written, so that the image counts as not done.
    """
    stages = _Stages(job, new_row(job))
    start = time.perf_counter()
    try:
        stages.run()
    except ImageSkipped as reason:
        stages.row.status = "skipped"
        stages.row.blame(reason)
    except Exception as error:  # noqa: BLE001 - whatever fails in one image is a row, and the batch goes on
        stages.row.blame(error)
    stages.row.seconds = time.perf_counter() - start
    job.output.write(job.record, encode_record(stages.row, stages.curve))
    return Outcome(job.image_id, stages.row.status, stages.row.error_message)


def protocol_of(configuration: Configuration) -> str:
    """The name of the protocol an evaluation follows; numbers compare under one name only.

    `denoise-rgb`, `denoise-rgb-clipped`: all channels, noise unclipped or clipped. `inpaint-pasted`:
    the whole image, known pixels pasted back. `sr-y-shave`: Y channel, borders shaved, bicubic
    downsampling; with another kernel its name follows.
    """
    degradation = configuration.degradation
    if configuration.task == "denoise":
        return "denoise-rgb-clipped" if degradation and degradation.clip else "denoise-rgb"
    if configuration.task == "inpaint":
        return "inpaint-pasted"
    return "sr-y-shave" if configuration.kernel == "bicubic" else f"sr-y-shave-{configuration.kernel}"


def _check_mask(observed: Pixels, job: Job) -> None:
    if observed.all():
        raise ImageSkipped(f"Expected damage to repair; the mask marks none ({job.mask_id}).")
    if not observed.any():
        raise MaskError(
            f"Expected a mask that leaves pixels to learn from; everything is marked as damage "
            f"({job.mask_id}). If the mask marks what is sound, say that black means damage."
        )


def _derivative(source: Image, restored: Pixels, measurement: Measurement) -> Image:
    """The restored pixels with what the source carries beside its own."""
    alpha = source.alpha
    if alpha is not None and alpha.shape != measurement.size_px:
        height_px, width_px = measurement.size_px
        if measurement.reference is not None:
            alpha = alpha[:height_px, :width_px]
        else:
            resized = PillowImage.fromarray(alpha).resize(
                (width_px, height_px), PillowImage.Resampling.BICUBIC
            )
            alpha = np.asarray(resized)
    return replace(source, pixels=restored, alpha=alpha)
