"""One page of an image, which mostly has one, through the stages: read → degrade → restore → evaluate."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch

from dip.configuration import Configuration
from dip.errors import ImageSkipped
from dip.evaluation.scores import Evaluator
from dip.images.image import PageNumber
from dip.methods import method_called
from dip.methods.base import Context, Restoration
from dip.methods.grain_fill import with_grain
from dip.operators.measurement import Measurement, image_seed, measured
from dip.operators.simulation import simulated
from dip.optimize.curve import CurvePoint
from dip.optimize.device import resolve_device
from dip.pipeline.job import Job
from dip.pipeline.reading import Files, Given, Reader
from dip.pipeline.writing import Encoded, Writer
from dip.storage.results import Row


@dataclass
class PageStages:
    """A page under way: its row fills up as the stages go by."""

    job: Job
    row: Row
    files: Files
    page: PageNumber
    progress: Callable[[float], None] | None = None
    curve: tuple[CurvePoint, ...] = ()
    left: ImageSkipped | None = None
    """Why it needs no restoration."""

    @property
    def configuration(self) -> Configuration:
        """The job's."""
        return self.job.configuration

    @property
    def image_seed(self) -> int:
        """Seed of this image: it follows the bytes, so that neither its name nor its place matters."""
        return image_seed(self.configuration.seed, self.row.source_sha256 or "")

    @property
    def _writer(self) -> Writer:
        return Writer(self.job, self.row, self.page)

    def read(self) -> Given:
        """The image, and what belongs to it."""
        given = Reader(self.job, self.row, self.files, self.page).read()
        self._writer.rehearse(given.source)
        return given

    def check(self) -> None:
        """Find out what reading tells.

        Raises:
            ImageSkipped: there is nothing to be done, and it cannot stay as it was: it is to grow.
        """
        try:
            self.read()
            self.row.status = "restored"
        except ImageSkipped as reason:
            if self.configuration.scale_factor > 1:
                raise
            self.left, self.row.status = reason, "skipped"
            self.row.blame(reason)

    def restored(self) -> Encoded:
        """What is to be written of the restored page."""
        given = self.read()
        measurement = self.degrade(given)
        evaluator = None if measurement.reference is None else Evaluator(measurement, self.configuration)
        restoration = self.restore(measurement, evaluator)
        self.evaluate(measurement, restoration, evaluator)
        return self._writer.encoded(given.source, measurement, restoration)

    def as_it_was(self) -> Encoded:
        """What is to be written of a page that needs no restoration, beside others that do."""
        row = self.row
        row.mean_absolute_change = row.changed_share = row.colour_drift = 0.0
        return self._writer.as_it_was(self.files.pages.decoded(self.page.number))

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
        context = context.part(self.page.number, self.page.count)
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
