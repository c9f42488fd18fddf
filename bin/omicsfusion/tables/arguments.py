"""Command-line arguments that hold several things."""

from pathlib import Path


def listed(text: str) -> tuple[str, ...]:
    """Split a list that is joined by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def named_path(text: str) -> tuple[str, Path]:
    """Take NAME=PATH apart; the path holds no '='."""
    name, _, path = text.rpartition("=")
    return name, Path(path)
