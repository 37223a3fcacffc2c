"""Where a report may go: never where a run reads or writes."""

from collections.abc import Sequence

from dip.errors import ConfigurationError
from dip.storage import Location
from flows.report.page import FILES
from flows.report.subject import Subject
from flows.runs.bag import REPORT, check_outside_bags
from flows.runs.preconditions import check_apart, check_no_foreign_entries


def default_place(output: Location) -> Location:
    """Where the report on an output goes, unless another place is named."""
    return output.below(REPORT)


def check_place(folder: Location, subjects: Sequence[Subject]) -> None:
    """See that a report goes where nothing else lies.

    Args:
        folder: the report's.
        subjects: the outputs that it is on.

    Raises:
        ConfigurationError: it would lie in a source, among an output's files, or where something else is.
        StorageError: it cannot be listed.
    """
    for subject in subjects:
        check_apart(folder, subject.source, "source", "a report")
        usual = default_place(subject.output)
        if folder.canonical_url != usual.canonical_url and subject.output.contains(folder):
            raise ConfigurationError(
                f"Expected a report outside of the output, or in {usual.url}; got {folder.url}. "
                "Choose another place with --to."
            )
    check_outside_bags(folder)
    check_no_foreign_entries(
        folder, FILES, "new, empty or an earlier report", "Choose another place with --to."
    )
