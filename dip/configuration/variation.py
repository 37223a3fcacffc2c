"""What departs from a preset, as a value."""

from dataclasses import dataclass, replace
from typing import Annotated, get_args

import typer

from dip.configuration.registry import NETWORKS
from dip.configuration.vocabulary import (
    DataTerm,
    NetworkName,
    StopRuleName,
    Upsampling,
)
from dip.errors import TINY, ConfigurationError, check_between, check_one_of

ENGINE = "Engine, in place of the preset's"
"""The panel of its options in a command's help."""


@dataclass(frozen=True, kw_only=True)
class Variation:
    """What departs from a preset's settings; None leaves the preset's. A field is an option, too.

    Attributes:
        network: a name in `dip.configuration.registry.NETWORKS`.
        width: channels of the network.
        depth: how many times the network halves the resolution, or a ResNet's number of blocks.
        upsampling: interpolation of the network's up path.
        dropout: share of the features that the network leaves out at random.
        input_channels: channels of the network's input z.
        input_noise: standard deviation of what is added to z at each iteration.
        learning_rate: of the optimizer.
        data_term: E, `squared`, `huber` or `l1`.
        tv: λ, the weight of total variation.
        stop: the stop rule: `variance`, `held-out`, `noise-level` or `fixed`.
        noise_level: σ of the noise in 8-bit units, for the rule `noise-level`.

    Raises:
        ConfigurationError: a value is out of range.
    """

    network: Annotated[
        NetworkName | None, typer.Option("--network", rich_help_panel=ENGINE, help="Parameterization g.")
    ] = None
    width: Annotated[
        int | None, typer.Option("--width", metavar="N", min=1, rich_help_panel=ENGINE, help="Its channels.")
    ] = None
    depth: Annotated[
        int | None,
        typer.Option("--depth", metavar="N", min=1, rich_help_panel=ENGINE, help="Its halvings, or blocks."),
    ] = None
    upsampling: Annotated[
        Upsampling | None, typer.Option("--upsampling", rich_help_panel=ENGINE, help="Its interpolation.")
    ] = None
    dropout: Annotated[
        float | None,
        typer.Option(
            "--dropout", metavar="P", rich_help_panel=ENGINE, help="Share of its features left out at random."
        ),
    ] = None
    input_channels: Annotated[
        int | None,
        typer.Option("--input-channels", metavar="N", min=1, rich_help_panel=ENGINE, help="Channels of z."),
    ] = None
    input_noise: Annotated[
        float | None,
        typer.Option(
            "--input-noise", metavar="X", min=0, rich_help_panel=ENGINE, help="Deviation of its noise."
        ),
    ] = None
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", metavar="X", min=0, rich_help_panel=ENGINE, help="Of the optimizer."),
    ] = None
    data_term: Annotated[
        DataTerm | None, typer.Option("--data-term", rich_help_panel=ENGINE, help="Data term E.")
    ] = None
    tv: Annotated[
        float | None,
        typer.Option("--tv", metavar="λ", min=0, rich_help_panel=ENGINE, help="Weight of total variation."),
    ] = None
    stop: Annotated[
        StopRuleName | None, typer.Option("--stop", rich_help_panel=ENGINE, help="Stop rule.")
    ] = None
    noise_level: Annotated[
        float | None,
        typer.Option(
            "--noise-level",
            metavar="σ",
            rich_help_panel=ENGINE,
            help="Known noise in 8-bit units, for --stop noise-level.",
        ),
    ] = None

    def __post_init__(self) -> None:
        for what, value, allowed in [
            ("a network", self.network, tuple(NETWORKS)),
            ("an interpolation", self.upsampling, get_args(Upsampling)),
            ("a data term", self.data_term, get_args(DataTerm)),
            ("a stop rule", self.stop, get_args(StopRuleName)),
        ]:
            if value is not None:
                check_one_of(what, value, allowed)
        check_between("a width from 1 to 1024", self.width, 1, 1024)
        # 8 halvings need a canvas of 512 pixels a side, whatever the image's size.
        check_between("a depth from 1 to 8", self.depth, 1, 8)
        check_between("a dropout from 0 to 0.9", self.dropout, 0, 0.9)
        check_between("1 to 1024 input channels", self.input_channels, 1, 1024)
        check_between("an input noise from 0 to 10", self.input_noise, 0, 10)
        check_between("a learning rate above 0, up to 10", self.learning_rate, TINY, 10)
        check_between("a weight of total variation from 0 to 1000", self.tv, 0, 1000)
        check_between("a noise level σ in (0, 255]", self.noise_level, TINY, 255)
        if (self.stop == "noise-level") != (self.noise_level is not None):
            raise ConfigurationError(
                "Expected the stop rule noise-level and a noise level to be given together; "
                f"got the rule {self.stop} and the noise level {self.noise_level}."
            )

    @property
    def of_network(self) -> dict[str, object]:
        """What is asked of the network, by name."""
        names = ("network", "width", "depth", "upsampling", "dropout", "input_channels", "input_noise")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def without_network(self) -> "Variation":
        """The rest, for a method that has no network."""
        return replace(self, **dict.fromkeys(self.of_network))
