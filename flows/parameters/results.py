"""What commands are asked for that look at results."""

from typing import Annotated

import typer
from pydantic import BeforeValidator, Field

from dip.configuration.vocabulary import TableFormat
from dip.errors import ConfigurationError
from flows.parameters.work import StorageParameters, Url


def _sample_size(value: object) -> object:
    """The number in a text; None for `all`; what is no text as it is."""
    if not isinstance(value, str):
        return value
    if value == "all":
        return None
    if not value.isdecimal():
        raise ConfigurationError(f"Expected --sample to be a number of images, or all; got {value!r}.")
    return int(value)


class OutputParameters(StorageParameters, frozen=True):
    """Results that are looked at.

    Attributes:
        output: folder or URL of the results.
    """

    output: Annotated[Url, typer.Argument(metavar="OUT", help="Folder or URL of the results.")]


class ResultsParameters(OutputParameters, frozen=True):
    """The table of results.

    Attributes:
        failed: list what is not restored in its place.
        form: a table, or all rows for another program.
        by: columns, divided by commas, that means are told by.
    """

    failed: Annotated[bool, typer.Option("--failed", help="List what is not restored, and why.")] = False
    form: Annotated[
        TableFormat, typer.Option("--format", help="All rows for another program, or a table.")
    ] = "table"
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME,NAME,…", help="Means alone, by columns such as task,preset."),
    ] = None


class ReportParameters(OutputParameters, frozen=True):
    """A page on which results are looked at, compared and decided on.

    Attributes:
        other: folder or URL of results over the same source, to compare with.
        to: where the report goes; None for `report` in the output.
        sample: how many images are shown that nothing is wrong with; None for all.
        opens: show it in the browser.
    """

    other: Annotated[
        str | None,
        Field(min_length=1),
        typer.Argument(metavar="OTHER", help="Results over the same source, to compare with."),
    ] = None
    to: Annotated[
        str | None,
        Field(min_length=1),
        typer.Option("--to", metavar="URL", help="Where the report goes, else OUT/report."),
    ] = None
    sample: Annotated[
        int | None,
        Field(ge=0),
        BeforeValidator(_sample_size),
        typer.Option("--sample", metavar="N", help="Images shown that nothing is wrong with, or all."),
    ] = 200
    opens: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False
