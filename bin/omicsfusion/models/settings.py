"""What can be set in the training of any network; members of one network may differ in it.

The defaults are the same for every cohort. They serve whoever sets and tunes nothing.

- ``learning_rate``, ``weight_decay``: of AdamW.
- ``l1``: weight of the sum of the absolute kernels that read the features.
- ``input_dropout``, ``hidden_dropout``, ``omics_dropout``: shares of features, hidden units and
  omics layers that are hidden in training.
- ``input_noise``: standard deviation of noise on the features, in that of a scaled feature.
- ``label_smoothing``, ``focal`` (classes): share of the truth that is spread over all classes;
  exponent of the focal loss.
- ``mixup``: a of Beta(a, a). Not for Cox's loss, which compares samples.
- ``balance``: from batches in which each class has its share, 0, to batches that have all classes
  equally often, 1. Not for Cox's loss.
- ``smote`` (classes): share of samples that are moved, in the latent, towards one of their nearest
  of the same class.
- ``freeze``: epochs at the beginning in which what came pretrained stays as it came.
"""

import json
from collections.abc import Mapping
from pathlib import Path

RULES: Mapping[str, Mapping[str, float]] = json.loads(
    Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
)
"""Setting -> ``default``, ``least`` and ``most``. The workflow reads the file, too."""

DEFAULTS: Mapping[str, float] = {name: float(rule["default"]) for name, rule in RULES.items()}


class UnknownSettingError(ValueError):
    """A setting is none, or has no legal value; the message names all that are wrong."""


def read_settings(text: str) -> dict[str, float]:
    """Read settings as a user gives them, ``mixup=0.2,focal=2``.

    Raises
    ------
    UnknownSettingError
        When a name is unknown or there twice, or a value is no number or out of its range.
    """
    found: dict[str, float] = {}
    problems = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        if name not in RULES:
            problems.append(f"there is no setting {name!r} (there are {', '.join(RULES)})")
        elif name in found:
            problems.append(f"{name} is there twice")
        else:
            found[name], problem = _number(name, value)
            problems += problem
    if problems:
        raise UnknownSettingError(f"--settings {text}: {'; '.join(problems)}.")
    return found


def _number(name: str, value: str) -> tuple[float, list[str]]:
    rule = RULES[name]
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if rule["least"] <= number <= rule["most"]:
        return number, []
    return number, [
        f"{name} must be a number from {rule['least']:g} to {rule['most']:g}, not {value!r}"
    ]
