"""The runs of an output: which there are, what each was asked, and whether it is finished."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from dip.errors import StorageError
from dip.storage import Location


@dataclass(frozen=True)
class Description:
    """What `run.json` says of a run.

    Attributes:
        commit: of the program; None where nothing tells, or in an old run, like `machine`.
        machine: that began it.
    """

    run_id: str
    asked: dict[str, Any]
    total: Annotated[int, Field(ge=1)]
    shard_size: Annotated[int, Field(ge=1)]
    software_version: str
    started_at: str
    commit: str | None = None
    machine: str | None = None


_READER = TypeAdapter(Description)


def descriptions_of(output: Location) -> list[Description]:
    """What the runs of an output were asked, oldest first.

    Raises:
        StorageError: the output cannot be read, or the description of a run is damaged.
    """
    return [described(output, run_id) for run_id, _ in reversed([*runs_of(output)])]


def finished_runs(output: Location) -> list[str]:
    """Ids of the runs of an output that were closed, oldest first.

    Raises:
        StorageError: the output cannot be listed.
    """
    return [run_id for run_id, is_finished in reversed([*runs_of(output)]) if is_finished]


def last_run(output: Location) -> tuple[str, bool] | None:
    """Id of the output's last run, and whether it is finished."""
    return next(runs_of(output), None)


def runs_of(output: Location) -> Iterator[tuple[str, bool]]:
    """Id of each run of an output, and whether it is finished, from the last one back."""
    for run_id in sorted(output.names("runs"), reverse=True):
        files = output.names(f"runs/{run_id}")
        if "run.json" in files:
            yield run_id, "finished.json" in files


def described(output: Location, run_id: str) -> Description:
    """What a run was asked.

    Raises:
        StorageError: its description cannot be read, or is damaged.
    """
    name = f"runs/{run_id}/run.json"
    try:
        return _READER.validate_json(output.read(name))
    except ValidationError as error:
        raise StorageError(
            f"Expected the description of a run in {output.url_of(name)}; it is damaged: "
            f"{error.errors()[0]['msg']}. Put it back from a copy, or choose another output."
        ) from error
