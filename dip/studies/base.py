"""What a study is: variants of one experiment, each tried on each image by itself."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import torch

from dip import images
from dip.config import Configuration
from dip.degradations import Degradation
from dip.judgement import Judge
from dip.measurement import Measurement, image_seed, simulated
from dip.optimize.device import resolve_device
from dip.storage import Location

TableRow = Mapping[str, object]


@dataclass(frozen=True)
class Trial:
    """One variant of a study on one image: what a worker is told.

    Attributes:
        study: a name in `dip.studies.STUDIES`.
        variant: one of the study's variants.
        image_id: path of the image below `source`.
        configuration: of the restoration; its degradation makes the measurement.
        snapshots: iterations whose output is kept, by the study of that name.
        device: `auto`, `cpu`, `cuda` or `cuda:n`, on the machine that runs the trial.
    """

    study: str
    variant: str
    image_id: str
    source: Location
    configuration: Configuration
    snapshots: tuple[int, ...] = ()
    device: str = "auto"


@dataclass(frozen=True)
class Findings:
    """What a trial found.

    Attributes:
        rows: of the study's tables, by the table's name.
        pictures: PNG and WebP files, by their name.
        error_message: why nothing was found, if so.
    """

    trial: Trial
    rows: Mapping[str, Sequence[TableRow]] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    error_message: str | None = None


@dataclass(frozen=True, eq=False)
class Subject:
    """The image of a trial, ready to be restored.

    Attributes:
        measurement: made by the trial's degradation.
        judge: of the outputs.
        seed: of everything that is drawn; it follows the image's bytes.
    """

    measurement: Measurement
    judge: Judge
    seed: int
    device: torch.device


@dataclass(frozen=True)
class Study:
    """An experiment.

    Attributes:
        variants: their names, from the configuration that all of them share.
        run: tries one variant on one image.
        tables: schema of each table, without the columns `image_id` and `variant`, which all have.
    """

    variants: Callable[[Configuration], Sequence[str]]
    run: Callable[[Trial], Findings]
    tables: Mapping[str, pa.Schema]


def subject_of(trial: Trial) -> Subject:
    """Read a trial's image and take its measurement.

    Raises:
        ImageError: it cannot be read, or is too small for the protocol.
        StorageError: the storage does not answer.
    """
    content = trial.source.read(trial.image_id)
    reference = images.decode(content, trial.image_id).pixels
    seed = image_seed(trial.configuration.seed, hashlib.sha256(content).hexdigest())
    degradation = trial.configuration.degradation or Degradation()
    measurement = simulated(reference, trial.configuration, degradation, seed)
    return Subject(measurement, Judge(measurement, trial.configuration), seed, resolve_device(trial.device))
