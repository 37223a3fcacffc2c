"""The same image by deepinv's DeepImagePrior with its own network and defaults, in an environment of its own.

This file is run by that environment's interpreter, so that it imports nothing of the product.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor, nn

PAST_PEAK = 200


def peer_to_the_peak(python: Path, reference: Tensor, device: str) -> dict[str, object]:
    """The peak of its PSNR, and the seconds until 0.1 dB below it, as `tests.bench.speed` takes them."""
    from tests.bench.subject import noisy

    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.pt"
        torch.save({"reference": reference, "noisy": noisy(reference)}, images)
        command = [str(python), __file__, str(images), device]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, object] = json.loads(answer)
    return found


class PastPeak(Exception):  # noqa: N818 - it ends a fit, and is no error
    """No output has been better for long enough."""


class Watched(nn.Module):
    """A generator whose outputs are compared to the reference, and that ends the fit after their peak."""

    def __init__(self, generator: nn.Module, reference: Tensor) -> None:
        super().__init__()
        self.generator, self.reference = generator, reference
        self.psnrs_db: list[float] = []

    def forward(self, z: Tensor) -> Tensor:
        """Draw, and take the PSNR."""
        output: Tensor = self.generator(z)
        error = (output.detach().clamp(0, 1) - self.reference).square().mean()
        self.psnrs_db.append(-10 * error.log10().item())
        if len(self.psnrs_db) - self.psnrs_db.index(max(self.psnrs_db)) > PAST_PEAK:
            raise PastPeak
        return output


def main() -> None:
    """Denoise with the defaults, and say when the peak was reached."""
    import deepinv

    images, device = torch.load(sys.argv[1]), sys.argv[2]
    reference = images["reference"].to(device)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = deepinv.models.ConvDecoder(img_size=tuple(reference.shape[1:])).to(device)
    watched = Watched(network, reference)
    prior = deepinv.models.DeepImagePrior(watched, img_size=(256, 4, 4))
    start = time.perf_counter()
    with contextlib.suppress(PastPeak):
        prior(images["noisy"].to(device), deepinv.physics.Denoising())
    seconds = time.perf_counter() - start
    curve = watched.psnrs_db
    to_aim = 1 + next(i for i, psnr in enumerate(curve) if psnr >= max(curve) - 0.1)
    result = {
        "deepinv": deepinv.__version__,
        "peak_db": max(curve),
        "iterations": len(curve),
        "iterations_to_aim": to_aim,
        "ms": 1000 * seconds / len(curve),
        "seconds_to_aim": seconds * to_aim / len(curve),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
