"""Deep Image Prior from an educated start: x* = g(θ*, y), where θ* is sought near θ₀."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dip.configuration import Configuration
from dip.methods.base import Restoration, Situation
from dip.methods.tiling import count_tiles, tiled
from dip.operators.filling import filled
from dip.operators.measurement import Measurement, Pixels, enlarged_bicubic, forward_operator
from dip.operators.noise_model import PATCH_PX, NoiseModel, estimated_noise
from dip.optimize.adaptation import Adaptation, adapted, drawn_by
from dip.optimize.device import repeatable_on
from dip.optimize.recorruption import RecorruptedNoise, Reshrunk
from dip.optimize.risk import best_share
from dip.parameterizations.residual_unet import ResidualUNet
from dip.parameterizations.start import shipped_start

TILE_PX = 512
OVERLAP_PX = 64
LEAST_SIDE_PX = 2 * PATCH_PX
"""Smaller images are mirrored up to this side: a model of the noise needs some patches."""

JUDGED_PX = 512
"""Longest side of the part, the middle, at which a restoration is judged."""

BACK_PROJECTIONS = 4


def restore_from_start(
    measurement: Measurement, configuration: Configuration, situation: Situation, adaptation: Adaptation
) -> Restoration:
    """x* = g(θ*, y), with θ* a few iterations from weights that were educated on drawn pictures.

    The fit needs no clean image: y is damaged once more, as it was, and has to be drawn from that. Stein's
    estimate of the error tells how much of the result is taken, so that what is no damage is left.

    Source: Ulyanov, Vedaldi, Lempitsky, *Deep Image Prior*, CVPR 2018, equation 2, for g; Barbano et al.,
    *An educated warm start for deep image prior-based micro CT reconstruction*, 2022, for θ₀.
    """
    with repeatable_on(situation.device):
        network = shipped_start(adaptation.start).network().to(situation.device)
        if configuration.scale_factor > 1:
            return _enlarged(measurement, configuration, situation, network, adaptation)
        return _cleaned(measurement, situation, network, adaptation)


def _cleaned(
    measurement: Measurement, situation: Situation, network: ResidualUNet, adaptation: Adaptation
) -> Restoration:
    """An image without its noise and its holes."""
    scene = _Scene.of(measurement, situation.device)
    first = scene.drawn(network)
    noise = None if measurement.keeps_observed else estimated_noise(scene.residual(first), first.clamp(0, 1))
    loss = RecorruptedNoise(
        scene.y,
        scene.observed,
        first.clamp(0, 1),
        noise,
        adaptation.recorruption,
        adaptation.crop_px,
        situation.seed,
    )
    fitted = adapted(network, loss, adaptation, situation.part(0, 2).tell)
    drawn = scene.drawn(fitted, situation.part(1, 2).tell)
    share = 1.0 if noise is None else scene.share(fitted, noise, situation.seed)
    return Restoration(
        image=scene.cut(torch.where(scene.observed > 0, scene.y + share * (drawn - scene.y), drawn)),
        iterations=adaptation.iterations,
        stop_iteration=adaptation.iterations,
        stop_rule="fixed",
        stop_reason="iteration-limit",
        tiles=scene.tiles,
        tile_px=TILE_PX if scene.tiles > 1 else None,
        noise_sigma=None if noise is None else noise.sigma,
        noise_size_px=None if noise is None else noise.size_px,
        share=share,
    )


def _enlarged(
    measurement: Measurement,
    configuration: Configuration,
    situation: Situation,
    network: ResidualUNet,
    adaptation: Adaptation,
) -> Restoration:
    """A larger image, that explains the small one."""
    scene = _Scene.of(measurement, situation.device, measurement.seen)
    small = torch.from_numpy(measurement.y).expand(3, -1, -1)[None]
    operator = measurement.operator.to(situation.device)
    loss = Reshrunk(
        small.to(situation.device), scene.y, operator, _again(small, configuration).to(situation.device)
    )
    fitted = adapted(network, loss, adaptation, situation.part(0, 2).tell)
    drawn = scene.cut(scene.drawn(fitted, situation.part(1, 2).tell))
    return Restoration(
        image=_back_projected(drawn, measurement),
        iterations=adaptation.iterations,
        stop_iteration=adaptation.iterations,
        stop_rule="fixed",
        stop_reason="iteration-limit",
        tiles=scene.tiles,
        tile_px=TILE_PX if scene.tiles > 1 else None,
    )


def _again(small: Tensor, configuration: Configuration) -> Tensor:
    """y shrunk as the image was, and enlarged again: (1, 3, h, w)."""
    height_px, width_px = small.shape[2:]
    factor = configuration.scale_factor
    inner_px = (height_px // factor * factor, width_px // factor * factor)
    smaller = forward_operator(configuration, inner_px)(small[..., : inner_px[0], : inner_px[1]])[0].numpy()
    return torch.from_numpy(enlarged_bicubic(smaller, (height_px, width_px)))[None]


def _back_projected(image: Tensor, measurement: Measurement) -> Tensor:
    """The image, (1, C, H, W), moved to where it explains y.

    Source: Irani, Peleg, *Improving resolution by image registration*, 1991.
    """
    y = torch.from_numpy(measurement.y)[None]
    for _ in range(BACK_PROJECTIONS):
        lacking = (y - measurement.operator(image))[0].numpy()
        image = image + torch.from_numpy(enlarged_bicubic(lacking, measurement.size_px))[None]
    return image


@dataclass(frozen=True, eq=False)
class _Scene:
    """A measurement as a network of three channels sees it, on the device.

    Attributes:
        y: (1, 3, H, W), grey repeated, small images mirrored at their ends.
        observed: (1, 1, H, W), float, 1 = observed.
        size_px: of the image itself.
        channels: of the image itself.
    """

    y: Tensor
    observed: Tensor
    size_px: tuple[int, int]
    channels: int

    @classmethod
    def of(cls, measurement: Measurement, device: torch.device, seen: Pixels | None = None) -> "_Scene":
        """The scene of a measurement; `seen` in place of y, if given."""
        y = measurement.y if seen is None else seen
        observed = measurement.observed if seen is None else None
        known = np.ones(y.shape[1:], np.float32) if observed is None else observed.astype(np.float32)
        height_px, width_px = y.shape[1:]
        more = [(0, max(0, LEAST_SIDE_PX - side_px)) for side_px in (height_px, width_px)]
        image, mask = (
            torch.from_numpy(np.pad(plane, [(0, 0), *more], mode="symmetric"))[None].to(device)
            for plane in (np.broadcast_to(y, (3, height_px, width_px)), known[None])
        )
        return cls(image, mask, (height_px, width_px), len(y))

    @property
    def tiles(self) -> int:
        """How many tiles it is drawn in."""
        height_px, width_px = self.y.shape[2:]
        return count_tiles((height_px, width_px), (TILE_PX, TILE_PX), OVERLAP_PX)

    def drawn(self, network: ResidualUNet, tell: Callable[[float], None] | None = None) -> Tensor:
        """g(θ, y), tile by tile: (1, 3, H, W)."""
        done = 0

        def of_tile(tile: Tensor) -> Tensor:
            nonlocal done
            known = tile[:, 3:]
            made = drawn_by(network, filled(tile[:, :3], known), known)
            done += 1
            if tell is not None:
                tell(done / self.tiles)
            return made

        with torch.no_grad():
            stacked = torch.cat([self.y, self.observed], dim=1)
            return tiled(of_tile, stacked, (TILE_PX, TILE_PX), OVERLAP_PX)

    def residual(self, drawn: Tensor) -> Tensor:
        """y − x where it is observed, 0 in holes."""
        return (self.y - drawn) * self.observed

    def share(self, network: ResidualUNet, noise: NoiseModel, seed: int) -> float:
        """How much of what the network draws is to be taken, judged at the middle of the image."""
        rows, columns = (_middle(length_px) for length_px in self.y.shape[2:])
        y, known = self.y[..., rows, columns], self.observed[..., rows, columns]
        share, _ = best_share(lambda moved: drawn_by(network, filled(moved, known), known), y, noise, seed)
        return share

    def cut(self, image: Tensor) -> Tensor:
        """The image itself, of as many channels as it has: (1, C, H, W), on the CPU."""
        height_px, width_px = self.size_px
        inner = image[..., :height_px, :width_px].cpu()
        return inner.mean(dim=1, keepdim=True) if self.channels == 1 else inner


def _middle(length_px: int) -> slice:
    start = max(0, (length_px - JUDGED_PX) // 2)
    return slice(start, start + JUDGED_PX)
