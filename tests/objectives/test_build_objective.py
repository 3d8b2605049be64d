from dataclasses import FrozenInstanceError, fields

import pytest

from smoothclap.errors import SmoothClapError
from smoothclap.objectives import OBJECTIVES, PRESETS, ObjectiveBatch, ObjectiveError, build_objective


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_is_built_by_name_and_needs_fields_that_exist(name):
    objective = build_objective(name)
    assert objective.name == name
    assert objective.needs <= {field.name for field in fields(ObjectiveBatch)}


def test_objectives_are_frozen():
    with pytest.raises(FrozenInstanceError):
        build_objective("smoothclap").beta = 0.3


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_set_gamma_and_beta(preset):
    objective = build_objective("smoothclap", preset=preset)
    assert {"gamma": objective.gamma, "beta": objective.beta} == PRESETS[preset]


def test_presets_are_the_papers():
    assert PRESETS == {"ablation": {"gamma": 0.5, "beta": 0.1}, "setup": {"gamma": 0.1, "beta": 0.5}}


def test_an_explicit_setting_wins_over_the_preset():
    objective = build_objective("smoothclap", preset="setup", beta=0.0)
    assert (objective.gamma, objective.beta) == (0.1, 0.0)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("smothclap", {}, "unknown objective: 'smothclap'; did you mean 'smoothclap'? known: "),
        ("xyz", {}, "unknown objective: 'xyz'; known: clap, label_smoothing, labels, smoothclap"),
        ("smoothclap", {"bata": 0.1}, "unknown setting of objective smoothclap: 'bata'; did you mean 'beta'?"),
        (
            "smoothclap",
            {"preset": "set-up"},
            "unknown preset of objective smoothclap: 'set-up'; did you mean 'setup'?",
        ),
        ("clap", {"beta": 0.1}, "unknown setting of objective clap: 'beta'; it has none"),
        ("labels", {"preset": "setup"}, "unknown setting of objective labels: 'preset'; known: beta"),
        ("smoothclap", {"gamma": 2}, "objective smoothclap: gamma must be a number between 0 and 1, got 2"),
        (
            "smoothclap",
            {"tau_a2a": 0.0},
            "objective smoothclap: tau_a2a must be a finite number above 0, got 0.0",
        ),
    ],
)
def test_faults_are_one_line_that_names_the_mend(name, settings, message):
    with pytest.raises(ObjectiveError) as fault:
        build_objective(name, **settings)
    assert str(fault.value).startswith(message)
    assert "\n" not in str(fault.value)
    assert isinstance(fault.value, SmoothClapError)
