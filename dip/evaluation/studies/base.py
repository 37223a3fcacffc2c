"""What a study is: variants of one experiment, each tried on each image by itself. Imports no torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from dip.configuration import Configuration
from dip.storage import Location

TableRow = Mapping[str, object]


@dataclass(frozen=True)
class Trial:
    """One variant of a study on one image: what a worker is told.

    Attributes:
        study: a name in `dip.configuration.registry.STUDIES`.
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


def _last(tables: Mapping[str, pa.Table]) -> pa.Table:
    return list(tables.values())[-1]


@dataclass(frozen=True)
class Study:
    """An experiment.

    Attributes:
        variants: their names, from the configuration that all of them share.
        run: tries one variant on one image.
        tables: schema of each table, without the columns `image_id` and `variant`, which all have.
        summary: what is worth printing, from the tables; the last table, if there is nothing better.
        tasks: those it can be asked for with; None for every task.
    """

    variants: Callable[[Configuration], Sequence[str]]
    run: Callable[[Trial], Findings]
    tables: Mapping[str, pa.Schema]
    summary: Callable[[Mapping[str, pa.Table]], pa.Table] = _last
    tasks: tuple[str, ...] | None = None
