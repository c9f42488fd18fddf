"""Places of a network: each member trains as long as it needs, and none is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omicsfusion.models.dealing import Member
from omicsfusion.models.lane import Lane
from omicsfusion.models.trained import Trained

AT_ONCE = 3


def member(seed: int) -> Member:
    nothing = np.zeros(0, int)
    return Member(seed, nothing, nothing, nothing, True, {}, [])


@given(
    needs=st.lists(st.integers(1, 11), min_size=1, max_size=12),
    places=st.integers(1, 5),
)
def test_each_member_trains_as_long_as_it_needs_and_results_keep_their_order(
    needs: list[int], places: int
) -> None:
    lane = Lane([member(seed) for seed in range(len(needs))], places)
    calls = 0
    while not lane.is_empty:
        calls += 1
        assert len(lane.seated) == min(places, len(needs))
        need = np.array([needs[one.seed] for one in lane.seated])
        before = np.array(lane.epochs)
        epochs = np.minimum(before + AT_ONCE, need)
        # Of the epoch that a member makes as its n-th the loss is its seed + n / 100.
        ahead = before + 1 + np.arange(AT_ONCE)[:, None]
        loss = np.array([one.seed for one in lane.seated]) + ahead / 100
        lane.go_on(loss, -loss, epochs)
        finished = lane.finished(epochs < need)
        for place in finished:
            lane.finish(place, Trained([], lane.curve(place), seed=lane.seated[place].seed))
        lane.fill(finished)
    assert [one.seed for one in lane.trained] == list(range(len(needs)))
    for seed, (one, need) in enumerate(zip(lane.trained, needs, strict=True)):
        assert one.curve == [(n, seed + n / 100, -(seed + n / 100)) for n in range(1, need + 1)]
    # A place stays empty only when nobody waits.
    work = sum(-(-need // AT_ONCE) for need in needs)
    longest = max(-(-need // AT_ONCE) for need in needs)
    assert calls <= work / min(places, len(needs)) + longest


def test_a_place_is_taken_by_who_has_waited_longest() -> None:
    lane = Lane([member(seed) for seed in range(4)], places=2)
    lane.finish(1, Trained([]))
    assert lane.finished(np.array([True, False])) == []  # its result is there
    assert lane.fill([1]) == [1]
    assert [one.seed for one in lane.seated] == [0, 2]
    assert lane.fill([0, 1]) == [0]
    assert [one.seed for one in lane.seated] == [3, 2]
