"""What a run is asked for. These values cross the flow boundary, so that they are pydantic.

A field that has a `typer.Option` or a `typer.Argument` is one on the command line, too: it is declared here
once, or, if the engine is asked for it, in `dip.configuration`, and inherited from there.
"""

from flows.parameters.batch import PAYLOAD, ArchiveParameters, Batch, BatchParameters, BenchmarkParameters
from flows.parameters.infrared import BY_INFRARED, MasksParameters
from flows.parameters.method import (
    PROPOSED,
    MethodParameters,
    PlanParameters,
    ReferenceParameters,
    RestorationParameters,
)
from flows.parameters.results import OutputParameters, ReportParameters, ResultsParameters
from flows.parameters.study import StudyParameters
from flows.parameters.work import WorkParameters, options_of

__all__ = [
    "BY_INFRARED",
    "PAYLOAD",
    "PROPOSED",
    "ArchiveParameters",
    "Batch",
    "BatchParameters",
    "BenchmarkParameters",
    "MasksParameters",
    "MethodParameters",
    "OutputParameters",
    "PlanParameters",
    "ReferenceParameters",
    "ReportParameters",
    "RestorationParameters",
    "ResultsParameters",
    "StudyParameters",
    "WorkParameters",
    "options_of",
]
