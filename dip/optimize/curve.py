"""How an optimisation went, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CurvePoint:
    """The state of an optimisation at one iteration.

    Attributes:
        iteration: counted from 1.
        loss: mean of E + λ R over the interval that ends here.
        signal: the stop monitor's; None for a rule without one.
        psnr_db: of the averaged output, where a reference exists.
    """

    iteration: int
    loss: float
    signal: float | None
    psnr_db: float | None
