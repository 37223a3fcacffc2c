"""The words a restoration is asked for with. Importing them costs nothing: no torch.

Names that stand for files of the engine come from the registry, so that a new file is known at once.
"""

from typing import TYPE_CHECKING, Literal, TypeAlias

from dip.configuration.protocols import PROTOCOLS
from dip.configuration.protocols import KernelName as KernelName
from dip.configuration.registry import METHODS, NETWORKS, OPERATORS, STUDIES

# A type checker cannot read the registry, and sees words of any kind.
if TYPE_CHECKING:
    Task: TypeAlias = str
    NetworkName: TypeAlias = str
    MethodName: TypeAlias = str
    ProtocolName: TypeAlias = str
    StudyName: TypeAlias = str
else:
    Task = Literal[tuple(OPERATORS)]
    NetworkName = Literal[tuple(name for name in NETWORKS if name != "pixels")]  # which are a method
    MethodName = Literal[tuple(METHODS)]
    ProtocolName = Literal[tuple(PROTOCOLS)]
    StudyName = Literal[tuple(STUDIES)]

Preset = Literal[
    "auto",
    "educated",
    "untrained",
    "fast",
    "paper",
    "paper-jpeg",
    "paper-hole",
    "paper-library",
    "paper-missing",
    "paper-sparse",
    "paper-flash",
]
Upsampling = Literal["bilinear", "nearest"]
DataTerm = Literal["squared", "huber", "l1"]
StopRuleName = Literal["variance", "held-out", "noise-level", "fixed"]
MaskShape = Literal["text", "scratches", "box"]
Damage = Literal["white", "black"]

USUAL_THRESHOLD = 0.7
"""Probability of damage from which a proposed mask marks a pixel."""

FileFormat = Literal["png", "tiff", "jp2", "webp", "bmp", "jpeg"]
"""What derivatives are written as."""

AskedFormat = Literal["source", "png", "tiff", "jp2", "jpeg"]
"""What a run can ask for: the format of each source, if it loses nothing, or one for all."""

TableFormat = Literal["table", "csv", "json", "markdown"]
"""How results are printed: for people, or for other programs."""
