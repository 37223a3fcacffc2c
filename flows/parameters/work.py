"""Where images come from, where results go, who works on them; and which fields are options."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from pydantic import BaseModel, BeforeValidator, Field, Secret, model_validator
from typer.models import ParameterInfo

from dip.errors import ConfigurationError

if TYPE_CHECKING:
    from dip.storage import Location

WORK = "Workers and storage"
"""The panel of these options in a command's help."""

RESULTS = "Results"
"""The panel of options that say what becomes of results."""

Url = Annotated[str, Field(min_length=1)]
"""A folder, file or URL; an empty one would be the current folder."""

TakeOverOption = Annotated[
    bool,
    typer.Option(
        "--take-over",
        rich_help_panel=RESULTS,
        help="Work on OUT although it is locked by another run, which is dead.",
    ),
]


MaskThreshold = Annotated[
    float | None,
    Field(gt=0, lt=1),
    typer.Option(
        "--mask-threshold",
        metavar="P",
        min=0,
        max=1,
        help="Probability of damage from which proposed masks mark a pixel, else 0.7.",
    ),
]


def options_of(model: type[BaseModel]) -> dict[str, ParameterInfo]:
    """The option or argument of each field that is one on the command line, in the order of the fields."""
    return {
        name: declared
        for name, field in model.model_fields.items()
        for declared in field.metadata
        if isinstance(declared, ParameterInfo)
    }


def _explained(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Tell those who read a model's schema, such as Prefect's forms, of each parameter's help and range."""
    for name, option in options_of(model).items():
        told = {"description": option.help, "minimum": option.min, "maximum": option.max}
        schema["properties"][name] |= {key: value for key, value in told.items() if value is not None}


def _json_object(value: object) -> object:
    """The object in a text of JSON; what is no text as it is. What is refused is not shown: it is secret."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise ConfigurationError(
                f"Expected --storage-options to be a JSON object; it is no JSON ({error})."
            ) from error
    if not isinstance(value, dict | Secret):
        raise ConfigurationError("Expected --storage-options to be a JSON object; got another kind of JSON.")
    return value


class StorageParameters(BaseModel, frozen=True, extra="forbid", json_schema_extra=_explained):
    """How storage is reached.

    Attributes:
        storage_options: fsspec options for URLs, such as `{"endpoint_url": …, "key": …, "secret": …}`, or
            the text of such an object; kept out of records and logs. Environment variables are the better
            place for credentials.
    """

    storage_options: Annotated[
        Secret[dict[str, Any]],
        BeforeValidator(_json_object),
        typer.Option(
            "--storage-options",
            metavar="JSON",
            rich_help_panel=WORK,
            help='fsspec options for URLs, such as {"endpoint_url": "http://host:9000"}; '
            "the usual AWS_ environment variables need none.",
        ),
    ] = Field(default_factory=lambda: Secret({}))

    def location(self, url: str) -> "Location":
        """A URL with the storage options."""
        from dip.storage import Location  # which brings fsspec

        return Location(url, self.storage_options.get_secret_value())


class SourceParameters(StorageParameters, frozen=True):
    """Where images come from.

    Attributes:
        source: folder or URL of the images; never written to.
        exclude: patterns of names of files and folders below the source that are left out, beside those that
            systems put there (`EXCLUDED`).
    """

    source: Annotated[
        Url, typer.Argument(metavar="SRC", help="Folder or URL of the images; never written to.")
    ]
    exclude: Annotated[
        list[str],
        typer.Option(
            "--exclude", metavar="GLOB", help="Leave out files and folders of such names; can be repeated."
        ),
    ] = Field(default_factory=list)

    @property
    def left_out(self) -> tuple[str, ...]:
        """All patterns of names that are left out."""
        from dip.images.naming import EXCLUDED  # which brings what reads images

        return (*EXCLUDED, *self.exclude)


class WorkParameters(SourceParameters, frozen=True):
    """Where images come from, where what is made of them goes, and who works on them.

    Attributes:
        output: folder or URL of the results.
        workers: local worker processes; None for one per GPU, or one per core without a GPU.
        scheduler: address of a Dask scheduler that runs already, instead of local workers.
    """

    output: Annotated[
        Url,
        typer.Argument(metavar="OUT", help="Folder or URL of the results: a new one, or an earlier run's."),
    ]
    workers: Annotated[
        int | None,
        Field(ge=1),
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            rich_help_panel=WORK,
            help="Local worker processes; else one per GPU or core.",
        ),
    ] = None
    scheduler: Annotated[
        str | None,
        Field(min_length=1),
        typer.Option(
            "--scheduler",
            metavar="ADDR",
            rich_help_panel=WORK,
            help="A running Dask scheduler, such as tcp://host:8786.",
        ),
    ] = None

    @model_validator(mode="after")
    def _workers_are_started_or_there(self) -> Self:
        if self.workers is not None and self.scheduler is not None:
            raise ValueError(
                "Expected either a number of local workers (--workers) or a scheduler (--scheduler); got both"
            )
        return self
