from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage import data

from dip.configuration import Configuration, Degradation, Variation
from dip.errors import ConfigurationError
from dip.methods.base import Context
from dip.methods.canonical import config_hash
from dip.methods.optimization import optimize
from dip.methods.presets import effective_preset
from dip.methods.scene import Scene
from dip.operators.measurement import measured
from dip.operators.simulation import simulated

CPU = torch.device("cpu")


def photograph(side_px=128):
    image = data.chelsea()[60 : 60 + side_px, 100 : 100 + side_px].transpose(2, 0, 1)
    return np.ascontiguousarray(image.astype(np.float32) / 255)


def psnr(image, reference):
    return float(-10 * np.log10(np.mean((np.clip(np.asarray(image), 0, 1) - reference) ** 2)))


def evaluated(task, reference, seed=0, **options):
    degradation = Degradation(**options.pop("damage"))
    configuration = Configuration(task, degradation=degradation, **options)
    measurement = simulated(reference, configuration, degradation, seed=1)
    restoration = optimize(measurement, configuration, Context(seed, CPU))
    return measurement, restoration


@pytest.mark.parametrize(
    ("damage", "least_gain_db"),
    [({"sigma": 25}, 7), ({"grain": "15:0.8"}, 2), ({"grain": "8:0.8", "jpeg": 60}, 0.8), ({"sigma": 50}, 9)],
)
def test_a_few_iterations_from_a_start_take_off_what_they_were_not_told_of(damage, least_gain_db):
    reference = photograph()
    measurement, restoration = evaluated("denoise", reference, damage=damage, max_iterations=8)
    assert psnr(restoration.image[0], reference) > psnr(measurement.y, reference) + least_gain_db
    assert restoration.iterations == 8


def test_noise_is_told_with_its_size():
    _, white = evaluated("denoise", photograph(), damage={"sigma": 20}, max_iterations=1)
    assert white.noise_sigma == pytest.approx(20, rel=0.25)
    assert white.noise_size_px < 0.35
    _, grain = evaluated("denoise", photograph(), damage={"grain": "20:1"}, max_iterations=1)
    assert grain.noise_sigma == pytest.approx(20, rel=0.35)
    assert grain.noise_size_px > 0.4


def test_clean_image_stays_as_it_is():
    clean = photograph()
    configuration = Configuration("denoise", max_iterations=8)
    restoration = optimize(measured(clean, None, configuration), configuration, Context(0, CPU))
    assert psnr(restoration.image[0], clean) > 38


def test_curve_tells_how_the_fit_went():
    reference = photograph(64)
    configuration = Configuration("denoise", degradation=Degradation(sigma=25), max_iterations=12)
    measurement = simulated(reference, configuration, configuration.degradation, seed=1)
    shares = []
    context = Context(0, CPU, lambda image: torch.tensor(psnr(image[0], reference)), shares.append)
    curve = optimize(measurement, configuration, context).curve
    assert [point.iteration for point in curve] == [5, 10, 12]
    assert all(point.psnr_db > psnr(measurement.y, reference) + 4 for point in curve)
    assert all(0 < point.loss < 1 for point in curve)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_result_depends_on_image_configuration_and_seed_only():
    options = {"damage": {"sigma": 25}, "max_iterations": 2}
    first, again, other = (
        evaluated("denoise", photograph(64), seed, **options)[1].image for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("size_px", [(1, 1), (7, 40), (33, 65)])
def test_grey_images_of_any_size_keep_it(size_px):
    image = photograph()[:1, : size_px[0], : size_px[1]]
    configuration = Configuration("denoise", max_iterations=1)
    restoration = optimize(measured(image, None, configuration), configuration, Context(0, CPU))
    assert restoration.image.shape == (1, 1, *size_px)
    assert bool(restoration.image.isfinite().all())


def test_holes_are_filled_where_the_rest_is_denoised():
    reference = photograph()
    measurement, restoration = evaluated(
        "inpaint+denoise", reference, damage={"sigma": 10, "missing": 0.3}, max_iterations=8
    )
    hole = np.broadcast_to(~measurement.observed, reference.shape)
    assert psnr(restoration.image[0].numpy()[hole], reference[hole]) > 24


@pytest.mark.parametrize("size_px", [(128, 128), (40, 24), (8, 8)])
def test_enlarged_image_explains_the_small_one(size_px):
    reference = photograph()[:, : size_px[0], : size_px[1]]
    measurement, restoration = evaluated("super-resolution", reference, damage={}, scale=4, max_iterations=2)
    assert restoration.image.shape[2:] == size_px
    lacking = measurement.operator(restoration.image)[0].numpy() - measurement.y
    assert np.abs(lacking).mean() < 0.01


def test_large_image_is_judged_by_a_sample_and_drawn_in_tiles():
    scene = Scene.of(np.zeros((3, 1100, 1400), np.float32), None, CPU)
    parts, observed = scene.sample()
    assert parts.shape == (9, 3, 320, 320)
    assert observed.shape == (9, 1, 320, 320)
    assert scene.tiles > 1


def test_auto_begins_with_a_start_unless_something_is_varied():
    plain = Configuration("denoise")
    assert effective_preset(plain) == "educated"
    for varied in (replace(plain, variation=Variation(width=16)), replace(plain, restarts=2)):
        assert effective_preset(varied) == "untrained"
    assert effective_preset(replace(plain, variation=Variation(network="unet"))) == "fast"
    assert config_hash(plain) != config_hash(replace(plain, preset="untrained"))


def test_educated_fit_that_is_varied_is_refused():
    varied = Configuration("denoise", preset="educated", variation=Variation(tv=0.1))
    with pytest.raises(ConfigurationError, match="Use the preset untrained"):
        config_hash(varied)


def test_strength_leaves_some_of_the_grain():
    reference = photograph(64)
    degradation = Degradation(sigma=25)
    whole = Configuration("denoise", degradation=degradation, max_iterations=1)
    measurement = simulated(reference, whole, degradation, seed=1)
    image = torch.from_numpy(reference)[None]
    half = measurement.softened(image, 0.5)[0].numpy()
    assert half == pytest.approx((measurement.y + reference) / 2, abs=1e-6)
    assert torch.equal(measurement.softened(image, None), image)
    with pytest.raises(ConfigurationError, match="Expected a strength from 0 to 1"):
        Configuration("denoise", strength=1.5)
    with pytest.raises(ConfigurationError, match="a task that denoises"):
        Configuration("inpaint", strength=0.5)


@pytest.mark.parametrize("grain", ["15", "a:b", "15:0", "300:1"])
def test_grain_that_is_not_two_numbers_in_range_is_refused(grain):
    with pytest.raises(ConfigurationError, match="rain"):
        Degradation(grain=grain).check("denoise")
