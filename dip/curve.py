"""How an optimisation went, as a value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CurvePoint:
    """The state of an optimisation at one iteration.

    Attributes:
        iteration: counted from 1.
        loss: mean of the data term over the window that ends here.
        psnr_db: of the averaged output, where a reference exists.
    """

    iteration: int
    loss: float
    psnr_db: float | None
