"""Sizes that all chunks of a task share, so that one compiled program serves them."""

from collections.abc import Sequence
from dataclasses import dataclass

from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.feed import MEMORY_LIMIT, table_bytes

MEMBERS_OF_NETWORK = 12
"""Trained as one network, at most: more of them wait for the slowest, fewer leave cores idle."""


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
        """Members of a chunk."""
        return self.scopes * self.networks

    @property
    def block(self) -> int:
        """Members that are trained as one network; in a chunk there may be several."""
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
