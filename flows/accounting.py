"""The books of an output: a run is opened, or taken up where it stopped, and closed once all adds up."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

import dip
from dip.errors import StorageError
from dip.job import Job
from dip.results import read_parts
from dip.storage import Location
from flows.bag import expect_bag
from flows.conditions import expect_same_terms, expect_unused, terms_of
from flows.inventory import Inventory, inventory_of
from flows.manifest import Entry, encode_manifest
from flows.parameters import Batch
from flows.run import Run


@dataclass(frozen=True)
class _Description:
    """What `run.json` says of a run."""

    run_id: str
    asked: dict[str, Any]
    total: Annotated[int, Field(ge=1)]
    shard_size: Annotated[int, Field(ge=1)]
    software_version: str
    started_at: str


_READER = TypeAdapter(_Description)


def open_run(parameters: Batch) -> tuple[Run | None, int]:
    """The run to work on: the interrupted one of this output, or a new one.

    Returns:
        The run, or None if every image of the source has a result already; and how many results have lost
        their image since.

    Raises:
        ConfigurationError: the output holds something else, or its runs were made with another
            configuration.
        StorageError: source, masks or output cannot be listed, read or written.
    """
    output = parameters.results
    if parameters.bag:
        expect_bag(parameters.location(parameters.output))
    last = _last_run(output)
    if last is None and not parameters.overwrite:
        expect_unused(output)
    if last is not None:
        run_id, is_finished = last
        stored = _described(output, run_id)
        expect_same_terms(stored.asked, terms_of(parameters), run_id)
        if not is_finished:
            committed = _committed_shards(output, run_id)
            return Run(_template(parameters, run_id), stored.total, stored.shard_size, committed), 0
    with inventory_of(parameters.location(parameters.source), parameters.masks_location) as inventory:
        vanished = 0 if last is None else _set_against_results(inventory, parameters)
        return _new_run(parameters, inventory.without_result()), vanished


def _set_against_results(inventory: Inventory, parameters: Batch) -> int:
    """Leave the images open that the output lacks, or is to have again; tells how many vanished."""
    inventory.read_results(parameters.results)
    vanished = inventory.count_vanished()
    if parameters.redo_all:
        inventory.forget_all()
    elif parameters.retry_failed:
        inventory.forget_failures()
    inventory.forget_changed()
    return vanished


def _new_run(parameters: Batch, entries: Iterable[Entry]) -> Run | None:
    manifest, total = encode_manifest(entries, parameters.shard_size)
    if not total:
        return None
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    run = Run(_template(parameters, run_id), total, parameters.shard_size)
    description = _Description(
        run_id,
        terms_of(parameters),
        total,
        run.shard_size,
        software_version=dip.__version__,
        started_at=datetime.now(UTC).isoformat(),
    )
    run.output.write(run.manifest, manifest)
    # Written after the manifest: a run begins to exist with this file.
    run.output.write(f"runs/{run_id}/run.json", json.dumps(asdict(description), indent=2).encode())
    return run


def _template(parameters: Batch, run_id: str) -> Job:
    return Job(
        run_id=run_id,
        image_id="",
        source=parameters.location(parameters.source),
        output=parameters.results,
        record="",
        configuration=parameters.configuration,
        masks=parameters.masks_location,
        proposes_masks=parameters.proposes_masks,
        file_format=parameters.file_format,
        suffix=parameters.suffix,
        overwrite=parameters.overwrite,
        noise_floor=parameters.noise_floor,
        time_limit_s=parameters.time_limit_s,
        embed=parameters.embed,
        uncertainty=parameters.uncertainty,
    )


def close_run(run: Run) -> dict[str, int]:
    """Check that every image has its row, mark the run finished, and count its rows by status.

    Raises:
        StorageError: rows and images do not add up.
    """
    counts = Counter({"restored": 0, "failed": 0, "skipped": 0})
    for part in read_parts(run.output, ["status"], run.run_id):
        counts.update(part["status"].to_pylist())
    if counts.total() != run.total:
        raise StorageError(
            f"Expected {run.total} rows of the run {run.run_id} in {run.output.url}; got {dict(counts)}. "
            "Were part files removed? Run the same line again with a new output."
        )
    ended = {"finished_at": datetime.now(UTC).isoformat(), **counts}
    run.output.write(f"runs/{run.run_id}/finished.json", json.dumps(ended, indent=2).encode())
    return dict(counts)


def finished_runs(output: Location) -> list[str]:
    """Ids of the runs of an output that were closed, oldest first.

    Raises:
        StorageError: the output cannot be listed.
    """
    return [
        run_id for run_id in sorted(output.names("runs")) if "finished.json" in output.names(f"runs/{run_id}")
    ]


def _last_run(output: Location) -> tuple[str, bool] | None:
    """Id of the output's last run, and whether it is finished."""
    for run_id in sorted(output.names("runs"), reverse=True):
        files = output.names(f"runs/{run_id}")
        if "run.json" in files:
            return run_id, "finished.json" in files
    return None


def _described(output: Location, run_id: str) -> _Description:
    name = f"runs/{run_id}/run.json"
    try:
        return _READER.validate_json(output.read(name))
    except ValidationError as error:
        raise StorageError(
            f"Expected the description of a run in {output.url_of(name)}; it is damaged: "
            f"{error.errors()[0]['msg']}. Put it back from a copy, or choose another output."
        ) from error


def _committed_shards(output: Location, run_id: str) -> frozenset[int]:
    parts = (
        re.fullmatch(rf"part-{re.escape(run_id)}-(\d+)\.parquet", name) for name in output.names("metrics")
    )
    return frozenset(int(part[1]) for part in parts if part)
