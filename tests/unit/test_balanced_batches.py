"""Batches in which rare classes are as common as others, and count for less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omicsfusion.models.dealing import Member, balanced_draw, dealt_rows
from omicsfusion.models.settings import DEFAULTS

COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def sorted_rows(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    strata = np.repeat(np.arange(len(counts)), counts)
    return np.arange(len(strata)), strata


@given(COUNTS, st.floats(0, 1))
def test_as_many_rows_are_drawn_and_each_class_counts_as_much_as_before(counts, balance):
    rows, strata = sorted_rows(counts)
    drawn, count = balanced_draw(rows, strata, balance)
    assert len(drawn) == len(rows)
    for name, own in enumerate(counts):
        assert count[strata[drawn] == name].sum() == pytest.approx(own, rel=1e-5)
    times = np.bincount(drawn, minlength=len(rows))
    for name in range(len(counts)):
        of_class = times[strata == name]
        assert of_class.max() - of_class.min() <= 1


@given(COUNTS)
def test_fully_balanced_all_classes_are_equally_common(counts):
    rows, strata = sorted_rows(counts)
    drawn, _ = balanced_draw(rows, strata, 1.0)
    often = np.bincount(strata[drawn], minlength=len(counts))
    assert often.max() - often.min() <= 1


def members(balance: float) -> list[Member]:
    strata = np.repeat([0, 1], [45, 5])
    settings = {**DEFAULTS, "balance": balance}
    return [Member(3, np.arange(100, 150), np.arange(5), strata, True, settings, [])]


def test_every_batch_has_both_classes_and_only_rows_of_the_member():
    dealt = dealt_rows(members(1.0), (1, 4, 16), epochs=[0])
    rows, used = dealt["rows"][0], dealt["used"][0]
    assert dealt["steps"][0] == 4
    rare = (rows >= 145) & (used > 0)
    assert (rare.sum(axis=1) >= 6).all()
    assert set(rows[used > 0]) <= set(range(100, 150))
    assert used[rare].sum() == pytest.approx(5, rel=1e-5)


def test_a_loss_that_compares_samples_and_a_balance_of_zero_leave_batches_alone():
    plain = dealt_rows(members(0.0), (1, 4, 16), epochs=[0])
    compared = dealt_rows(members(1.0), (1, 4, 16), epochs=[0], balances=False)
    for name, values in plain.items():
        np.testing.assert_array_equal(compared[name], values)
    assert set(np.unique(plain["used"])) == {0.0, 1.0}
