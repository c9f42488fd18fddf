"""What is raised when a table cannot be read at all."""


class UnreadableTableError(ValueError):
    """A table cannot be read.

    Attributes
    ----------
    problem, cure, row
        As in ``Problem`` of ``problems.py``.
    """

    def __init__(self, problem: str, cure: str = "", row: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.cure = cure
        self.row = row
