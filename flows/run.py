"""A run over one output: started, continued where it stopped, or followed by another."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

import dip
from dip.config import Configuration
from dip.errors import ConfigurationError, StorageError
from dip.results import read_rows
from dip.storage import Location
from dip.vocabulary import AskedFormat
from flows.accounting import KNOWN_BY, count_vanished, without_result
from flows.bag import expect_bag
from flows.lock import is_lock
from flows.manifest import Entry, encode_manifest, list_images
from flows.parameters import PROPOSED, ArchiveParameters, Batch


@dataclass(frozen=True)
class Run:
    """One pass over a manifest.

    Attributes:
        run_id: sorts by the time it was started at.
        total: images in the manifest.
        shard_size: images per shard.
        committed: shards that have their part file already.
    """

    run_id: str
    source: Location
    output: Location
    masks: Location | None
    proposes_masks: bool
    configuration: Configuration
    file_format: AskedFormat
    suffix: str
    overwrite: bool
    noise_floor: float
    time_limit_s: float | None
    embed: bool
    uncertainty: bool
    total: int
    shard_size: int
    committed: frozenset[int] = frozenset()

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.total // self.shard_size)

    @property
    def open_shards(self) -> list[int]:
        """Shards without a part file."""
        return [shard for shard in range(self.shards) if shard not in self.committed]

    @property
    def manifest(self) -> str:
        """Name of the manifest in the output."""
        return f"runs/{self.run_id}/manifest.parquet"

    @property
    def records(self) -> str:
        """Folder of the records of images whose shard has no part file yet."""
        return f"runs/{self.run_id}/records"

    def record(self, shard: int, image_id: str) -> str:
        """Name of an image's record."""
        return f"{self.records}/{shard:05d}/{hashlib.sha256(image_id.encode()).hexdigest()[:32]}.arrow"

    def shard_of(self, record: str) -> int:
        """The shard a record belongs to, by the record's name."""
        return int(record.rsplit("/", 2)[1])

    def part(self, shard: int) -> str:
        """File name of a shard's rows, and of its curves."""
        return f"part-{self.run_id}-{shard:05d}.parquet"

    def images_in(self, shard: int) -> range:
        """Which images of the manifest a shard holds, counted from 0."""
        return range(shard * self.shard_size, min(self.total, (shard + 1) * self.shard_size))


def expect_feasible(parameters: Batch) -> None:
    """Refuse what cannot be done whatever source and output hold, before anything is written.

    Raises:
        ConfigurationError: source and output overlap, or the configuration contradicts itself.
    """
    _check_locations(parameters)
    _ = parameters.configuration.hash


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
    if last is None:
        if not parameters.overwrite:
            _check_is_unused(output)
        return _new_run(parameters, _listed(parameters)), 0
    run_id, is_finished = last
    stored = json.loads(output.read(f"runs/{run_id}/run.json"))
    _check_same(stored["asked"], _asked(parameters), run_id)
    if not is_finished:
        committed = _committed_shards(output, run_id)
        return _run(parameters, run_id, stored["total"], stored["shard_size"], committed), 0
    entries, rows = _listed(parameters), read_rows(output, KNOWN_BY)
    return _new_run(parameters, _open_entries(parameters, entries, rows)), count_vanished(entries, rows)


def _listed(parameters: Batch) -> list[Entry]:
    return list_images(parameters.location(parameters.source), _masks(parameters))


def _open_entries(parameters: Batch, entries: list[Entry], rows: pa.Table) -> list[Entry]:
    """What a finished output lacks, or is to have again."""
    if parameters.redo_all:
        return entries
    if parameters.retry_failed:
        rows = rows.filter(pc.field("status") != "failed")
    return without_result(entries, rows, parameters.location(parameters.source))


def close_run(run: Run) -> dict[str, int]:
    """Check that every image has its row, mark the run finished, and count its rows by status.

    Raises:
        StorageError: rows and images do not add up.
    """
    rows = read_rows(run.output, ["run_id", "status"])
    statuses = pc.value_counts(rows.filter(pc.field("run_id") == run.run_id)["status"]).to_pylist()
    counts = {"restored": 0, "failed": 0, "skipped": 0}
    counts |= {entry["values"]: entry["counts"] for entry in statuses}
    if sum(counts.values()) != run.total:
        raise StorageError(
            f"Expected {run.total} rows of the run {run.run_id} in {run.output.url}; got {counts}. "
            "Were part files removed? Run the same line again with a new output."
        )
    ended = {"finished_at": datetime.now(UTC).isoformat(), **counts}
    run.output.write(f"runs/{run.run_id}/finished.json", json.dumps(ended, indent=2).encode())
    return counts


def _new_run(parameters: Batch, entries: list[Entry]) -> Run | None:
    if not entries:
        return None
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    run = _run(parameters, run_id, len(entries), parameters.shard_size)
    description = {
        "run_id": run_id,
        "asked": _asked(parameters),
        "total": run.total,
        "shard_size": run.shard_size,
        "software_version": dip.__version__,
        "started_at": datetime.now(UTC).isoformat(),
    }
    run.output.write(run.manifest, encode_manifest(entries, run.shard_size))
    # Written after the manifest: a run begins to exist with this file.
    run.output.write(f"runs/{run_id}/run.json", json.dumps(description, indent=2).encode())
    return run


def _run(
    parameters: Batch,
    run_id: str,
    total: int,
    shard_size: int,
    committed: frozenset[int] = frozenset(),
) -> Run:
    return Run(
        run_id=run_id,
        source=parameters.location(parameters.source),
        output=parameters.results,
        masks=_masks(parameters),
        proposes_masks=_proposes_masks(parameters),
        configuration=parameters.configuration,
        file_format=parameters.file_format,
        suffix=parameters.suffix,
        overwrite=parameters.overwrite,
        noise_floor=_noise_floor(parameters),
        time_limit_s=parameters.time_limit_s,
        embed=parameters.embed,
        uncertainty=parameters.uncertainty,
        total=total,
        shard_size=shard_size,
        committed=committed,
    )


def _masks(parameters: Batch) -> Location | None:
    return parameters.masks_location if isinstance(parameters, ArchiveParameters) else None


def _proposes_masks(parameters: Batch) -> bool:
    return isinstance(parameters, ArchiveParameters) and parameters.proposes_masks


def _noise_floor(parameters: Batch) -> float:
    return parameters.noise_floor if isinstance(parameters, ArchiveParameters) else 0.0


def _asked(parameters: Batch) -> dict[str, Any]:
    """What two runs over one output must agree on."""
    masks = _masks(parameters)
    return {
        "source": parameters.location(parameters.source).canonical_url,
        "masks": PROPOSED if _proposes_masks(parameters) else masks and masks.canonical_url,
        "format": parameters.file_format,
        "suffix": parameters.suffix,
        "noise_floor": _noise_floor(parameters),
        "embed": parameters.embed,
        "uncertainty": parameters.uncertainty,
        **asdict(parameters.configuration),
        # What a preset means can change between versions, while its name does not.
        "meaning of the preset": parameters.configuration.hash,
    }


def _check_same(stored: Mapping[str, Any], asked: Mapping[str, Any], run_id: str) -> None:
    was, now = _flat(stored), _flat(asked)
    differing = [name for name in sorted(was | now) if was.get(name) != now.get(name)]
    if len(differing) > 1:  # the others say it better
        differing = [name for name in differing if name != "meaning of the preset"]
    if differing:
        changes = "; ".join(f"{name} was {was.get(name)!r} and is {now.get(name)!r}" for name in differing)
        raise ConfigurationError(
            f"Expected the configuration of the output's earlier run {run_id}; {changes}. "
            "Repeat the earlier line, or choose another output."
        )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those of nested groups among them."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _last_run(output: Location) -> tuple[str, bool] | None:
    """Id of the output's last run, and whether it is finished."""
    for run_id in sorted(output.names("runs"), reverse=True):
        files = output.names(f"runs/{run_id}")
        if "run.json" in files:
            return run_id, "finished.json" in files
    return None


def _committed_shards(output: Location, run_id: str) -> frozenset[int]:
    prefix = f"part-{run_id}-"
    names = output.names("metrics")
    return frozenset(int(name[len(prefix) : -len(".parquet")]) for name in names if name.startswith(prefix))


def _check_locations(parameters: Batch) -> None:
    masks = _masks(parameters)
    expect_apart(parameters.results, parameters.location(parameters.source), "source")
    if masks is not None:
        expect_apart(parameters.results, masks, "masks")


def expect_apart(output: Location, other: Location, role: str) -> None:
    """See that an output and what it is made from do not lie in one another.

    Raises:
        ConfigurationError: they do.
    """
    if other.contains(output) or output.contains(other):
        raise ConfigurationError(
            f"Expected an output apart from the {role}; {output.url} and {other.url} lie in one another. "
            "Choose another output."
        )


def _check_is_unused(output: Location) -> None:
    others = {name for name in output.names() if name != "runs" and not is_lock(name)}
    if others:
        raise ConfigurationError(
            f"Expected an output that is new, empty or made by an earlier run; {output.url} holds "
            f"{len(others)} other entries, such as {min(others)!r}. Choose another output, or say "
            "--overwrite to replace files of the same names."
        )
