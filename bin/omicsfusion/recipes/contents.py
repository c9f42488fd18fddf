"""A recipe with the content of the files it names: what a chain is made of."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from omicsfusion.recipes.catalogue import Catalogue
from omicsfusion.recipes.files import read_table
from omicsfusion.recipes.recipe import Choice, Recipe


def with_contents(recipe: Recipe, catalogue: Catalogue, files: Mapping[str, Path]) -> Recipe:
    """Put the content of each file into the option that takes it.

    Parameters
    ----------
    files
        Name of a file, as the recipe writes it -> where it lies.

    Raises
    ------
    omicsfusion.recipes.files.FileProblem
        A file cannot be used.
    KeyError
        A file is not among ``files``.
    """

    def filled(choice: Choice) -> Choice:
        table = catalogue.methods[choice.step][choice.method].table
        if not choice.file or table is None:
            return choice
        content = read_table(files[choice.file], table.reads)
        return replace(choice, options={**choice.options, table.option: content})

    return replace(recipe, choices=tuple(filled(choice) for choice in recipe.choices))
