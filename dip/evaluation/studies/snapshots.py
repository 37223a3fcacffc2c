"""What is drawn when: the output at chosen iterations, with the network as the prior and without one.

Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, figures 3 and 5.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import replace

import PIL.Image
import pyarrow as pa

from dip.configuration import Configuration
from dip.evaluation.studies.base import Findings, Study, TableRow, Trial
from dip.evaluation.studies.subject import subject_of
from dip.images import Image
from dip.images.formats.png import png_bytes
from dip.images.write import as_pillow
from dip.methods.optimization import problem_of, settings_for
from dip.operators.measurement import Measurement
from dip.optimize.fit import restore
from dip.optimize.monitors import OutputTracker
from dip.optimize.settings import Settings
from dip.optimize.stopping import FixedRule

METHOD_OF = {"with-prior": "dip", "without-prior": "pixels"}
FRAME_MS = 150


def _variants(configuration: Configuration) -> tuple[str, ...]:  # noqa: ARG001 - they are the same for all
    return tuple(METHOD_OF)


def snapshot_name(image_id: str, variant: str, iteration: int) -> str:
    """File name of a snapshot, below the study's output."""
    return f"snapshots/{image_id}/{variant}-{iteration:05d}.png"


def _run(trial: Trial) -> Findings:
    subject = subject_of(trial)
    settings = _settings(trial, subject.measurement)
    psnr_of, protocol = subject.evaluator.psnr_of(), trial.configuration.protocol_name
    pictures: dict[int, PIL.Image.Image] = {}
    rows: dict[int, TableRow] = {}

    def keep(tracker: OutputTracker) -> None:
        pictures[tracker.iteration] = as_pillow(Image(tracker.output[0].float().cpu().numpy()))
        psnr_db = float(psnr_of(tracker.output))
        row = {"iteration": tracker.iteration, "protocol": protocol, "psnr_db": psnr_db}
        rows[tracker.iteration] = row

    restore(
        problem_of(subject.measurement, settings.objective),
        subject.measurement.size_px,
        settings,
        subject.seed,
        subject.device,
        on_interval=keep,
    )
    chosen = {
        snapshot_name(trial.image_id, trial.variant, iteration): png_bytes(pictures[iteration])
        for iteration in trial.snapshots
    }
    film = {f"snapshots/{trial.image_id}/{trial.variant}.webp": _animation(list(pictures.values()))}
    return Findings(trial, {"snapshots": list(rows.values())}, chosen | film)


def _settings(trial: Trial, measurement: Measurement) -> Settings:
    """Those of the variant's method for the measurement, without a stop before the last snapshot."""
    method = METHOD_OF[trial.variant]
    variation = trial.configuration.variation
    preset = trial.configuration.preset
    if method == "pixels":
        variation, preset = replace(variation.without_network(), stop=None, noise_level=None), "auto"
    configuration = replace(trial.configuration, method=method, preset=preset, variation=variation)
    settings = settings_for(measurement, configuration)
    schedule = replace(
        settings.schedule,
        rule=FixedRule(),
        iterations=max(trial.snapshots),
        interval=math.gcd(*trial.snapshots),
    )
    return replace(settings, schedule=schedule)


def _animation(pictures: Sequence[PIL.Image.Image]) -> bytes:
    """The pictures as a lossless animated WebP that repeats for ever."""
    buffer = io.BytesIO()
    first, *others = (picture.convert("RGB") for picture in pictures)
    first.save(buffer, "WEBP", save_all=True, append_images=others, duration=FRAME_MS, loop=0, lossless=True)
    return buffer.getvalue()


SNAPSHOTS = Study(
    _variants,
    _run,
    {
        "snapshots": pa.schema(
            [
                pa.field("iteration", pa.int32(), nullable=False),
                pa.field("protocol", pa.string(), nullable=False),
                pa.field("psnr_db", pa.float64()),
            ]
        )
    },
)
