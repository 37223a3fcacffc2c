"""Where a report may go: never where a run reads or writes."""

from collections.abc import Iterable

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.report.page import FILES
from flows.runs.bag import REPORT, check_outside_bags
from flows.runs.preconditions import check_apart, check_no_foreign_entries


def default_place(output: Location) -> Location:
    """Where the report on an output goes, unless another place is named."""
    return output.below(REPORT)


def check_place(folder: Location, places: Iterable[tuple[Location, Location]]) -> None:
    """See that a report goes where nothing else lies.

    Args:
        folder: the report's.
        places: the outputs that it is on, each with its source.

    Raises:
        ConfigurationError: it would lie in a source, among an output's files, or where something else is.
        StorageError: it cannot be listed.
    """
    for output, source in places:
        check_apart(folder, source, "source", "a report")
        usual = default_place(output)
        if folder.canonical_url != usual.canonical_url and output.contains(folder):
            raise ConfigurationError(
                f"Expected a report outside of the output, or in {usual.url}; got {folder.url}. "
                "Choose another place with --to."
            )
    check_outside_bags(folder)
    check_no_foreign_entries(
        folder, FILES, "new, empty or an earlier report", "Choose another place with --to."
    )
