"""How the setting of a fit says that a better value may lie beyond what was tried."""

from collections.abc import Sequence


def edge_words(names: Sequence[str]) -> list[str]:
    """Name what was chosen at the edge of its grid, as one phrase; none where nothing was.

    The report counts the fits whose ``setting`` in ``training.tsv`` holds the phrase.
    """
    return [f"at the edge of the grid: {', '.join(names)}"] if names else []
