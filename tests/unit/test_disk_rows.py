"""Reading some samples of a scope from disk, and in which order the training samples come."""

import numpy as np
import pytest

from omicsfusion.models import disk_rows
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.disk_rows import DiskRows, runs
from omicsfusion.models.feed import (
    BATCHES,
    BUFFER_BYTES,
    WINDOW_BYTES,
    Feed,
    feed_for,
    row_bytes,
    shuffled_buffers,
    table_bytes,
)
from tests.network_cohort import SAMPLES, SCOPES, open_cohort, write_cohort

WIDTHS = {"mirna": 5, "rna": 14}


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> GroupReader:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, "regression")
    return open_cohort(folder, "regression")[0]


def disk_rows_of(reader: GroupReader, scope=SCOPES[0], widths=WIDTHS) -> DiskRows:
    return DiskRows(SAMPLES, reader.layer_rows(scope, WIDTHS), widths)


@pytest.mark.parametrize("read_bytes", [1, 300, 2**20])
@pytest.mark.parametrize("gap_bytes", [0, 100, 2**18])
def test_blocks_are_the_rows_that_loading_gives(reader, monkeypatch, read_bytes, gap_bytes):
    monkeypatch.setattr(disk_rows, "READ_BYTES", read_bytes)
    monkeypatch.setattr(disk_rows, "GAP_BYTES", gap_bytes)
    data = reader.load(SCOPES[1], ["mirna", "rna"])
    rows = disk_rows_of(reader, SCOPES[1])
    parts = [np.arange(50), np.array([3, 4, 60, 61, 119]), np.array([], int)]
    blocks = list(rows.blocks(parts, 50))
    assert len(blocks) == 3
    for part, block in zip(parts, blocks, strict=True):
        for name, width in WIDTHS.items():
            known = data.layers[name].x
            expected = np.zeros((50, width), np.float32)
            expected[: len(part), : known.shape[1]] = known[part]
            np.testing.assert_array_equal(block[name], expected)


def test_present_says_who_has_which_layer_and_nobody_has_a_layer_without_features(reader):
    data = reader.load(SCOPES[0], ["mirna", "rna"])
    rows = disk_rows_of(reader, widths=WIDTHS | {"other": 1})
    assert rows.present.shape == (SAMPLES, 3)
    np.testing.assert_array_equal(rows.present[:, 0], data.layers["mirna"].present)
    np.testing.assert_array_equal(rows.present[:, 1], data.layers["rna"].present)
    assert not rows.present[:, 2].any()
    assert 0 < rows.present[:, 0].sum() < SAMPLES


def test_runs_cover_all_rows_once_bridge_small_gaps_and_stay_short():
    rows = [0, 1, 2, 4, 5, 9, 10, 11, 12, 13]
    assert runs(rows, gap=1, most=100) == [(0, 5), (5, 10)]
    assert runs(rows, gap=0, most=100) == [(0, 3), (3, 5), (5, 10)]
    assert runs(rows, gap=3, most=100) == [(0, 10)]
    assert runs(rows, gap=1, most=4) == [(0, 3), (3, 5), (5, 9), (9, 10)]
    assert runs([], gap=1, most=4) == []


def test_names_are_told_without_values_as_loading_tells_them(reader):
    for scope in SCOPES:
        blocks = reader.load(scope, ["mirna", "rna"]).layers
        known = {name: block.features for name, block in blocks.items()}
        assert reader.features(scope, ["rna", "mirna"]) == known


def test_an_epoch_has_every_training_sample_once_in_buffers_of_like_size():
    feed = Feed(window=7, windows=4)
    buffers = shuffled_buffers(200, feed, "r1f1-outer", epoch=3)
    np.testing.assert_array_equal(np.sort(np.concatenate(buffers)), np.arange(200))
    assert max(map(len, buffers)) <= feed.buffer
    assert min(map(len, buffers)) > feed.buffer / 2
    assert all((np.diff(buffer) > 0).all() for buffer in buffers)


def test_the_order_hangs_on_scope_and_epoch_and_on_nothing_else():
    feed = Feed(window=5, windows=4)

    def first(scope: str, epoch: int) -> list[int]:
        return shuffled_buffers(100, feed, scope, epoch)[0].tolist()

    assert first("r1f1-outer", 0) == first("r1f1-outer", 0)
    assert first("r1f1-outer", 0) != first("r1f1-outer", 1)
    assert first("r1f1-outer", 0) != first("r1f2-outer", 0)
    far_apart = np.diff(shuffled_buffers(1000, feed, "r1f1-outer", 0)[0]).max()
    assert far_apart > 2 * feed.window


def test_buffers_have_a_bounded_size_whatever_the_number_of_samples():
    widths = {"rna": 20_000}
    feeds = [feed_for(widths, train, batch=64) for train in (7_000, 70_000, 7_000_000)]
    assert feeds[0] == feeds[1] == feeds[2]
    assert feeds[0].window * row_bytes(widths) <= WINDOW_BYTES
    assert feeds[0].buffer * row_bytes(widths) < BUFFER_BYTES + WINDOW_BYTES
    assert feed_for({"rna": 10**7}, 70_000, batch=64).buffer == BATCHES * 64
    assert feed_for({"rna": 3}, 90, batch=64).buffer == 90


def test_the_estimate_grows_with_samples_and_features():
    assert table_bytes({"rna": 20_000}, 10_000) == 3 * 800_000_000
    assert table_bytes({"cnv": 5, "rna": 15}, 7) == table_bytes({"rna": 20}, 7)
