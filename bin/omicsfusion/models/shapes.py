"""Sizes that all chunks of a task share, so that one compiled program serves them."""

from collections.abc import Sequence
from dataclasses import dataclass

from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.feed import MEMORY_LIMIT, table_bytes

MEMBERS_OF_NETWORK = 4
"""Places of a network, at most: of more, more stay empty while the last members train; one of fewer
takes nearly as long."""
QUEUE = 2
"""Where many members are trained on few scopes, as trials are, so many times as many as a chunk has
otherwise wait for places together."""


@dataclass(frozen=True)
class Shapes:
    """Sizes into which every scope of a group fits.

    Attributes
    ----------
    widths
        Features of each layer, at most.
    scopes
        Scopes in a chunk.
    networks
        Of each scope in a chunk.
    rows, train, stop
        Samples of a scope, of any role, ``train`` and ``stop``, at most.
    streamed
        Whether values are read from disk batch by batch: one scope would not fit into memory.
    """

    widths: dict[str, int]
    scopes: int
    networks: int
    rows: int
    train: int
    stop: int
    streamed: bool = False

    @property
    def members(self) -> int:
        """Members of a chunk each of whose scopes has its ``networks``."""
        return self.scopes * self.networks

    @property
    def queue(self) -> int:
        """Members of a chunk, at most."""
        return self.members if self.streamed else QUEUE * self.members

    @property
    def block(self) -> int:
        """Places of a network: members that it trains together."""
        return self.members if self.streamed else even_share(self.members, MEMBERS_OF_NETWORK)


def shapes_of(
    reader: GroupReader, layers: Sequence[str], members_at_once: int, networks: int
) -> Shapes:
    """Find the sizes into which every scope of a group fits; rows of training, of the run.

    A chunk has as many scopes as ``members_at_once`` and ``MEMORY_LIMIT`` allow. Where not even one
    scope fits, its values stay on disk.
    """
    scopes = reader.scopes
    counts = [reader.role_counts(scope) for scope in scopes]
    width = {name: max(reader.width(scope, name) for scope in scopes) for name in sorted(layers)}
    widths = {name: max(1, most) for name, most in width.items()}
    rows = max(sum(count.values()) for count in counts)
    fit_in = MEMORY_LIMIT // table_bytes(widths, rows)
    at_once = min(members_at_once // networks, fit_in)
    return Shapes(
        widths=widths,
        scopes=even_share(len(scopes), max(1, at_once)),
        networks=networks,
        rows=rows,
        train=reader.largest("train"),
        stop=reader.largest("stop"),
        streamed=fit_in < 1,
    )


def even_share(n: int, most: int) -> int:
    """Return the size of as few parts as ``most`` allows, none of them nearly empty."""
    return -(-n // -(-n // most))
