"""The image of a trial, read and measured."""

import hashlib
from dataclasses import dataclass

import torch

from dip import images
from dip.configuration import Degradation
from dip.evaluation.scores import Evaluator
from dip.evaluation.studies.base import Trial
from dip.operators.measurement import Measurement, image_seed
from dip.operators.simulation import simulated
from dip.optimize.device import resolve_device


@dataclass(frozen=True, eq=False)
class Subject:
    """The image of a trial, ready to be restored.

    Attributes:
        measurement: made by the trial's degradation.
        evaluator: of the outputs.
        seed: of everything that is drawn; it follows the image's bytes.
    """

    measurement: Measurement
    evaluator: Evaluator
    seed: int
    device: torch.device


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
    return Subject(
        measurement, Evaluator(measurement, trial.configuration), seed, resolve_device(trial.device)
    )
