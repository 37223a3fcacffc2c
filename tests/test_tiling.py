"""Overlapping tiles, blended without a seam."""

from itertools import pairwise

import pytest
import torch

from dip.methods.tiling import count_tiles, shortened_px, strips, tiled

SIZES = [(1, 1), (5, 40), (16, 16), (17, 16), (28, 29), (100, 37)]


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize("scale", [1, 3])
def test_tiles_of_the_identity_give_the_image_back(size_px, scale):
    image = torch.rand(1, 3, *size_px, generator=torch.Generator().manual_seed(0))

    def enlarge(tile: torch.Tensor) -> torch.Tensor:
        return tile.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)

    result = tiled(enlarge, image, tile_px=(16, 16), overlap_px=4, scale=scale)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, enlarge(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize("size_px", [(1, 1), (5, 16), (16, 16)])
def test_image_of_one_tile_is_exactly_what_the_function_makes(size_px):
    image = torch.rand(1, 3, *size_px, generator=torch.Generator().manual_seed(0))
    assert torch.equal(tiled(torch.sin, image, tile_px=(16, 16), overlap_px=4), image.sin())


@pytest.mark.parametrize("length_px", [1, 15, 16, 17, 28, 29, 1000])
@pytest.mark.parametrize("overlap_px", [1, 4, 15])
@pytest.mark.parametrize("scale", [1, 2])
def test_strips_cover_an_axis_with_weights_that_sum_to_one(length_px, overlap_px, scale):
    parts = strips(length_px, 16, overlap_px, scale)
    total = torch.zeros(length_px * scale)
    for part in parts:
        assert part.source.stop - part.source.start == min(16, length_px)
        assert part.weights.min() > 0
        total[part.target] += part.weights
    torch.testing.assert_close(total, torch.ones(length_px * scale))
    for left, right in pairwise(parts):
        assert left.source.stop - right.source.start >= overlap_px


@pytest.mark.parametrize(
    ("length_px", "tile_px", "overlap_px", "found_px", "count"),
    [(1024, 896, 64, 544, 2), (6000, 896, 64, 832, 8), (300, 128, 64, 128, 4), (16, 128, 64, 128, 1)],
)
def test_tiles_are_no_longer_than_their_number_asks_for(length_px, tile_px, overlap_px, found_px, count):
    assert shortened_px(length_px, tile_px, overlap_px) == found_px
    for side_px in (tile_px, found_px):
        assert len(strips(length_px, side_px, overlap_px)) == count
        assert count_tiles((length_px, 1), (side_px, side_px), overlap_px) == count


@pytest.mark.parametrize("scale", [1, 2])
def test_tiles_that_differ_meet_without_a_step(scale):
    """Of a gradient every tile comes back too bright by its own mean: the offset goes over the overlap."""
    gradient = torch.linspace(0, 1, 400).expand(1, 1, 8, 400)

    def offset(tile: torch.Tensor) -> torch.Tensor:
        return (tile + tile.mean()).repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3)

    row = tiled(offset, gradient, tile_px=(100, 100), overlap_px=40, scale=scale)[0, 0, 0]
    from_tile_to_tile = 60 / 399
    assert row.diff().max() < 1 / 399 + 1.1 * from_tile_to_tile / (40 * scale)


@pytest.mark.parametrize("overlap_px", [0, 16, 20])
def test_overlap_must_be_smaller_than_a_tile(overlap_px):
    with pytest.raises(ValueError, match="Expected an overlap from 1 to 15 pixels"):
        strips(64, 16, overlap_px)
