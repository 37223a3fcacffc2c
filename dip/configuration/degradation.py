"""How an evaluation damages its references, as a value."""

from dataclasses import asdict, dataclass
from typing import Annotated, get_args

import typer

from dip.configuration.registry import OPERATORS
from dip.configuration.vocabulary import MaskShape
from dip.errors import TINY, ConfigurationError, check_between, check_one_of

DAMAGE = "Damage done to the references"
"""The panel of its options in a command's help."""


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """What happens to a reference, in this order; a super-resolution shrinks it first.

    A field is an option of the commands that evaluate, too.

    Attributes:
        poisson: photons per pixel at full brightness; shot noise follows from their number.
        sigma: standard deviation of Gaussian noise, in 8-bit units.
        grain: `SIGMA:SIZE`, film grain of that standard deviation, in 8-bit units, and size, in pixels.
        impulse: share of values replaced by black or white.
        jpeg: quality of a JPEG compression, 1 to 95.
        missing: share of pixels left out at random.
        mask: shape of what is left out instead.
    """

    poisson: Annotated[
        float | None,
        typer.Option(
            "--poisson", metavar="N", rich_help_panel=DAMAGE, help="Shot noise of N photons per bright pixel."
        ),
    ] = None
    sigma: Annotated[
        float | None,
        typer.Option(
            "--sigma",
            metavar="σ",
            rich_help_panel=DAMAGE,
            help="Gaussian noise in 8-bit units; 25 for a plain denoise.",
        ),
    ] = None
    grain: Annotated[
        str | None,
        typer.Option(
            "--grain",
            metavar="σ:PX",
            rich_help_panel=DAMAGE,
            help="Film grain: noise that neighbours and channels share, and mid-tones show most.",
        ),
    ] = None
    impulse: Annotated[
        float | None,
        typer.Option(
            "--impulse", metavar="SHARE", rich_help_panel=DAMAGE, help="Share of values made black or white."
        ),
    ] = None
    jpeg: Annotated[
        int | None,
        typer.Option(
            "--jpeg", metavar="QUALITY", rich_help_panel=DAMAGE, help="Artifacts of a JPEG compression."
        ),
    ] = None
    missing: Annotated[
        float | None,
        typer.Option("--missing", metavar="SHARE", rich_help_panel=DAMAGE, help="Share of missing pixels."),
    ] = None
    mask: Annotated[
        MaskShape | None, typer.Option("--mask", rich_help_panel=DAMAGE, help="Hide a shape instead.")
    ] = None

    @property
    def is_noisy(self) -> bool:
        """Whether observed pixels differ from the reference's."""
        return any(
            value is not None for value in (self.poisson, self.sigma, self.grain, self.impulse, self.jpeg)
        )

    @property
    def grain_sigma_and_size(self) -> tuple[float, float] | None:
        """σ of the grain in 8-bit units, and its size: the deviation in pixels of the blur that makes it.

        Raises:
            ConfigurationError: it is not two numbers in range.
        """
        if self.grain is None:
            return None
        try:
            sigma, size_px = (float(number) for number in self.grain.split(":"))
        except ValueError as error:
            raise ConfigurationError(
                f"Expected a grain SIGMA:SIZE, such as 15:0.8; got {self.grain}."
            ) from error
        check_between("a grain's σ in (0, 255]", sigma, TINY, 255)
        check_between("a grain's size from 0.1 to 10 pixels", size_px, 0.1, 10)
        return sigma, size_px

    @property
    def hides(self) -> bool:
        """Whether some pixels are left out."""
        return self.missing is not None or self.mask is not None

    @property
    def words(self) -> list[str]:
        """The degradation as `name=value` words."""
        return [f"{name}={value}" for name, value in asdict(self).items() if value is not None]

    def check(self, task: str) -> None:
        """See whether it goes with a task.

        Raises:
            ConfigurationError: a value is out of range, or the task gets nothing to do, or too much.
        """
        check_between("a noise level σ in (0, 255]", self.sigma, TINY, 255)
        check_between("a number of photons in (0, 10⁹]", self.poisson, TINY, 1e9)
        _ = self.grain_sigma_and_size
        check_between("a share of values in (0, 1]", self.impulse, TINY, 1)
        check_between("a JPEG quality from 1 to 95", self.jpeg, 1, 95)
        check_between("a share of missing pixels in (0, 1)", self.missing, TINY, 1 - TINY)
        if self.mask is not None:
            check_one_of("a mask shape", self.mask, get_args(MaskShape))
        if self.missing is not None and self.mask is not None:
            raise ConfigurationError("Expected either a share of missing pixels or a mask's shape; got both.")
        if OPERATORS[task].repairs and not self.hides:
            raise ConfigurationError(
                "Expected an inpainting evaluation to say what is missing: either a share of the pixels "
                "(missing) or a shape (mask)."
            )
        if task == "denoise" and (self.hides or not self.is_noisy):
            raise ConfigurationError(
                "Expected a denoising evaluation to add noise (sigma, poisson, grain, impulse or jpeg) and "
                f"to hide nothing; got {' '.join(self.words) or 'neither'}."
            )
