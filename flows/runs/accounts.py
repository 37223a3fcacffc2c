"""The books of an output: a run is opened, or taken up where it stopped, and closed once all adds up."""

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

import dip
from dip.errors import StorageError
from dip.pipeline.job import Job
from dip.storage import Location
from dip.storage.part_files import read_parts
from flows.parameters import Batch
from flows.runs import made_with
from flows.runs.bag import check_bag, check_no_bag, check_outside_bags
from flows.runs.chosen import read_chosen
from flows.runs.history import Description, described, last_run, runs_of
from flows.runs.inventory import Inventory, inventory_of
from flows.runs.manifest import Entry, encode_manifest, read_names
from flows.runs.preconditions import check_same_terms, check_twins_apart, check_unused, terms_of
from flows.runs.run import Earlier, Run, manifest_of

OPEN_IMAGES_NAMED = 5
_STAMP, _STAMP_LENGTH = "%Y%m%dT%H%M%S", 15


def open_run(parameters: Batch) -> tuple[Run | None, Earlier]:
    """The run to work on: the interrupted one of this output, or a new one.

    Returns:
        The run, or None if every image of the source has a result already; and what is left of earlier ones.

    Raises:
        ConfigurationError: the output holds something else, or its runs were made with another
            configuration.
        StorageError: source, masks or output cannot be listed, read or written.
    """
    output, whole = parameters.results, parameters.location(parameters.output)
    check_outside_bags(whole)
    (check_bag if parameters.bag else check_no_bag)(whole)
    last = last_run(output)
    if last is None and not parameters.overwrite:
        check_unused(output)
    if last is not None:
        run_id, is_finished = last
        stored = described(output, run_id)
        check_same_terms(stored.asked, terms_of(parameters), run_id)
        if not is_finished:
            committed = _committed_shards(output, run_id)
            return Run(_template(parameters, run_id), stored.total, stored.shard_size, committed), Earlier()
    source, masks = parameters.location(parameters.source), parameters.masks_location
    infrared = parameters.infrared_suffixes
    with inventory_of(source, masks, parameters.left_out, infrared) as inventory:
        check_twins_apart(output, inventory.twins())
        earlier = _set_against_results(inventory, parameters)
        last_id = None if last is None else last[0]
        return _new_run(parameters, inventory.without_result(), last_id), earlier


def _set_against_results(inventory: Inventory, parameters: Batch) -> Earlier:
    """Leave the images open that the output lacks, or is to have again."""
    inventory.read_results(parameters.results)
    vanished = inventory.count_vanished()
    if parameters.only is not None:
        inventory.keep_only(read_chosen(parameters.location(parameters.only)))
    if parameters.retry is not None:
        inventory.forget(read_chosen(parameters.location(parameters.retry)))
    if parameters.redo_all:
        inventory.forget_all()
    elif parameters.retry_failed:
        inventory.forget_failures()
    inventory.forget_changed()
    return Earlier(vanished, inventory.count_failed(), inventory.count_left_out())


def _new_run(parameters: Batch, entries: Iterable[Entry], last: str | None) -> Run | None:
    manifest, total = encode_manifest(entries, parameters.shard_size)
    if not total:
        return None
    run_id = _id_after(last)
    run = Run(_template(parameters, run_id), total, parameters.shard_size)
    description = Description(
        run_id,
        terms_of(parameters),
        total,
        run.shard_size,
        software_version=dip.__version__,
        started_at=datetime.now(UTC).isoformat(),
        commit=made_with.commit(),
        machine=made_with.machine(),
    )
    run.output.write(run.manifest, manifest)
    # Written after the manifest: a run begins to exist with this file.
    run.output.write(f"runs/{run_id}/run.json", json.dumps(asdict(description), indent=2).encode())
    return run


def _id_after(last: str | None) -> str:
    """An id that sorts behind the last run's, whose machine's clock may have been ahead."""
    began_at = datetime.now(UTC).replace(tzinfo=None)
    if last is not None:
        began_at = max(began_at, datetime.strptime(last[:_STAMP_LENGTH], _STAMP) + timedelta(seconds=1))
    return f"{began_at:{_STAMP}}-{secrets.token_hex(3)}"


def _template(parameters: Batch, run_id: str) -> Job:
    return Job(
        run_id=run_id,
        image_id="",
        source=parameters.location(parameters.source),
        output=parameters.results,
        record="",
        configuration=parameters.configuration,
        masks=parameters.location(parameters.source)
        if parameters.uses_infrared
        else parameters.masks_location,
        proposes_masks=parameters.proposes_masks,
        mask_threshold=parameters.least_probability,
        infrared=parameters.uses_infrared,
        guides=parameters.guides_location,
        file_format=parameters.file_format,
        suffix=parameters.suffix,
        overwrite=parameters.overwrite,
        noise_floor=parameters.least_noise,
        time_limit_s=parameters.time_limit_s,
        embed=parameters.embed,
        uncertainty=parameters.uncertainty,
    )


@dataclass(frozen=True)
class Account:
    """What became of the images of a run.

    Attributes:
        total: images of its manifest.
        counts: rows by status.
        open_images: images without a row; empty unless there are fewer rows than images.
    """

    run_id: str
    total: int
    counts: dict[str, int]
    open_images: tuple[str, ...]

    @property
    def without_row(self) -> str:
        """Which images have no row, in a few words."""
        others = len(self.open_images) - OPEN_IMAGES_NAMED
        named = [repr(name) for name in self.open_images[:OPEN_IMAGES_NAMED]]
        return ", ".join([*named, *([f"and {others} more"] if others > 0 else [])])


def account_of(output: Location, run_id: str, total: int) -> Account:
    """The account of a run of so many images.

    Raises:
        StorageError: its rows or its manifest cannot be read.
    """
    counts = Counter({"restored": 0, "failed": 0, "skipped": 0})
    for part in read_parts(output, ["status"], run_id):
        counts.update(part["status"].to_pylist())
    open_images = _open_images(output, run_id) if counts.total() < total else ()
    return Account(run_id, total, dict(counts), open_images)


def incomplete_runs(output: Location) -> list[Account]:
    """The accounts of the runs of an output that have fewer rows than images, oldest first.

    Raises:
        StorageError: the output cannot be read, or the description of a run is damaged.
    """
    rows: Counter[str] = Counter()
    for part in read_parts(output, ["run_id"]):  # once for all runs: there can be one of each night
        rows.update(part["run_id"].to_pylist())
    begun = reversed([run_id for run_id, _ in runs_of(output)])
    totals = {run_id: described(output, run_id).total for run_id in begun}
    return [account_of(output, run_id, total) for run_id, total in totals.items() if rows[run_id] < total]


def no_rows(output: Location) -> StorageError:
    """What to say of an output without any row.

    Raises:
        StorageError: the output cannot be read.
    """
    told = unfinished(output)
    found = f"none yet. {told}" if told else "none."
    return StorageError(f"Expected results in {output.url}/metrics; there are {found}")


def unfinished(output: Location) -> str:
    """What to say of a run that was begun and not closed; nothing, if there is none.

    Raises:
        StorageError: the output cannot be read, or the description of the run is damaged.
    """
    last = last_run(output)
    if last is None or last[1]:
        return ""
    run_id, _ = last
    done, total = _done(output, run_id), described(output, run_id).total
    return (
        f"The run {run_id} is unfinished: {done} of {total} images are done. "
        "The line that began it continues it."
    )


def _done(output: Location, run_id: str) -> int:
    """How many images of a run have a row, in a part file or as a record."""
    rows: int = sum(part.num_rows for part in read_parts(output, ["status"], run_id))
    # A committed shard can have left records behind.
    committed = {f"{shard:05d}" for shard in _committed_shards(output, run_id)}
    records = (found.name.split("/") for found in output.find(f"runs/{run_id}/records"))
    return rows + sum(name.endswith(".arrow") and shard not in committed for *_, shard, name in records)


def _open_images(output: Location, run_id: str) -> tuple[str, ...]:
    """The images of a run's manifest that have no row."""
    named = read_names(output, manifest_of(run_id))
    empty = pa.chunked_array([[]], pa.string())
    rows = [part["image_id"] for part in read_parts(output, ["image_id"], run_id)]
    there = pa.chunked_array([chunk for column in [empty, *rows] for chunk in column.chunks])
    return tuple(named.filter(pc.invert(pc.is_in(named, there))).to_pylist())


def close_run(run: Run) -> dict[str, int]:
    """Check that every image has its row, mark the run finished, and count its rows by status.

    Raises:
        StorageError: rows and images do not add up.
    """
    account = account_of(run.output, run.run_id, run.total)
    if sum(account.counts.values()) != run.total:
        raise StorageError(
            f"Expected {run.total} rows of the run {run.run_id} in {run.output.url}; got {account.counts}. "
            f"Without a row: {account.without_row or 'none'}. Were part files removed or added? "
            "The same line restores the images of missing ones again."
        )
    ended = {"finished_at": datetime.now(UTC).isoformat(), **account.counts}
    run.output.write(f"runs/{run.run_id}/finished.json", json.dumps(ended, indent=2).encode())
    return account.counts


def _committed_shards(output: Location, run_id: str) -> frozenset[int]:
    parts = (
        re.fullmatch(rf"part-{re.escape(run_id)}-(\d+)\.parquet", name) for name in output.names("metrics")
    )
    return frozenset(int(part[1]) for part in parts if part)
