"""One image through the five stages: read → degrade → restore → measure → write.

`process` is what a worker runs. It never raises for what is wrong with one image: that becomes a row.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch

from dip import images
from dip.config import Configuration
from dip.curve import CurvePoint
from dip.damage import propose_damage
from dip.delivery import Delivery
from dip.errors import DeviceLostError, ImageSkipped, MaskError, OutputError
from dip.images import Image
from dip.job import Job, Outcome, new_row
from dip.judgement import Judge
from dip.measurement import Measurement, Pixels, image_seed, measured, simulated
from dip.methods import METHODS, method_called
from dip.methods.base import Restoration, Situation
from dip.noise import estimate_noise
from dip.operators import OPERATORS
from dip.optimize.device import resolve_device
from dip.results import Row, encode_record


@dataclass
class _Stages:
    """A job under way: its row fills up as the stages go by."""

    job: Job
    row: Row
    tell: Callable[[float], None] | None = None
    curve: tuple[CurvePoint, ...] = field(default=())
    guide: Pixels | None = None
    is_visible: Pixels | None = None

    def run(self) -> None:
        source, observed = self.read()
        measurement = self.degrade(source, observed)
        judge = None if measurement.reference is None else Judge(measurement, self.configuration)
        restoration = self.restore(measurement, judge)
        self.measure(measurement, restoration, judge)
        Delivery(self.job, self.row).write(source, measurement, restoration)

    def attempt(self, work: Callable[[], object]) -> None:
        """Do some or all of the stages; the row tells what became of it."""
        try:
            work()
            self.row.status = "restored"
        except ImageSkipped as reason:
            self.row.status = "skipped"
            self.row.blame(reason)
        except OutputError:  # not this image's fault, and the same for the next
            raise
        except torch.AcceleratorError as error:
            raise DeviceLostError(
                f"Expected a GPU that answers; it failed for good in this process ({error})."
            ) from error
        except Exception as error:  # noqa: BLE001 - whatever fails in one image is a row, and the batch goes on
            self.row.blame(error)

    @property
    def configuration(self) -> Configuration:
        return self.job.configuration

    @property
    def image_seed(self) -> int:
        """Seed of this image: it follows the bytes, so that neither its name nor its place matters."""
        return image_seed(self.configuration.seed, self.row.source_sha256 or "")

    def read(self) -> tuple[Image, Pixels | None]:
        """The source image, and which of its pixels are observed where a mask says so."""
        job = self.job
        content = job.source.read(job.image_id)
        self.row.source_sha256 = hashlib.sha256(content).hexdigest()
        source = images.decode(content, job.image_id)
        self.row.height_px, self.row.width_px = source.size_px
        self.row.channels, self.row.bit_depth = source.channels, source.bit_depth
        if self.configuration.degradation is not None:
            return source, None
        self.row.noise_sigma = estimate_noise(source.pixels)
        self.guide = self.read_guide(source)
        observed = self.read_mask(source)
        if observed is None and OPERATORS[self.configuration.task].denoises:
            self.expect_noise()
        return source.reduced_to_grey(), self.visible(source, observed)

    def expect_noise(self) -> None:
        """Leave an image alone that has no noise, and nothing else to be done on it."""
        sigma, floor = self.row.noise_sigma, self.job.noise_floor
        if sigma is not None and sigma < floor:
            raise ImageSkipped(
                f"Expected noise of σ {floor} or more; got σ {sigma:.2f} ({self.job.image_id}). "
                "A lower --noise-floor restores it all the same."
            )

    def visible(self, source: Image, observed: Pixels | None) -> Pixels | None:
        """The observed pixels that can be seen: what is transparent must not steer a restoration."""
        if source.alpha is None or METHODS[self.configuration.method].optimises is None:
            return observed
        is_visible: Pixels = (source.alpha > 0).astype(np.float32)
        if not is_visible.any():
            raise ImageSkipped(f"Expected an image; all of it is transparent ({self.job.image_id}).")
        if is_visible.all():
            return observed
        self.is_visible = is_visible
        return is_visible if observed is None else observed * is_visible

    def read_guide(self, source: Image) -> Pixels | None:
        """The second image that the network draws from, (3, H, W); None where none is asked for."""
        job = self.job
        if job.guides is None:
            return None
        content = job.guides.read(job.image_id)
        return images.read_guide(content, job.guides.url_of(job.image_id), source.size_px)

    def read_mask(self, source: Image) -> Pixels | None:
        """Which pixels are observed; None where no mask says so, and the task needs none."""
        job = self.job
        if job.proposes_masks:
            return self.propose_mask(source)
        if job.masks is None:
            return None
        if job.mask_id is None:
            self.expect_other_damage(
                f"Expected a mask at the same relative path below {job.masks.url}; "
                f"there is none ({job.image_id})."
            )
            return None
        mask = job.masks.read(job.mask_id)
        self.row.mask_sha256 = hashlib.sha256(mask).hexdigest()
        observed = images.read_mask(mask, job.mask_id, source.size_px, self.configuration.damage)
        if observed.all():
            self.expect_other_damage(f"Expected damage to repair; the mask marks none ({job.mask_id}).")
            return None
        if not observed.any():
            raise MaskError(
                f"Expected a mask that leaves pixels to learn from; everything is marked as damage "
                f"({job.mask_id}). If the mask marks what is sound, say that black means damage."
            )
        self.row.masked_share = float(1 - observed.mean())
        return observed

    def propose_mask(self, source: Image) -> Pixels | None:
        """Which pixels look undamaged; None where all of them do."""
        damaged = propose_damage(source.pixels)
        if not damaged.any():
            self.expect_other_damage(f"Expected scratches or dust; found none ({self.job.image_id}).")
            return None
        self.row.masked_share = float(damaged.mean())
        observed: Pixels = (~damaged).astype(np.float32)
        return observed

    def expect_other_damage(self, reason: str) -> None:
        """Inpainting leaves an image without holes alone; other tasks have something to do on it."""
        if self.configuration.task == "inpaint":
            raise ImageSkipped(reason)

    def degrade(self, source: Image, observed: Pixels | None) -> Measurement:
        """The measurement: the source itself, or in an evaluation what is made of it."""
        degradation = self.configuration.degradation
        if degradation is None:
            measurement = measured(source.pixels, observed, self.configuration, self.guide)
            return replace(measurement, visible=self.is_visible)
        return simulated(source.pixels, self.configuration, degradation, self.image_seed)

    def restore(self, measurement: Measurement, judge: Judge | None) -> Restoration:
        """x*, by the method asked for."""
        device = resolve_device(self.job.device)
        self.row.device = "cpu" if device.type == "cpu" else torch.cuda.get_device_name(device)
        situation = Situation(self.image_seed, device, judge.psnr_of() if judge else None, self.tell)
        restoration = method_called(self.configuration.method)(measurement, self.configuration, situation)
        row = self.row
        row.iterations, row.stop_iteration = restoration.iterations, restoration.stop_iteration
        row.stop_rule, row.stop_reason = restoration.stop_rule, restoration.stop_reason
        row.tiles, row.tile_px = restoration.tiles, restoration.tile_px
        self.curve = restoration.curve
        return restoration

    def measure(self, measurement: Measurement, restoration: Restoration, judge: Judge | None) -> None:
        """The metrics, if there is a reference."""
        row = self.row
        row.height_px, row.width_px = measurement.size_px
        if judge is None:
            return
        readings = judge.readings(restoration.image)
        main, row.readings = readings[0], [asdict(reading) for reading in readings]
        row.protocol, row.ssim = main.protocol, main.ssim
        row.psnr_db, row.psnr_degraded_db = main.psnr_db, main.psnr_degraded_db
        row.psnr_peak_db = max((p.psnr_db for p in self.curve if p.psnr_db is not None), default=None)


def inspect(job: Job) -> Row:
    """What would become of an image, as far as reading it and its mask tells. Nothing is written.

    Returns:
        A row with the status `restored`, `failed` or `skipped`, and with the size that was read.
    """
    stages = _Stages(job, new_row(job))
    stages.attempt(stages.read)
    return stages.row


def process(job: Job, tell: Callable[[float], None] | None = None) -> Outcome:
    """Take one image through the five stages and write its record.

    Args:
        job: the image.
        tell: is told now and then which share of the restoration is done.

    Raises:
        StorageError: the record could not be written, so that the image counts as not done.
        DeviceLostError: the GPU failed; this process cannot use it any more.
    """
    stages = _Stages(job, new_row(job), tell)
    start = time.perf_counter()
    stages.attempt(stages.run)
    stages.row.seconds = time.perf_counter() - start
    job.output.write(job.record, encode_record(stages.row, stages.curve))
    return Outcome(job.image_id, stages.row.status, stages.row.error_message)
