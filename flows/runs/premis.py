"""What was done to each image, in PREMIS: a document for each, and one of all that Archivematica imports."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dip.errors import ConfigurationError
from dip.storage import Location
from dip.storage.part_files import read_newest
from dip.storage.premis import (
    AGENT_FOOT,
    DECLARATION,
    FOOT,
    HEAD,
    NEEDED,
    Restored,
    agent_head,
    link_to,
)
from flows.runs.accounts import no_rows, unfinished
from flows.runs.bag import check_closed, extend_bag, is_declared, open_bag, results_of
from flows.runs.lock import locked

FOLDER = "metadata"
"""Of an output; Archivematica takes it for the metadata of a transfer."""
WHOLE, SINGLE = f"{FOLDER}/premis.xml", f"{FOLDER}/premis"
"""The document of all derivatives, and the folder of those of one."""


@dataclass(frozen=True)
class PremisSummary:
    """What was written.

    Attributes:
        output: where the results are.
        written: documents of one derivative.
        kept: those that were there, and say the same.
    """

    output: Location
    written: int
    kept: int


def write_premis(output: Location) -> PremisSummary:
    """Tell of every restored image of an output. What a run wrote stays as it is, and a bag a bag.

    The same call goes on with what was interrupted.

    Raises:
        ConfigurationError: a run is not finished, or no restored image is a file.
        StorageError: rows cannot be read, or documents not be written.
    """
    results = results_of(output)
    with locked(output, take_over=False):
        if told := unfinished(results):
            raise ConfigurationError(f"Expected a finished run in {results.url}. {told}")
        is_bag = is_declared(output)
        if is_bag:
            check_closed(output)
        _check_files(results)
        if is_bag:
            open_bag(output)
        count = _write_single(results)
        _write_whole(results)
        if is_bag:
            extend_bag(output, FOLDER)
    return PremisSummary(results, count["written"], count["kept"])


def _restored(results: Location) -> Iterator[list[Restored]]:
    """The restored images that are files, part file by part file."""
    for part in read_newest(results, NEEDED):
        yield [restored for row in part.to_pylist() if (restored := Restored.of(row)) is not None]


def _check_files(results: Location) -> None:
    """See that there is something to tell of.

    Raises:
        ConfigurationError: no restored image is a file.
        StorageError: there are no rows.
    """
    rows = 0
    for part in read_newest(results, ["status", "output_name"]):
        rows += part.num_rows
        if part["output_name"].null_count < part.num_rows:
            return
    if not rows:
        raise no_rows(results)
    raise ConfigurationError(
        f"Expected restored images in files, which PREMIS tells of; none of the {rows} images of "
        f"{results.url} is one. Embedded images (--embed) lie in the rows."
    )


def _write_single(results: Location) -> Counter[str]:
    """A document for each derivative. One that is there and says the same is left."""
    count: Counter[str] = Counter()
    there = {found.name for found in results.find(SINGLE)}
    for some in _restored(results):
        documents = {f"{SINGLE}/{each.name.removeprefix('images/')}.xml": each.document() for each in some}
        known = [name for name in documents if name in there]
        contents = dict(zip(known, results.read_all(known), strict=True))
        new = {name: document for name, document in documents.items() if contents.get(name) != document}
        results.write_all(new)
        count.update(written=len(new), kept=len(documents) - len(new))
    return count


def _write_whole(results: Location) -> None:
    """The document of all derivatives: objects first, then events, then the agents, as the schema asks."""
    with tempfile.TemporaryDirectory(prefix="dip-") as folder:
        file = Path(folder, "premis.xml")
        with file.open("w", encoding="utf-8") as sink:
            _write_parts(results, sink)
        results.upload(WHOLE, file)


def _write_parts(results: Location, sink: IO[str]) -> None:
    sink.write(DECLARATION + HEAD)
    for some in _restored(results):
        sink.writelines(each.objects() for each in some)
    agents: dict[str, None] = {}
    for some in _restored(results):
        sink.writelines(each.event() for each in some)
        agents |= dict.fromkeys(each.agent for each in some)
    for agent in agents:
        sink.write(agent_head(agent))
        for some in _restored(results):
            sink.writelines(link_to(each.event_id) for each in some if each.agent == agent)
        sink.write(AGENT_FOOT)
    sink.write(FOOT)
