"""Scans of film that a program draws, with the infrared channel, and where dust and scratches lie on them.

Nothing here follows the method that is tested: densities, dyes and light are those of film and scanners.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import data

from dip.drawing.picture import draw_picture
from dip.operators.grain import correlated, white_noise

Plane = NDArray[np.float32]
OVERSAMPLING = 3
MASK_DENSITY = np.array([0.25, 0.65, 0.95], np.float32)[:, None, None]
"""Of the orange mask of a negative: red, green, blue."""


@dataclass(frozen=True)
class Stock:
    """A film, and how it is scanned.

    Attributes:
        kind: `slide`, `negative`, `inverted` (a negative that the software turned round) or `silver`.
        leak: densities in infrared for one of the dyes cyan, magenta and yellow; silver has 1.
        gamma: that values are encoded with; 1 is linear.
        shift_px: how far the infrared lies off, down and right.
        rails_px: width of the holder's opaque border; of one side more than of the others.
        has_holes: whether perforation holes lie in the picture.
        bits: 8 or 16, of all channels.
        marks: how many specks, fibres and scratches; none is a clean film.
    """

    kind: str = "slide"
    leak: tuple[float, float, float] = (0.08, 0.02, 0.01)
    gamma: float = 2.2
    shift_px: tuple[float, float] = (0.0, 0.0)
    rails_px: int = 0
    has_holes: bool = False
    bits: int = 16
    marks: tuple[int, int, int] = (40, 6, 10)


@dataclass(frozen=True)
class FilmScan:
    """A scan of film.

    Attributes:
        pixels: (3, H, W) in [0, 1].
        infrared: (H, W) in [0, 1].
        damaged: (H, W), where damage takes a fifth of the light or more: what is to be found.
        touched: (H, W), where it takes a twentieth: what may be marked.
        marks: (H, W), which mark a damaged pixel belongs to; 0 is none.
    """

    pixels: Plane
    infrared: Plane
    damaged: NDArray[np.bool_]
    touched: NDArray[np.bool_]
    marks: NDArray[np.int32]


def scene(name: str, size_px: tuple[int, int]) -> Plane:
    """(3, H, W) in [0, 1], linear: a photograph of scikit-image, or by a number a drawn picture."""
    if name.isdecimal():
        pixels = draw_picture(int(name), max(size_px))[:, : size_px[0], : size_px[1]]
    else:
        photograph = Image.fromarray(getattr(data, name)()).convert("RGB")
        resized = photograph.resize(size_px[::-1], Image.Resampling.LANCZOS)
        pixels = np.asarray(resized, np.float32).transpose(2, 0, 1) / 255
    return pixels.clip(0, 1) ** np.float32(2.2)


def scanned(light: Plane, stock: Stock, seed: int) -> FilmScan:
    """A film that light, (3, H, W), was caught on, damaged and scanned."""
    random = np.random.default_rng(seed)
    size_px = light.shape[1:]
    density = _with_grain(_developed(light, stock), random)
    base = MASK_DENSITY if stock.kind in ("negative", "inverted") else 0
    leak = np.array(stock.leak, np.float32)[:, None, None]
    dyes = np.maximum(density - base, 0)
    infrared_density = (leak * dyes * (1 + 0.15 * dyes)).sum(axis=0)
    marks, visible_loss, infrared_loss, bared = _damage(random, size_px, stock.marks)
    through = 10 ** -(density * (1 - bared)) * (1 - visible_loss)
    infrared = 10**-infrared_density * (1 - infrared_loss)
    film = _holder(size_px, stock)
    if stock.has_holes:
        holes = _holes(size_px)
        through, infrared = np.where(holes, 1, through), np.where(holes, 1, infrared)
    pixels = _exposed(through * film, random, blur_px=0.6, noise=0.0015)
    infrared = ndimage.shift(infrared * film, stock.shift_px, order=1, mode="nearest")
    gain = random.uniform(0.45, 0.9)
    infrared = _exposed(gain * infrared[None], random, random.uniform(0.7, 1.2), random.uniform(0.002, 0.005))
    loss = np.maximum(np.maximum(visible_loss, infrared_loss), bared * 0.5) * (film > 0.5)
    damaged = loss >= 0.2
    return FilmScan(
        _encoded(_turned_round(pixels, stock), stock),
        _encoded(infrared, stock)[0],
        damaged,
        loss >= 0.05,
        np.where(damaged, marks, 0),
    )


def _developed(light: Plane, stock: Stock) -> Plane:
    """Densities, (3, H, W)."""
    if stock.kind == "slide":
        return np.clip(-1.5 * np.log10(light + 0.008), 0.05, 3.2)
    if stock.kind == "silver":
        grey = light.mean(axis=0, keepdims=True).repeat(3, axis=0)
        return np.clip(0.15 + 0.6 * (np.log10(grey + 0.003) + 2.5), 0.1, 2.5)
    exposed = np.clip(0.62 * (np.log10(light + 0.003) + 2.4), 0, 2.2)
    return MASK_DENSITY + exposed.astype(np.float32)


def _with_grain(density: Plane, random: np.random.Generator) -> Plane:
    size_px, strength = random.uniform(0.5, 1.1), random.uniform(0.01, 0.035)
    grain = correlated(white_noise(random, density.shape, shared=0.3), size_px)
    return np.maximum(density + np.float32(strength) * grain * np.sqrt(density + 0.05), 0)


def _damage(
    random: np.random.Generator, size_px: tuple[int, int], counts: tuple[int, int, int]
) -> tuple[NDArray[np.int32], Plane, Plane, Plane]:
    """Which mark lies where, how much visible and infrared light each takes, and where the dye is gone."""
    owner = np.zeros(size_px, np.int32)
    visible, infrared, bared = (np.zeros(size_px, np.float32) for _ in range(3))
    draws = [_speck] * counts[0] + [_fibre] * counts[1] + [_scratch] * counts[2]
    for number, draw in enumerate(draws, 1):
        cover = draw(random, size_px)
        opacity = random.uniform(0.35, 0.98)
        takes_dye = draw is _scratch and random.random() < 0.4
        if takes_dye:
            bared = np.maximum(bared, cover)
            opacity = random.uniform(0.3, 0.7)
        else:
            visible = np.maximum(visible, cover * min(0.97, opacity * random.uniform(0.75, 1.1)))
        infrared = np.maximum(infrared, cover * np.float32(opacity))
        owner[cover > 0.2] = number
    return owner, visible, infrared, bared


def _speck(random: np.random.Generator, size_px: tuple[int, int]) -> Plane:
    centre, radius = random.uniform((0, 0), size_px), 10 ** random.uniform(-0.15, 0.85)
    turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    radii = radius * random.uniform(0.6, 1.2, turns.size)
    outline = centre[::-1] + radii[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return _drawn(size_px, lambda pen: pen.polygon((OVERSAMPLING * outline).ravel().tolist(), fill=255))


def _fibre(random: np.random.Generator, size_px: tuple[int, int]) -> Plane:
    turns = random.uniform(0, 2 * np.pi) + np.cumsum(random.normal(0, 0.2, int(random.integers(15, 60))))
    strides = 3 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    path = random.uniform((0, 0), size_px)[::-1] + np.cumsum(strides, axis=0)
    return _stroke(size_px, path, random.uniform(1.2, 3.5))


def _scratch(random: np.random.Generator, size_px: tuple[int, int]) -> Plane:
    """Most run along the film."""
    turn = random.normal(0, 0.03) if random.random() < 0.7 else random.uniform(0, np.pi)
    reach = random.uniform(40, 1.2 * size_px[1])
    start = random.uniform((0, -0.2 * size_px[1]), size_px)[::-1]
    path = start + np.array([[0.0], [reach / 2], [reach]]) * np.array([np.cos(turn), np.sin(turn)])
    path[1] += random.normal(0, 2, 2)
    return _stroke(size_px, path, 10 ** random.uniform(-0.1, 0.8))


def _stroke(size_px: tuple[int, int], path: NDArray[np.float64], width_px: float) -> Plane:
    points, width = (OVERSAMPLING * path).ravel().tolist(), max(1, round(OVERSAMPLING * width_px))
    return _drawn(size_px, lambda pen: pen.line(points, fill=255, width=width, joint="curve"))


def _drawn(size_px: tuple[int, int], draw) -> Plane:
    height, width = (OVERSAMPLING * side for side in size_px)
    canvas = Image.new("L", (width, height))
    draw(ImageDraw.Draw(canvas))
    return np.asarray(canvas.resize(size_px[::-1], Image.Resampling.BOX), np.float32) / 255


def _holder(size_px: tuple[int, int], stock: Stock) -> Plane:
    """How much light the holder lets through, (H, W)."""
    film = np.ones(size_px, np.float32)
    if stock.rails_px:
        film[: stock.rails_px] = film[-2 * stock.rails_px :] = film[:, : stock.rails_px // 2] = 0.002
    return ndimage.gaussian_filter(film, 1.5)


def _holes(size_px: tuple[int, int]) -> NDArray[np.bool_]:
    """A row of perforation holes."""
    height, width = size_px
    rows, columns = np.mgrid[:height, :width]
    top, side = int(0.8 * height), max(12, height // 12)
    return (rows > top) & (rows < top + side) & (columns % (2 * side) < side)


def _exposed(light: Plane, random: np.random.Generator, blur_px: float, noise: float) -> Plane:
    """What a sensor makes of light, (C, H, W): falloff, blur, flare, noise of light and of reading."""
    height, width = light.shape[1:]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = random.uniform(0.0, 0.2)
    lit = light * (1 - fall * (rows * random.uniform(-0.5, 1) + columns**2) / 2).clip(0.3)
    seen = np.stack([ndimage.gaussian_filter(plane, blur_px) for plane in lit]) + 0.002
    return seen + noise * (0.4 + np.sqrt(seen)) * random.standard_normal(seen.shape)


def _turned_round(pixels: Plane, stock: Stock) -> Plane:
    """Inverted, with the mask taken out, as scanning software does."""
    if stock.kind not in ("inverted", "silver"):
        return pixels
    density = -np.log10(np.maximum(pixels, 1e-3))
    low, high = np.percentile(density, (0.5, 99.5), axis=(1, 2), keepdims=True)
    return ((density - low) / (high - low)).clip(0, 1) ** 2.2


def _encoded(pixels: Plane, stock: Stock) -> Plane:
    top = 2**stock.bits - 1
    return (np.rint(pixels.clip(0, 1) ** (1 / stock.gamma) * top) / top).astype(np.float32)
