"""The user's ``--preprocess`` file (layer -> step -> method, options), checked before all else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from omicsfusion.recipes.catalogue import NO_METHOD, STEPS, Catalogue, Method, Option
from omicsfusion.recipes.files import FileProblem, read_table
from omicsfusion.recipes.recipe import MAX_ABSENT, Recipe, settle
from omicsfusion.tables.ids import near_name
from omicsfusion.tables.problems import Problems

MAX_ABSENT_KEY = "max_absent"
FILE_KEY = "file"
METHOD_KEY = "method"


@dataclass(frozen=True)
class Run:
    """What of the run a recipe can ask for.

    Attributes
    ----------
    kinds
        Layer -> kind.
    has_batch
        Whether ``--batch`` names a column.
    covariates
        Names of the ``--covariates``.
    """

    kinds: Mapping[str, str]
    has_batch: bool = False
    covariates: tuple[str, ...] = ()


def settle_recipes(
    catalogue: Catalogue,
    run: Run,
    path: Path | None,
    files: Mapping[str, Path],
    problems: Problems,
) -> dict[str, Recipe]:
    """Return the recipe of each layer; what is wrong with the user's file goes to ``problems``.

    Parameters
    ----------
    path
        The ``--preprocess`` file, None when there is none.
    files
        Name of a file, as the recipe writes it -> where it lies.
    """
    wishes = _read(path, problems) if path else {}
    for layer in sorted(set(wishes) - set(run.kinds)):
        problems.error(
            f"There is no layer {layer!r}.",
            f"{near_name(layer, run.kinds)} Layers: {', '.join(sorted(run.kinds))}.".strip(),
            file=_name(path),
        )
    recipes = {}
    for layer, kind in sorted(run.kinds.items()):
        reader = _LayerReader(catalogue, run, layer, kind, files, _name(path), problems)
        recipes[layer] = reader.recipe(wishes.get(layer))
    return recipes


def _name(path: Path | None) -> str:
    return path.name if path else ""


def _read(path: Path, problems: Problems) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problems.error(
            f"The file is no YAML ({' '.join(str(error).split())}).",
            "Write 'layer:', below it indented 'step: method'.",
            file=path.name,
            row=mark.line + 1 if mark else None,
        )
        return {}
    if found is None:
        return {}
    if not isinstance(found, dict):
        problems.error(
            "The file does not say which layer is meant.",
            "Write 'layer:', below it indented 'step: method'.",
            file=path.name,
        )
        return {}
    return {str(layer): steps for layer, steps in found.items()}


Wish = tuple[str | None, dict[str, Any], str]


@dataclass(frozen=True)
class _LayerReader:
    """Reads one layer's part of the file."""

    catalogue: Catalogue
    run: Run
    layer: str
    kind: str
    files: Mapping[str, Path]
    name: str
    problems: Problems

    def recipe(self, steps: Any) -> Recipe:
        """Settle the layer's recipe; what is wrong is reported and left out."""
        if steps is None:
            return settle(self.catalogue, self.kind)
        if not isinstance(steps, dict):
            self._error(f"holds {steps!r} where steps belong", "Write 'step: method' below it.")
            return settle(self.catalogue, self.kind)
        max_absent = self._share(steps.get(MAX_ABSENT_KEY, MAX_ABSENT))
        wishes = {
            str(step): wish
            for step, choice in steps.items()
            if step != MAX_ABSENT_KEY and (wish := self._wish(str(step), choice)) is not None
        }
        return settle(self.catalogue, self.kind, wishes, max_absent)

    def _wish(self, step: str, choice: Any) -> Wish | None:
        known = [name for name in STEPS if self.catalogue.for_kind(self.kind, name)]
        if step not in known:
            near = near_name(step, known)
            self._error(f"has no step {step!r}", f"{near} Steps: {', '.join(known)}.".strip())
            return None
        options = dict(choice) if isinstance(choice, dict) else {METHOD_KEY: choice}
        wanted = options.pop(METHOD_KEY, None)
        if wanted is not None and str(wanted) == NO_METHOD and not options:
            return NO_METHOD, {}, ""
        method = self._method(step, wanted)
        if method is None:
            return None
        file = str(options.pop(FILE_KEY, "") or "")
        self._check_file(method, file)
        checked = {
            str(option): value
            for option, value in options.items()
            if self._is_legal(method, str(option), value)
        }
        self._check_required(method, checked)
        self._check_run(method, checked)
        return (None if wanted is None else method.name), checked, file

    def _method(self, step: str, wanted: Any) -> Method | None:
        known = self.catalogue.for_kind(self.kind, step)
        own = self.catalogue.defaults[self.kind].get(step, (NO_METHOD, {}))[0]
        name = own if wanted is None else str(wanted)
        if name in known:
            return self.catalogue.methods[step][name]
        if wanted is None:
            self._error(f"has options for {step}, but no method", f"Methods: {', '.join(known)}.")
        else:
            near = near_name(name, known)
            self._error(
                f"cannot use {step}: {name}, for it is of kind {self.kind}"
                if name in self.catalogue.methods[step]
                else f"has no method {name!r} for {step}",
                f"{near} Methods: {', '.join([*known, NO_METHOD])}.".strip(),
            )
        return None

    def _check_file(self, method: Method, file: str) -> None:
        what = f"{method.step}: {method.name}"
        if not file:
            if method.table is not None and method.table.required:
                self._error(f"{what} needs a file", f"Give it with 'file:': {method.table.says}")
        elif method.table is None:
            self._error(f"{what} reads no file", "Leave 'file:' out.")
        elif file not in self.files:
            self._error(
                f"{what}: there is no file {file!r}",
                "Give its path, absolute or relative to the --preprocess file.",
            )
        else:
            try:
                read_table(self.files[file], method.table.reads)
            except FileProblem as error:
                self.problems.error(error.problem, error.cure, file=file, row=error.row)

    def _is_legal(self, method: Method, option: str, value: Any) -> bool:
        rule = method.options.get(option)
        what = f"{method.step}: {method.name}"
        if rule is None:
            near = near_name(option, method.options)
            known = ", ".join([*method.options, *([FILE_KEY] if method.table else [])]) or "none"
            self._error(f"{what} has no option {option!r}", f"{near} Options: {known}.".strip())
            return False
        wrong = _wrong(rule, value)
        if wrong:
            self._error(f"{what}: {option} is {value!r}, but must be {wrong}", rule.says)
        return not wrong

    def _check_required(self, method: Method, options: Mapping[str, Any]) -> None:
        for option, rule in method.options.items():
            if rule.required and option not in options:
                self._error(f"{method.step}: {method.name} needs {option}", rule.says)

    def _check_run(self, method: Method, options: Mapping[str, Any]) -> None:
        if method.step == "batch" and not self.run.has_batch:
            self._error(
                f"batch: {method.name} needs to know the batches",
                "Name the column of samples.tsv with --batch.",
            )
        strangers = sorted(set(options.get("protect", ())) - set(self.run.covariates))
        if strangers:
            self._error(
                f"batch: {method.name} is to protect {', '.join(strangers)}, which is no covariate",
                "Only what is known of a new patient can be protected: name it in --covariates.",
            )

    def _share(self, value: Any) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        self._error(
            f"{MAX_ABSENT_KEY} is {value!r}, but must be a number from 0 to 1",
            "It is the largest share of features that a new cohort may lack.",
        )
        return MAX_ABSENT

    def _error(self, problem: str, cure: str) -> None:
        self.problems.error(f"Layer {self.layer!r} {problem}.", cure, file=self.name)


def _wrong(rule: Option, value: Any) -> str:
    """Say what a value must be; empty when it is."""
    if rule.type == "boolean":
        return "" if isinstance(value, bool) else "true or false"
    if rule.type == "choice":
        return "" if value in rule.choices else f"one of {', '.join(rule.choices)}"
    if rule.type == "names":
        return "" if _is_names(value) else "a list of names"
    if rule.type == "text":
        return "" if isinstance(value, str) else "a name"
    whole = rule.type == "integer"
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    low, high = rule.minimum, rule.maximum
    if is_number and (low is None or value >= low) and (high is None or value <= high):
        return ""
    bounds = [f"at least {low:g}"] if low is not None else []
    bounds += [f"at most {high:g}"] if high is not None else []
    return " ".join(["a whole number" if whole else "a number", " and ".join(bounds)]).strip()


def _is_names(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(name, str) for name in value)
    )
