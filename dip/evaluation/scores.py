"""How good a restoration is: its readings under the protocols of an evaluation."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dip.configuration import Configuration
from dip.configuration.protocols import PROTOCOLS, EvaluationProtocol, protocols_of
from dip.evaluation import metrics
from dip.images.image import rounded
from dip.operators.measurement import Measurement


@dataclass(frozen=True)
class Reading:
    """One protocol's numbers; None stands for what is not defined.

    Attributes:
        protocol: its name.
        psnr_degraded_db: PSNR of what the restoration started from.
        psnr_db: PSNR of the restoration, rounded to 8 bits.
        ssim: SSIM of the restoration, rounded to 8 bits.
    """

    protocol: str
    psnr_degraded_db: float
    psnr_db: float
    ssim: float | None


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Compares outputs to the reference of a measurement.

    Attributes:
        measurement: of the evaluation; it holds the reference.
        configuration: names the protocol.
    """

    measurement: Measurement
    configuration: Configuration

    @property
    def reference(self) -> Tensor:
        """(C, H, W) in [0, 1], float32.

        Raises:
            ValueError: the measurement is not of an evaluation.
        """
        if self.measurement.reference is None:
            raise ValueError("Expected the measurement of an evaluation; got one without a reference.")
        return torch.from_numpy(self.measurement.reference)

    def psnr_of(self) -> Callable[[Tensor], Tensor]:
        """The function that takes the PSNR of an output, (1, C, H, W), unrounded, under the main protocol."""
        protocol = self.configuration.evaluation_protocol

        def psnr(output: Tensor) -> Tensor:
            return self._psnr(output.float().clamp(0, 1), self.reference.to(output.device), protocol)

        return psnr

    def readings(self, restored: Tensor) -> list[Reading]:
        """The numbers of a restoration, (1, C, H, W), the main protocol's first.

        Inpainting is read in three ways; of the others each makes an input of its own, so that an
        evaluation follows one of them.
        """
        main = self.configuration.protocol_name
        inpainting = protocols_of("inpaint") if self.configuration.task == "inpaint" else []
        others = {name: PROTOCOLS[name] for name in inpainting if name != main}
        protocols = {main: self.configuration.evaluation_protocol, **others}
        return [self._reading(name, protocol, restored) for name, protocol in protocols.items()]

    def _reading(self, name: str, protocol: EvaluationProtocol, restored: Tensor) -> Reading:
        # Every level of 8 bits is one of 16: a reference of either depth comes back exactly from float32.
        reference = _rounded(self.reference, bits=16)
        image = _rounded(self._read(restored, protocol))
        seen = torch.from_numpy(self.measurement.seen)[None]
        x, y = (metrics.compared_part(values, protocol, self._scale) for values in (image[0], reference))
        return Reading(
            protocol=name,
            psnr_degraded_db=float(self._psnr(self._degraded(seen), reference, protocol)),
            psnr_db=float(metrics.psnr(x, y, self._where(protocol))),
            ssim=None if protocol.reading == "hole" else metrics.ssim(x, y),
        )

    def _degraded(self, seen: Tensor) -> Tensor:
        """What an evaluation starts from: low resolution is enlarged to a file of 8 bits, noise is not."""
        return _rounded(seen) if self._scale > 1 else seen.double()

    def _psnr(self, image: Tensor, reference: Tensor, protocol: EvaluationProtocol) -> Tensor:
        seen = self._read(image, protocol)[0]
        x, y = (metrics.compared_part(values, protocol, self._scale) for values in (seen, reference))
        where = self._where(protocol)
        return metrics.psnr(x, y, where if where is None else where.to(image.device))

    def _read(self, image: Tensor, protocol: EvaluationProtocol) -> Tensor:
        return self.measurement.pasted(image) if protocol.reading == "pasted" else image

    def _where(self, protocol: EvaluationProtocol) -> Tensor | None:
        observed = self.measurement.observed
        return None if protocol.reading != "hole" or observed is None else ~torch.from_numpy(observed)

    @property
    def _scale(self) -> int:
        return self.configuration.scale_factor


def _rounded(image: Tensor, bits: int = 8) -> Tensor:
    return torch.from_numpy(rounded(image.numpy(), bits))
