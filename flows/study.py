"""The flow of the studies: every variant on every image, as tables and plots."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from prefect import flow

import dip
from dip.errors import ConfigurationError
from dip.evaluation.studies import study_called
from dip.evaluation.studies.base import Findings, Trial
from dip.pipeline.job import Outcome
from dip.storage import Location, retry
from dip.storage.part_files import parquet_bytes
from flows.parameters import StudyParameters
from flows.pictures import plots_of
from flows.progress import Counter
from flows.runs.inventory import list_images
from flows.runs.lock import Lock, locked
from flows.runs.preconditions import check_apart, check_guides_where_needed, check_no_foreign_entries
from flows.workers.cluster import Workers, workers
from flows.workers.window import Window
from flows.workers.worker import run_trial


@dataclass(frozen=True)
class StudySummary:
    """What became of a study.

    Attributes:
        output: where tables and plots are, if anything was found.
        tables: by name.
        shown: the one to print.
        failures: image and variant, and why nothing was found.
    """

    output: str
    tables: dict[str, pa.Table]
    shown: pa.Table
    failures: tuple[tuple[str, str], ...]


@flow(name="study")
def run_study(asked: StudyParameters) -> StudySummary:
    """Try every variant of a study on every image below a folder or URL.

    Args:
        asked: which study, on what, how damaged and restored, and where the findings go.

    Returns:
        The tables, which also lie in the output, beside plots and pictures.

    Raises:
        DipError: the study could not be started or carried to its end.
    """
    retry.have_patience()
    trials = _trials(asked)
    output = asked.location(asked.output)
    check_apart(output, asked.location(asked.source), "source")
    _check_empty(output)
    # The workers come before the lock: a study that gets none leaves no folder behind.
    with (
        workers(asked.scheduler, asked.workers, asked.device) as carriers,
        locked(output, asked.take_over) as lock,
        retry.given_up_if_interrupted(),
    ):
        return _studied(trials, asked, carriers, lock)


def _check_empty(output: Location) -> None:
    check_no_foreign_entries(output, (), "new or empty", "Choose another output.")


def _studied(trials: Sequence[Trial], asked: StudyParameters, carriers: Workers, lock: Lock) -> StudySummary:
    output = asked.location(asked.output)
    _check_empty(output)  # and nobody else can write to it now
    findings = _carried_out(trials, carriers, lock)
    found = [finding for finding in findings if finding.error_message is None]
    tables = _tables(asked.study, found)
    if found:
        for name, content in _files(asked, tables, found).items():
            output.write(name, content)
    failures = tuple((_label(f.trial), f.error_message) for f in findings if f.error_message is not None)
    return StudySummary(asked.output, tables, study_called(asked.study).summary(tables), failures)


def _files(
    asked: StudyParameters, tables: Mapping[str, pa.Table], findings: Sequence[Findings]
) -> dict[str, bytes]:
    """All that a study leaves, by name: drawn to the last before any of it is written."""
    pictures = {name: content for finding in findings for name, content in finding.pictures.items()}
    parquet = {f"{name}.parquet": parquet_bytes(table) for name, table in tables.items()}
    plots = plots_of(asked.study, tables, findings)
    return pictures | parquet | plots | {"study.json": _description(asked)}


def _description(asked: StudyParameters) -> bytes:
    """What was studied, as JSON: what tells one study's tables from another's."""
    from dip.methods.canonical import config_hash  # which brings torch
    from dip.methods.presets import random_preset

    configuration = asked.configuration
    described = {
        "study": asked.study,
        "source": asked.location(asked.source).url,
        "task": configuration.task,
        "preset": random_preset(configuration),
        "degradation": configuration.damage_text,
        "protocol": configuration.protocol_name,
        "variation": configuration.variation_text,
        "seed": configuration.seed,
        "config_hash": config_hash(configuration),
        "software_version": dip.__version__,
    }
    return json.dumps(described, indent=2).encode()


def _trials(asked: StudyParameters) -> list[Trial]:
    study = study_called(asked.study)
    if study.tasks is not None and asked.task not in study.tasks:
        raise ConfigurationError(
            f"Expected the study {asked.study} with the task {' or '.join(study.tasks)}; got {asked.task}."
        )
    source, configuration = asked.location(asked.source), asked.configuration
    check_guides_where_needed(configuration, None)  # what cannot be done is said before anything begins
    variants = study.variants(configuration)
    return [
        Trial(asked.study, variant, entry.image_id, source, configuration, asked.looked_at)
        for entry in list_images(source, None, asked.left_out)
        for variant in variants
    ]


def _carried_out(trials: Sequence[Trial], carriers: Workers, lock: Lock) -> list[Findings]:
    """What the trials found, in their own order."""
    counter = Counter(len(trials), 0)
    findings = {}
    window = Window(carriers, run_trial, _lost)
    lock.on_loss(window.abort)
    for finding in window.run(trials):
        findings[_label(finding.trial)] = finding
        counter.add(_outcome(finding))
    return [findings[_label(trial)] for trial in trials]


def _lost(trial: Trial, error: BaseException) -> Findings:
    """What is found by a trial that no worker could finish."""
    return Findings(trial, error_message=f"{type(error).__name__}: {error}")


def _outcome(finding: Findings) -> Outcome:
    status = "restored" if finding.error_message is None else "failed"
    return Outcome(_label(finding.trial), status, finding.error_message)


def _label(trial: Trial) -> str:
    return f"{trial.image_id} ({trial.variant})"


def _tables(study: str, findings: Sequence[Findings]) -> dict[str, pa.Table]:
    named = [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("variant", pa.string(), nullable=False),
    ]
    return {
        name: pa.Table.from_pylist(
            [
                {"image_id": finding.trial.image_id, "variant": finding.trial.variant, **row}
                for finding in findings
                for row in finding.rows[name]
            ],
            schema=pa.schema([*named, *schema]),
        )
        for name, schema in study_called(study).tables.items()
    }
