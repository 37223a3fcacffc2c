"""A network that someone trained on pairs of images: what supervised learning makes of a measurement."""

import hashlib
import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from dip.configuration import Configuration
from dip.errors import ConfigurationError
from dip.methods.base import Context, Restoration
from dip.methods.tiling import count_tiles, tiled
from dip.operators.measurement import Measurement
from dip.optimize.device import repeatable_on

Network = Callable[[Tensor], object]
"""(1, C, h, w), float32, to what should be a tensor of the same rank."""

TORCHSCRIPT_SUFFIXES = (".pt", ".pth", ".ts", ".torchscript")
ONNX_SUFFIX = ".onnx"

CPU = torch.device("cpu")
TILE_PX = (256, 256)
OVERLAP_PX = 32


def trained(measurement: Measurement, configuration: Configuration, context: Context) -> Restoration:
    """Restore with the network of `configuration.weights`, tile by tile.

    The network is given y as it is, (1, C, h, w), float32, in tiles of 256 × 256 pixels (less
    where the image is smaller), and has to return (1, C, h·scale, w·scale). TorchScript runs on
    the context's device, ONNX on the CPU. A grey image is given as one channel; a network that refuses
    it gets it repeated to three. Where three channels come back for a grey image, their mean is taken.

    A TorchScript file is a program. Run only those of a source you trust.

    Raises:
        ConfigurationError: there is no network in the file, or it does not make an image of the size and
            channels that are asked for.
    """
    network = network_in(str(configuration.weights), configuration.weights_sha256, context.device)
    y = torch.from_numpy(measurement.y)[None]
    height_px, width_px = y.shape[2:]
    scale, numbers = configuration.scale_factor, itertools.count(1)
    count = count_tiles((height_px, width_px), TILE_PX, OVERLAP_PX)

    def restored(tile: Tensor) -> Tensor:
        made = _restored(network, tile, scale)
        if context.progress is not None:
            context.progress(next(numbers) / count)
        return made

    with repeatable_on(context.device):
        return Restoration(tiled(restored, y, TILE_PX, OVERLAP_PX, scale))


def _restored(network: Network, tile: Tensor, scale: int) -> Tensor:
    """A tile, (1, C, h, w), restored: (1, C, h·scale, w·scale)."""
    _, channels, height_px, width_px = tile.shape
    output = _grey_output(network, tile) if channels == 1 else _output(network, tile)
    expected = (1, channels, height_px * scale, width_px * scale)
    if output.shape != expected:
        raise ConfigurationError(
            f"Expected a network that makes {_shape(expected)} of {_shape(tile.shape)}; "
            f"got {_shape(output.shape)}. Choose a network for this task and scale factor."
        )
    return output


def _grey_output(network: Network, tile: Tensor) -> Tensor:
    try:
        output = _output(network, tile)
    except ConfigurationError as refusal:
        try:
            output = _output(network, tile.expand(-1, 3, -1, -1))
        except ConfigurationError:
            raise refusal from None
    return output.mean(dim=1, keepdim=True) if output.shape[1] == 3 else output


def _output(network: Network, tile: Tensor) -> Tensor:
    """What the network makes of a tile, float32, on the CPU."""
    try:
        with torch.inference_mode():
            output = network(tile.contiguous())
    except Exception as error:
        raise ConfigurationError(
            f"Expected a network that takes {_shape(tile.shape)}; it refused: {_last_line(error)}"
        ) from error
    if not isinstance(output, Tensor) or output.ndim != 4:
        got = _shape(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ConfigurationError(f"Expected a network that returns one tensor (1, C, H, W); got {got}.")
    return output.to("cpu", torch.float32)


def network_in(weights: str, sha256: str | None, device: torch.device = CPU) -> Network:
    """The network in a file.

    Args:
        weights: path of the file.
        sha256: of the file that it has to be, in hexadecimal digits; None for any.
        device: where it runs.

    Raises:
        ConfigurationError: there is none in it, or it is another file.
    """
    path = Path(weights)
    if path.suffix.lower() not in (*TORCHSCRIPT_SUFFIXES, ONNX_SUFFIX):
        raise ConfigurationError(
            f"Expected a network in TorchScript ({', '.join(TORCHSCRIPT_SUFFIXES)}) or ONNX ({ONNX_SUFFIX}); "
            f"got {weights}. Export it to one of them."
        )
    if not path.is_file():
        raise ConfigurationError(
            f"Expected the file of a network; got {weights}, where there is none. "
            "Every machine that restores needs it at this path."
        )
    return _loaded(path, path.stat().st_mtime_ns, sha256, device)


@lru_cache(maxsize=1)
def _loaded(
    path: Path,
    modified_ns: int,  # noqa: ARG001 - a newer file is another network
    sha256: str | None,
    device: torch.device,
) -> Network:
    """The network in a file; it is kept for the next image."""
    if sha256 is not None and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise ConfigurationError(
            f"Expected the network the run began with; {path} holds another on this machine."
        )
    return _onnx(path) if path.suffix.lower() == ONNX_SUFFIX else _torchscript(path, device)


def _torchscript(path: Path, device: torch.device) -> Network:
    try:
        network = torch.jit.load(path, map_location=device).eval()  # type: ignore[no-untyped-call]
    except Exception as error:
        raise ConfigurationError(
            f"Expected a network in TorchScript; got {path}, which holds none: {_last_line(error)} Save it "
            "with torch.jit.script or torch.jit.trace; weights alone (a state_dict) are no network."
        ) from error

    def run(image: Tensor) -> object:
        # Else the network is compiled after its first images, and the last bits of the others depend on it.
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            return network(image.to(device))

    return run


def _onnx(path: Path) -> Network:
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            "Expected onnxruntime, which runs ONNX networks; it is not installed. "
            "Install `dip-restoration[onnx]`."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a batch keeps the other cores busy
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ConfigurationError(
            f"Expected a network in ONNX; got {path}, which holds none: {_last_line(error)}"
        ) from error
    name = session.get_inputs()[0].name
    return lambda image: torch.from_numpy(session.run(None, {name: image.numpy()})[0])


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _last_line(error: Exception) -> str:
    """The line that says what went wrong: TorchScript puts its source code before it."""
    return str(error).strip().rpartition("\n")[2]
