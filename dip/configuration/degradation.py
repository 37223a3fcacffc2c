"""How an evaluation damages its references, as a value."""

from dataclasses import asdict, dataclass
from typing import get_args

from dip.configuration.tables import OPERATORS
from dip.configuration.vocabulary import MaskShape
from dip.errors import TINY, ConfigurationError, check_between, check_one_of


@dataclass(frozen=True)
class Degradation:
    """What happens to a reference, in this order; a super-resolution shrinks it first.

    Attributes:
        poisson: photons per pixel at full brightness; shot noise follows from their number.
        sigma: standard deviation of Gaussian noise, in 8-bit units.
        impulse: share of values replaced by black or white.
        jpeg: quality of a JPEG compression, 1 to 95.
        missing: share of pixels left out at random.
        mask: shape of what is left out instead.
    """

    poisson: float | None = None
    sigma: float | None = None
    impulse: float | None = None
    jpeg: int | None = None
    missing: float | None = None
    mask: MaskShape | None = None

    @property
    def is_noisy(self) -> bool:
        """Whether observed pixels differ from the reference's."""
        return any(value is not None for value in (self.poisson, self.sigma, self.impulse, self.jpeg))

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
                "Expected a denoising evaluation to add noise (sigma, poisson, impulse or jpeg) and to hide "
                f"nothing; got {' '.join(self.words) or 'neither'}."
            )
