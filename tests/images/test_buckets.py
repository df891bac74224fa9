import math

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.buckets import bucket_sizes, cover, nearest_bucket, target_size
from lib_trainer.images.options import BucketOptions


@pytest.mark.option("BucketOptions.min_side", "BucketOptions.max_side")
@pytest.mark.parametrize(
    ("resolution", "low", "high", "count"),
    [(512, 256, 1024, 17), (768, 256, 1024, 19), (768, 256, 1280, 23)],
)
def test_the_number_of_buckets_is_that_of_sd_scripts(resolution, low, high, count):
    sizes = bucket_sizes(BucketOptions(resolution=resolution, min_side=low, max_side=high))
    assert len(sizes) == count
    assert min(map(min, sizes)) == low
    assert max(map(max, sizes)) <= high


@pytest.mark.option("BucketOptions.resolution")
def test_sdxl_sizes_are_among_the_buckets_of_1024():
    sizes = bucket_sizes(BucketOptions(resolution=1024))
    assert {(1024, 1024), (832, 1216), (1216, 832), (896, 1152), (768, 1344), (640, 1536)} <= set(sizes)


@pytest.mark.option("BucketOptions.resolution", "BucketOptions.step")
@pytest.mark.parametrize("resolution", [64, 128, 500, 512, 640, 1000, 1024, 2048])
@pytest.mark.parametrize("step", [8, 32, 64])
def test_sides_are_multiples_of_the_step_and_areas_at_most_the_resolution_squared(resolution, step):
    sizes = bucket_sizes(BucketOptions(resolution=resolution, step=step))
    assert sizes == sorted(set(sizes))
    assert all(width % step == 0 and height % step == 0 for width, height in sizes)
    assert all(width * height <= resolution**2 for width, height in sizes)
    assert {(height, width) for width, height in sizes} == set(sizes)
    assert (resolution // step * step,) * 2 in sizes


@pytest.mark.parametrize("low", [None, 128, 192])
def test_no_bucket_loses_more_area_than_one_step_when_the_longest_side_is_free(low):
    step = 64
    for width, height in bucket_sizes(BucketOptions(resolution=1024, step=step, min_side=low)):
        short, long = sorted((width, height))
        assert short * (long + step) > 1024**2 or long * (short + step) > 1024**2


@pytest.mark.option("BucketOptions.min_side")
def test_a_smaller_shortest_side_allows_wider_buckets():
    wide = max(bucket_sizes(BucketOptions(min_side=128)))
    assert wide == (2048, 128)
    assert max(bucket_sizes(BucketOptions())) == (1024, 256)


@pytest.mark.option("BucketOptions.step")
def test_a_step_of_8_suits_a_model_of_64_pixels():
    sizes = bucket_sizes(BucketOptions(resolution=64, step=8))
    assert (64, 64) in sizes
    assert (48, 80) in sizes


@pytest.mark.option("BucketOptions.square")
def test_square_means_one_size_for_all_shapes():
    options = BucketOptions(resolution=500, square=True)
    assert bucket_sizes(options) == [(448, 448)]
    assert target_size(3000, 1000, options, bucket_sizes(options)) == (448, 448)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (BucketOptions(resolution=64, step=128), "buckets.step"),
        (BucketOptions(resolution=512, min_side=576), "buckets.min_side"),
        (BucketOptions(resolution=500, min_side=490), "buckets.min_side"),
        (BucketOptions(resolution=512, max_side=256), "buckets.max_side"),
        (BucketOptions(resolution=512, min_side=1024, max_side=512), "buckets.min_side"),
    ],
)
def test_impossible_sizes_are_refused_by_name(options, named):
    with pytest.raises(ConfigError, match=named):
        bucket_sizes(options)


def test_the_nearest_bucket_is_chosen_by_the_logarithm_of_the_shape():
    # 1.45 is nearer to 2 than to 1 in its logarithm (ratios 1.379 and 1.45), and nearer to 1 in its difference.
    assert nearest_bucket(1450, 1000, [(512, 512), (1024, 512)]) == (1024, 512)
    assert nearest_bucket(1000, 1450, [(512, 512), (512, 1024)]) == (512, 1024)
    assert nearest_bucket(1400, 1000, [(512, 512), (1024, 512)]) == (512, 512)


def test_the_larger_of_two_equally_shaped_sizes_is_taken():
    assert nearest_bucket(10, 10, [(64, 64), (128, 128), (96, 96)]) == (128, 128)


def test_each_bucket_is_nearest_to_itself_in_both_orientations():
    sizes = bucket_sizes(BucketOptions(resolution=768))
    assert all(nearest_bucket(width, height, sizes) == (width, height) for width, height in sizes)


@pytest.mark.option("BucketOptions.no_upscale")
@pytest.mark.parametrize(
    ("size", "kept"),
    [((2000, 1500), (576, 448)), ((300, 200), (256, 192)), ((200, 300), (192, 256)), ((40, 40), (64, 64))],
)
def test_small_pictures_keep_their_size_in_whole_steps(size, kept):
    options = BucketOptions(no_upscale=True)
    assert target_size(*size, options, bucket_sizes(options)) == kept
    enlarging = BucketOptions()
    assert target_size(*size, enlarging, bucket_sizes(enlarging)) == nearest_bucket(*size, bucket_sizes(enlarging))


@pytest.mark.option("BucketOptions.no_upscale")
def test_a_small_picture_in_a_square_stays_square():
    options = BucketOptions(no_upscale=True, square=True)
    assert target_size(900, 300, options, bucket_sizes(options)) == (256, 256)
    assert target_size(900, 700, options, bucket_sizes(options)) == (512, 512)


def test_without_enlarging_no_size_exceeds_the_area_or_the_picture():
    options = BucketOptions(no_upscale=True)
    sizes = bucket_sizes(options)
    for width in range(64, 4000, 173):
        for height in range(64, 4000, 191):
            wide, high = target_size(width, height, options, sizes)
            assert wide * high <= 512 * 512
            assert wide <= width
            assert high <= height
            assert max(wide, high) <= 1024


@pytest.mark.parametrize(
    ("size", "target", "scaled", "box"),
    [
        ((100, 100), (50, 50), (50, 50), (0, 0, 50, 50)),
        ((200, 100), (50, 50), (100, 50), (25, 0, 75, 50)),
        ((100, 201), (50, 50), (50, 101), (0, 25, 50, 75)),
        ((30, 20), (64, 64), (96, 64), (16, 0, 80, 64)),
    ],
)
def test_cover_scales_and_crops_the_middle(size, target, scaled, box):
    assert cover(*size, target) == (scaled, box)


def test_cover_always_fills_the_target_and_keeps_the_shape():
    for width in (1, 7, 333, 1920, 9001):
        for height in (1, 8, 421, 1080):
            for target in ((64, 64), (512, 768), (1024, 64)):
                scaled, (left, top, right, bottom) = cover(width, height, target)
                assert (right - left, bottom - top) == target
                assert left >= 0
                assert top >= 0
                assert right <= scaled[0]
                assert bottom <= scaled[1]
                assert scaled[0] == target[0] or scaled[1] == target[1]
                exact = max(target[0] / width, target[1] / height)
                assert math.isclose(scaled[0], width * exact, abs_tol=0.5 + 1e-6 * scaled[0])
                assert math.isclose(scaled[1], height * exact, abs_tol=0.5 + 1e-6 * scaled[1])
