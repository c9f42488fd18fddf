"""A network's places and who waits for one: members that have finished make room for others.

Members stop after very different numbers of epochs. Trained in fixed groups, each group would take
as long as its slowest member.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from omicsfusion.models.dealing import Member
from omicsfusion.models.trained import Trained


class Lane:
    """Who sits where, how far each is, and what came of those that have finished.

    Parameters
    ----------
    members
        In the order in which they take places.
    places
        Of the network.
    """

    def __init__(self, members: Sequence[Member], places: int) -> None:
        self._members = members
        self._seated = list(range(min(len(members), places)))
        self._waiting = deque(range(len(self._seated), len(members)))
        self._curves: list[list[tuple[int, float, float]]] = [[] for _ in members]
        self._trained: dict[int, Trained] = {}

    @property
    def seated(self) -> list[Member]:
        """Members by place; one that has finished sits on where nobody waits."""
        return [self._members[number] for number in self._seated]

    @property
    def epochs(self) -> list[int]:
        """How many epochs each of the seated has behind it."""
        return [len(self._curves[number]) for number in self._seated]

    @property
    def trained(self) -> list[Trained]:
        """Results of the members, in their order, once it is empty."""
        return [self._trained[number] for number in range(len(self._members))]

    @property
    def is_empty(self) -> bool:
        """Whether all have finished."""
        return len(self._trained) == len(self._members)

    def curve(self, place: int) -> list[tuple[int, float, float]]:
        """Return (epoch, training loss, stopping loss) of who sits at a place."""
        return self._curves[self._seated[place]]

    def go_on(self, train: np.ndarray, stop: np.ndarray, epochs: np.ndarray) -> None:
        """Note what the seated lost since.

        Parameters
        ----------
        train, stop
            Losses, epochs x places.
        epochs
            That each place has made by now; of fewer new ones the other losses mean nothing.
        """
        for place, number in enumerate(self._seated):
            curve = self._curves[number]
            new = range(epochs[place] - len(curve))
            curve += [
                (len(curve) + 1 + i, float(train[i, place]), float(stop[i, place])) for i in new
            ]

    def finish(self, place: int, trained: Trained) -> None:
        """Note what came of who sits at a place."""
        self._trained[self._seated[place]] = trained

    def finished(self, active: np.ndarray) -> list[int]:
        """Return the places whose members have finished and have no result yet."""
        return [
            place
            for place, number in enumerate(self._seated)
            if not active[place] and number not in self._trained
        ]

    def fill(self, places: Sequence[int]) -> list[int]:
        """Give places to those who wait; return which were taken."""
        taken = list(places[: len(self._waiting)])
        for place in taken:
            self._seated[place] = self._waiting.popleft()
        return taken
