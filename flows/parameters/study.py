"""What a study is asked for."""

import math
from typing import Annotated, Self

import typer
from pydantic import BeforeValidator, Field, model_validator

from dip.configuration.procedure import TaskOption
from dip.configuration.registry import STUDIES
from dip.configuration.vocabulary import StudyName
from flows.parameters.method import ReferenceParameters
from flows.parameters.work import TakeOverOption, WorkParameters

LEAST_STEP = 10
USUAL_SNAPSHOTS = (0, 300, 900, 1900)


def _numbers(text: object) -> object:
    """The numbers in a text such as `0,300,900`; what is no text as it is."""
    if not isinstance(text, str):
        return text
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError as error:
        raise ValueError("expected whole numbers with commas between them, such as 0,300,900") from error


class StudyParameters(WorkParameters, ReferenceParameters, frozen=True):
    """A study: references in, tables and plots out.

    Attributes:
        study: a name in `dip.configuration.registry.STUDIES`.
        task: what is wrong with the images.
        snapshots: iterations whose output is kept, by the study `snapshots`; multiples of a common step;
            None for `USUAL_SNAPSHOTS`.
        take_over: work on the output although it is locked by another study, which is dead.
    """

    study: Annotated[StudyName, typer.Argument(metavar="STUDY", help=f"One of {', '.join(STUDIES)}.")]
    task: TaskOption = "denoise"
    snapshots: Annotated[
        tuple[int, ...] | None,
        Field(min_length=1),
        BeforeValidator(_numbers),
        typer.Option(
            "--snapshots", metavar="N,N,…", help="Iterations to look at, for snapshots; else 0,300,900,1900."
        ),
    ] = None
    take_over: TakeOverOption = False

    @property
    def looked_at(self) -> tuple[int, ...]:
        """The snapshots that are asked for, or the usual ones."""
        return self.snapshots or USUAL_SNAPSHOTS

    @model_validator(mode="after")
    def _snapshots_can_be_taken(self) -> Self:
        if self.study != "snapshots" and self.snapshots is not None:
            raise ValueError(f"--snapshots goes with the study snapshots, not with {self.study}")
        chosen = self.looked_at
        if min(chosen) < 0 or max(chosen) == 0 or math.gcd(*chosen) < LEAST_STEP:
            raise ValueError(
                f"snapshots are taken at multiples of a common step of at least {LEAST_STEP} iterations, "
                f"at least one of them above 0; got {', '.join(map(str, chosen))}"
            )
        if self.study == "snapshots" and self.max_iterations is not None:
            raise ValueError("snapshots say themselves how many iterations are run (--snapshots)")
        return self
