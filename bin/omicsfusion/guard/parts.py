"""Who stands in which part of a split: patients, groups, duplicates, time, external cohorts."""

from pathlib import Path

import numpy as np
import pandas as pd

from omicsfusion.folds import units_of
from omicsfusion.guard.findings import FAILED, OK, WARNING, Finding, not_checked
from omicsfusion.pretraining import judged_and_seen, overlap_in_words, read_seen
from omicsfusion.scopes import OUTER
from omicsfusion.tables.dates import moments_in
from omicsfusion.tables.duplicate_pairs import links_of
from omicsfusion.tables.ids import shown

SCOPE = ["repeat", "fold", "inner"]
EXTERNAL = "external"
DEFECT = (
    "SPLIT keeps them together, so that this is a defect of the pipeline or the tables were "
    "changed after it: run again, and report it if it stays."
)


def torn(splits: pd.DataFrame, name_of: pd.Series) -> list[str]:
    """List the names whose samples have several roles in one scope, external samples aside.

    Parameters
    ----------
    splits
        ``splits.tsv``.
    name_of
        Index: sample; a name, such as the patient.
    """
    own = splits[splits["role"] != EXTERNAL]
    name = own["sample"].map(name_of).rename("name")
    roles = own.groupby([*(own[column] for column in SCOPE), name])["role"].nunique()
    return sorted(set(roles.index.get_level_values("name")[roles > 1]))


def patients_in_one_part(splits: pd.DataFrame, samples: pd.DataFrame) -> Finding:
    """No patient has samples in two parts (train, stop, test) of a training set."""
    patient = _training(samples)["patient"]
    return _whole("patients_in_one_part", "patients", torn(splits, patient), patient.nunique())


def groups_in_one_part(splits: pd.DataFrame, samples: pd.DataFrame) -> Finding:
    """The same for the groups of ``--group``; a patient without one is a group."""
    training = _training(samples)
    group = training["group"].fillna(training["patient"])
    return _whole("groups_in_one_part", "groups", torn(splits, group), group.nunique())


def duplicates_in_one_part(
    splits: pd.DataFrame, samples: pd.DataFrame, duplicates: pd.DataFrame
) -> Finding:
    """No two samples that are the same material stand in two parts of a training set."""
    training = set(samples.loc[samples["role"] == "train", "sample"])
    links = [(one, two) for one, two in links_of(duplicates) if {one, two} <= training]
    pairs = pd.DataFrame(links, columns=["sample", "other"])
    roles = splits[[*SCOPE, "sample", "role"]]
    others = roles.rename(columns={"sample": "other", "role": "other_role"})
    both = pairs.merge(roles, on="sample").merge(others, on=[*SCOPE, "other"])
    parted = both[both["role"] != both["other_role"]]
    apart = sorted(set(parted["sample"] + " and " + parted["other"]))
    return _whole("duplicates_in_one_part", "pairs of near-duplicates", apart, len(links))


def _training(samples: pd.DataFrame) -> pd.DataFrame:
    return samples[samples["role"] == "train"].set_index("sample")


def _whole(guard: str, what: str, names: list[str], n: int) -> Finding:
    if not names:
        return Finding(guard, "", OK, 0, 0, f"None of {n} {what} is parted by a split.")
    detail = f"{len(names)} of {n} {what} are parted by a split: {shown(names)}."
    return Finding(guard, "", FAILED, len(names), 0, detail, DEFECT)


def external_patients(samples: pd.DataFrame, duplicates: pd.DataFrame) -> Finding:
    """No external sample is of a training patient, or a near-duplicate of a training sample."""
    role = samples.set_index("sample")["role"]
    external = samples[samples["role"] == EXTERNAL]
    if external.empty:
        return not_checked("external_patients", "There is no external cohort.")
    patients = set(samples.loc[samples["role"] == "train", "patient"])
    same = sorted(external.loc[external["patient"].isin(patients), "sample"])
    copies = [
        f"{one} and {two}"
        for one, two in links_of(duplicates)
        if {role.get(one), role.get(two)} == {"train", EXTERNAL}
    ]
    detail = (
        f"Of {len(external)} external samples, {len(same)} are of patients who are trained on"
        f"{': ' + shown(same) if same else ''}; {len(copies)} pairs of a training and an external "
        f"sample are near-duplicates{': ' + shown(copies) if copies else ''}."
    )
    n = len(same) + len(copies)
    if n == 0:
        return Finding("external_patients", "", OK, 0, 0, detail)
    advice = (
        "The external result is too good by these samples: leave them out of one of the cohorts "
        "(or rename patients whose ids only happen to be the same)."
    )
    return Finding("external_patients", "", WARNING, n, 0, detail, advice)


def pretrained_on_tested(splits: pd.DataFrame, path: Path | None) -> Finding:
    """No patient who is tested was in the cohort that encoders were pretrained on."""
    if path is None:
        return not_checked("pretrained_on_tested", "No pretrained encoders are used.")
    patients = judged_and_seen(splits, read_seen(path))
    if not patients:
        detail = "No patient who is tested was in the cohort of the pretrained encoders."
        return Finding("pretrained_on_tested", "", OK, 0, 0, detail)
    detail, advice = overlap_in_words(patients)
    return Finding("pretrained_on_tested", "", FAILED, len(patients), 0, detail, advice)


def temporal_order(
    splits: pd.DataFrame, samples: pd.DataFrame, duplicates: pd.DataFrame, how: str
) -> Finding:
    """In a temporal split no training sample is as new as any patient who is tested."""
    if not how.startswith("temporal:"):
        return not_checked("temporal_order", f"--split {how} does not go by time.")
    training = _training(samples)
    moment = pd.Series(moments_in(training["split"]), index=training.index)
    unit = units_of(training.reset_index(), links_of(duplicates))
    outer = splits[(splits["inner"] == OUTER) & (splits["role"] != EXTERNAL)]
    tested = outer.loc[outer["role"] == "test", "sample"]
    fitted = outer.loc[outer["role"] != "test", "sample"]
    cut = moment.groupby(unit).max()[unit[tested].unique()].min()
    late = fitted[(moment[fitted] >= cut).to_numpy()]
    early = tested[(moment[tested] < cut).to_numpy()]
    first = training["split"][moment.index[moment >= cut]].min()
    detail = (
        f"{len(tested)} samples are tested, of patients seen at {first} or later; {len(late)} of "
        f"{len(fitted)} training samples are as new. {len(early)} tested samples are older, of "
        "patients with a newer one."
    )
    if len(late):
        return Finding("temporal_order", "", FAILED, len(late), 0, detail, DEFECT)
    advice = ""
    if len(early):
        advice = (
            "These older samples do not test the future: keep one sample per patient, or judge the "
            "newer ones alone."
        )
    status = WARNING if len(early) else OK
    return Finding("temporal_order", "", status, len(early), np.nan, detail, advice)
