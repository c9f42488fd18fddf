"""Settings as a user gives them: read, refused, and used by what is trained."""

import pytest

from omicsfusion.models.choice import DEFAULT_CHOICE, default_choice
from omicsfusion.models.settings import DEFAULTS, RULES, UnknownSettingError, read_settings
from omicsfusion.models.tuning.space import space_of


def test_settings_are_read():
    assert read_settings("mixup=0.2, focal=2") == {"mixup": 0.2, "focal": 2.0}
    assert read_settings("") == {}


def test_every_default_is_legal():
    text = ",".join(f"{name}={value}" for name, value in DEFAULTS.items())
    assert read_settings(text) == DEFAULTS


@pytest.mark.parametrize("name", RULES)
def test_the_ends_of_a_range_are_legal_and_nothing_beyond(name):
    least, most = RULES[name]["least"], RULES[name]["most"]
    assert read_settings(f"{name}={least}") == {name: least}
    assert read_settings(f"{name}={most}") == {name: most}
    for beyond in (least - 1, most + 1, "nan", "much", ""):
        with pytest.raises(UnknownSettingError, match=f"{name} must be a number from"):
            read_settings(f"{name}={beyond}")


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(UnknownSettingError) as caught:
        read_settings("mixup=2,mixup=3,dropout=0.5,focal=-1")
    for part in ("mixup is there twice", "no setting 'dropout'", "focal must be a number"):
        assert part in str(caught.value)


def test_what_is_set_is_neither_tuned_nor_forgotten():
    assert default_choice({}) == DEFAULT_CHOICE
    choice = default_choice({"mixup": 0.2})
    assert choice.settings == {**DEFAULTS, "mixup": 0.2}
    assert "input_noise" in space_of("survival", {"default": {}})
    assert "input_noise" not in space_of("survival", {"default": {}}, {"input_noise": 1.0})
