"""n in y = A x + n: its level, its correlation and how it follows the tones, told by a residual alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

CHANNELS = 3
PATCH_PX = 32
TONES = 8
FLAT_SHARE = 0.5
"""Share of the patches, the flattest, that tell of the noise: the others' residual holds texture, too."""

CALM_SHARE = 0.5
"""Share of those that is kept, with the least residual."""

LEAST_PATCHES = 8
DARKEST, BRIGHTEST = 0.04, 0.96
"""Means of patches beyond which files clip the noise."""

LEAST_TAKEN = 0.1
"""Share of a probe's power; a network that takes less off tells nothing of the noise."""

TRUSTED_PATCHES = 4
"""Patches of a tone after which its own level weighs as much as that of all."""

RARE = 12
"""A tone with so many times fewer patches than the commonest is not listened to."""


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """Gaussian noise with a covariance over space and channels, whose level follows the tones.

    Attributes:
        root: (3, 3, 32, 32), the filter that makes such noise of white noise, its centre at (0, 0).
        levels: (8,), what multiplies it at each tone, from black to white; about 1.
        sigma: its standard deviation, mean of the channels, in 8-bit units.
        size_px: deviation of the Gaussian blur that would correlate neighbours as much; 0 for white noise.
    """

    root: Tensor
    levels: Tensor
    sigma: float
    size_px: float

    def to(self, device: torch.device) -> "NoiseModel":
        """The same model with its constants on `device`."""
        return replace(self, root=self.root.to(device), levels=self.levels.to(device))

    def drawn(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """A draw of the noise.

        Args:
            image: (B, 3, H, W) in [0, 1], whose tones it follows; at least 32 pixels a side.
            generator: of the random numbers, on the image's device.

        Returns:
            (B, 3, H, W), float32.
        """
        shape = (image.shape[0], CHANNELS, *image.shape[2:])
        return self.field(shape, generator) * self.level_at(image)

    def field(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """A draw of the noise at its mean level, of a shape (B, 3, H, W), without a seam at its ends."""
        height_px, width_px = shape[2:]
        white = torch.randn(shape, generator=generator, device=generator.device)
        root = torch.zeros(3, 3, height_px, width_px, device=generator.device)
        half = PATCH_PX // 2
        root[:, :, :PATCH_PX, :PATCH_PX] = self.root.roll((half, half), (2, 3))
        root = root.roll((-half, -half), (2, 3))
        spectrum = torch.einsum("cdij,bdij->bcij", torch.fft.rfft2(root), torch.fft.rfft2(white))
        made: Tensor = torch.fft.irfft2(spectrum, s=(height_px, width_px))
        return made

    def level_at(self, image: Tensor) -> Tensor:
        """What multiplies the noise at each pixel of an image (B, 3, H, W): (B, 1, H, W)."""
        place = image.mean(dim=1, keepdim=True).clamp(0, 1) * TONES - 0.5
        below = place.floor().clamp(0, TONES - 2)
        share = (place - below).clamp(0, 1)
        return torch.lerp(self.levels[below.long()], self.levels[below.long() + 1], share)


def estimated_noise(
    draw: Callable[[Tensor], Tensor], y: Tensor, observed: Tensor, generator: torch.Generator
) -> NoiseModel:
    """The model of the noise in y, told by what a network takes off where the image is flat.

    A network leaves a part of the noise in. How large a part is told by a draw of the noise that is added
    to y: what the network does not take off of that, it has not taken off of y either.

    Args:
        draw: what takes noise off, from y to an estimate of the image.
        y: (B, 3, H, W), parts of one image, at least 32 pixels a side.
        observed: (B, 1, H, W), float, 1 = observed, 0 = hole.
        generator: of the random numbers, on the device of y.

    Source: the sample covariance over patches, by its spectrum; patches are chosen as in Liu, Tanaka,
    Okutomi, *Noise level estimation using weak textured patches*, ICIP 2012, by what is drawn in place of
    what was measured.

    >>> generator = torch.Generator().manual_seed(0)
    >>> y = 0.5 + 25 / 255 * torch.randn(1, 3, 128, 128, generator=generator)
    >>> flat = estimated_noise(lambda y: torch.full_like(y, 0.5), y, torch.ones(1, 1, 128, 128), generator)
    >>> 20 < flat.sigma < 30
    True
    """
    drawn = draw(y)
    residual = (y - drawn) * observed
    groups = _telling_patches(residual, drawn)
    telling = torch.cat(groups)
    known = _patches(observed)[telling].mean(dim=(2, 3), keepdim=True).clamp(min=0.1)
    spectrum = _cross_spectrum(_patches(residual)[telling] / known.sqrt())
    levels = _levels(
        [_patches(residual)[group] for group in groups], [_patches(drawn)[group] for group in groups]
    )
    model = NoiseModel(_root(spectrum), levels, *_level_and_size(spectrum))
    probe = model.drawn(drawn.clamp(0, 1), generator) * observed
    taken = (probe - (draw(y + probe) - drawn)) * observed
    share = _patches(taken)[telling].square().mean() / _patches(probe)[telling].square().mean().clamp(
        min=1e-12
    )
    # Half of it, in decibels: texture in the flattest patches lets the share seem too small.
    factor = float(share.clamp(LEAST_TAKEN, 1)) ** -0.25
    return replace(model, root=model.root * factor, sigma=model.sigma * factor)


def _telling_patches(residual: Tensor, drawn: Tensor) -> list[Tensor]:
    """Numbers of the patches whose residual is noise, a group for each tone that has some.

    They are the flattest of their tone in what was drawn. Of these, those with more residual than the others
    hold texture that was taken for noise. Tones are kept apart, since noise may be weak in some of them.
    """
    images, power = _patches(drawn), _patches(residual).var(dim=(2, 3)).mean(dim=1)
    activity, tone = images.var(dim=(2, 3)).mean(dim=1), images.mean(dim=(1, 2, 3))
    exposed = (tone > DARKEST) & (tone < BRIGHTEST)
    if int(exposed.sum()) < LEAST_PATCHES:
        exposed = torch.ones_like(exposed)
    groups = []
    for band in range(TONES):
        numbers = (exposed & ((tone.clamp(0, 0.999) * TONES).long() == band)).nonzero().flatten()
        for measure, share in ((activity, FLAT_SHARE), (power, CALM_SHARE)):
            count = max(min(LEAST_PATCHES // 2, len(numbers)), int(share * len(numbers)))
            numbers = numbers[measure[numbers].argsort(stable=True)[:count]]
        groups.append(numbers)
    most = max(len(group) for group in groups)
    return [group for group in groups if len(group) * RARE >= most]


def _level_and_size(spectrum: Tensor) -> tuple[float, float]:
    """σ in 8-bit units, and the deviation of the blur that correlates neighbours so."""
    autocovariance = torch.fft.ifft2(spectrum.diagonal(dim1=2, dim2=3).sum(dim=-1).real).real / CHANNELS
    variance = max(float(autocovariance[0, 0]), 1e-12)
    correlation = float(autocovariance[0, 1] + autocovariance[1, 0]) / 2 / variance
    size_px = math.sqrt(-1 / (4 * math.log(min(correlation, 0.99)))) if correlation > 0.02 else 0.0
    return 255 * math.sqrt(variance), size_px


def _patches(image: Tensor) -> Tensor:
    """Half-overlapping patches of images (B, C, H, W): (N, C, 32, 32)."""
    step, channels = PATCH_PX // 2, image.shape[1]
    patches = image.unfold(2, PATCH_PX, step).unfold(3, PATCH_PX, step)
    return patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels, PATCH_PX, PATCH_PX)


def _cross_spectrum(patches: Tensor) -> Tensor:
    """(32, 32, 3, 3), complex: the mean over patches of the product of two channels' spectra."""
    window = torch.hann_window(PATCH_PX, periodic=False, device=patches.device)
    window = window[:, None] * window
    window = window / window.square().mean().sqrt()
    centred = patches - patches.mean(dim=(2, 3), keepdim=True)
    spectra = torch.fft.fft2(centred * window) / PATCH_PX
    cross = torch.einsum("ncij,ndij->ijcd", spectra, spectra.conj()) / len(patches)
    # A patch has lost its mean; the mean power is taken from the lowest frequencies.
    cross[0, 0] = (cross[0, 1] + cross[1, 0] + cross[0, -1] + cross[-1, 0]) / 4
    return cross


def _root(spectrum: Tensor) -> Tensor:
    """The symmetric root of a cross-spectrum, as a filter, (3, 3, 32, 32)."""
    values, vectors = torch.linalg.eigh(spectrum)
    root = (vectors * values.clamp(min=0).sqrt()[..., None, :]) @ vectors.mH
    made: Tensor = torch.fft.ifft2(root.permute(2, 3, 0, 1)).real
    return made


def _levels(residuals: list[Tensor], images: list[Tensor]) -> Tensor:
    """The noise's level at each tone over its level at all, from the patches of each tone: (8,).

    A tone without patches has the level of the nearest that has some.
    """
    powers = torch.stack([patches.square().mean() for patches in residuals])
    counts = torch.tensor([float(len(patches)) for patches in residuals], device=powers.device)
    mean = (powers * counts).sum() / counts.sum()
    steadied = ((powers * counts + TRUSTED_PATCHES * mean) / (counts + TRUSTED_PATCHES)).clamp(min=1e-12)
    tones = torch.stack([patches.mean() for patches in images])
    centres = (torch.arange(TONES, device=tones.device) + 0.5) / TONES
    nearest = (centres[:, None] - tones[None]).abs().argmin(dim=1)
    return (steadied[nearest] / mean.clamp(min=1e-12)).sqrt()
