"""One image through the five stages: read → degrade → restore → evaluate → write.

`process` is what a worker runs. It never raises for what is wrong with one image: that becomes a row.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import torch

from dip.configuration import Configuration
from dip.errors import DeviceLostError, ImageSkipped, OutputError
from dip.evaluation.scores import Evaluator
from dip.methods import method_called
from dip.methods.base import Context, Restoration
from dip.methods.grain_fill import with_grain
from dip.operators.measurement import Measurement, image_seed, measured
from dip.operators.simulation import simulated
from dip.optimize.curve import CurvePoint
from dip.optimize.device import resolve_device
from dip.pipeline.job import Job, Outcome, new_row
from dip.pipeline.reading import Given, Reader
from dip.pipeline.writing import Writer
from dip.storage.results import Row, encode_record


@dataclass
class _Stages:
    """A job under way: its row fills up as the stages go by."""

    job: Job
    row: Row
    progress: Callable[[float], None] | None = None
    curve: tuple[CurvePoint, ...] = field(default=())

    def run(self) -> None:
        given = self.read()
        measurement = self.degrade(given)
        evaluator = None if measurement.reference is None else Evaluator(measurement, self.configuration)
        restoration = self.restore(measurement, evaluator)
        self.evaluate(measurement, restoration, evaluator)
        Writer(self.job, self.row).write(given.source, measurement, restoration)

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

    def read(self) -> Given:
        """The image, and what belongs to it."""
        given = Reader(self.job, self.row).read()
        Writer(self.job, self.row).rehearse(given.source)
        return given

    def degrade(self, given: Given) -> Measurement:
        """The measurement: the source itself, or in an evaluation what is made of it."""
        degradation = self.configuration.degradation
        if degradation is None:
            measurement = measured(given.source.pixels, given.observed, self.configuration, given.guide)
            return replace(measurement, visible=given.visible, source_sigma=self.row.noise_sigma)
        return simulated(given.source.pixels, self.configuration, degradation, self.image_seed)

    def restore(self, measurement: Measurement, evaluator: Evaluator | None) -> Restoration:
        """x*, by the method asked for."""
        device = resolve_device(self.job.device)
        self.row.device = "cpu" if device.type == "cpu" else torch.cuda.get_device_name(device)
        context = Context(self.image_seed, device, evaluator.psnr_of() if evaluator else None, self.progress)
        restoration = method_called(self.configuration.method)(measurement, self.configuration, context)
        row = self.row
        row.iterations, row.stop_iteration = restoration.iterations, restoration.stop_iteration
        row.stop_rule, row.stop_reason = restoration.stop_rule, restoration.stop_reason
        row.tiles, row.tile_px = restoration.tiles, restoration.tile_px
        row.noise_sigma = row.noise_sigma if restoration.noise_sigma is None else restoration.noise_sigma
        row.noise_size_px, row.restored_share = restoration.noise_size_px, restoration.share
        self.curve = restoration.curve
        image = measurement.softened(restoration.image, self.configuration.strength)
        if self.configuration.fills_with_grain:
            image = with_grain(image, measurement, context, self._kept_share(restoration))
        return replace(restoration, image=image)

    def _kept_share(self, restoration: Restoration) -> float:
        """How much of the noise is left where the image is observed: all where nothing is denoised."""
        if self.configuration.keeps_observed:
            return 1.0
        strength = 1.0 if self.configuration.strength is None else self.configuration.strength
        return 1 - strength * (1.0 if restoration.share is None else restoration.share)

    def evaluate(
        self, measurement: Measurement, restoration: Restoration, evaluator: Evaluator | None
    ) -> None:
        """The metrics, if there is a reference."""
        row = self.row
        row.height_px, row.width_px = measurement.size_px
        if evaluator is None:
            return
        readings = evaluator.readings(restoration.image)
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


def process(job: Job, progress: Callable[[float], None] | None = None) -> Outcome:
    """Take one image through the five stages and write its record.

    Args:
        job: the image.
        progress: a callback that takes the share of the restoration that is done, now and then.

    Raises:
        StorageError: the record could not be written, so that the image counts as not done.
        DeviceLostError: the GPU failed; this process cannot use it any more.
    """
    stages = _Stages(job, new_row(job), progress)
    start = time.perf_counter()
    stages.attempt(stages.run)
    stages.row.seconds = time.perf_counter() - start
    job.output.write(job.record, encode_record(stages.row, stages.curve))
    return Outcome(job.image_id, stages.row.status, stages.row.error_message)
