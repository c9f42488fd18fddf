"""What a reader of a group's scopes says without opening a matrix."""

import pandas as pd

from omicsfusion.models.cohort import GroupReader

SCOPE = {"repeat": 1, "fold": 1, "inner": "outer", "role": "train"}


def test_scopes_of_the_same_name_in_two_groups_are_counted_apart():
    parts = [
        pd.DataFrame({**SCOPE, "group": group, "sample": [f"s{i}" for i in range(n)]})
        for group, n in (("n25", 5), ("n50", 10))
    ]
    run = pd.concat(parts, ignore_index=True)
    reader = GroupReader([], parts[0], run)
    assert reader.largest("train") == 10
    assert reader.largest("stop") == 1
