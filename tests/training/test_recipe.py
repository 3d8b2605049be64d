from pathlib import Path

import pytest

from smoothclap.objectives import ClapObjective, SmoothClapObjective
from smoothclap.training.recipe import Recipe, RecipeError, load_recipe, recipe_from

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.fixture
def recipe_file(tmp_path: Path):
    """Writes a recipe."""

    def write(text: str) -> Path:
        path = tmp_path / "recipe.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_of_the_repository_loads(path: Path):
    recipe = load_recipe(path)
    assert recipe.build_objective().name == recipe.objective["name"]


def test_the_offline_recipe_is_there():
    assert "offline.yaml" in [path.name for path in RECIPES]


def test_what_is_left_out_keeps_its_default(recipe_file):
    assert load_recipe(recipe_file("")) == Recipe()
    recipe = load_recipe(recipe_file("optimiser: {epochs: 3}"))
    assert recipe.optimiser.epochs == 3
    assert recipe.optimiser.batch_size == Recipe().optimiser.batch_size


def test_a_recipe_survives_being_written_as_plain_values():
    recipe = recipe_from({"optimiser": {"lr": 3e-4}, "objective": {"name": "clap"}}, "here")
    assert recipe_from(recipe.to_dict(), "there") == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer: {epochs: 3}", "unknown key 'optimizer'; did you mean 'optimiser'?"),
        ("optimiser: {epoch: 3}", "unknown key 'optimiser.epoch'; did you mean 'optimiser.epochs'?"),
        ("audio: {towr: logmel}", "unknown key 'audio.towr'; did you mean 'audio.tower'?"),
        ("zzz: 1", "unknown key 'zzz'; known: audio, text"),
        ("objective: {name: smoothclp}", "did you mean 'smoothclap'?"),
        ("objective: {name: smoothclap, gama: 0.5}", "did you mean 'gamma'?"),
        ("objective: {name: smoothclap, preset: ablaton}", "did you mean 'ablation'?"),
        ("objective: {preset: ablation}", "key 'name'"),
        ("optimiser: {epochs: 3.0}", "optimiser.epochs: 3.0 is not of type int"),
        ("optimiser: {epochs: true}", "optimiser.epochs: True is not of type int"),
        ("optimiser: {lr: fast}", "optimiser.lr: 'fast' is not of type float"),
        ("optimiser: {lr: true}", "optimiser.lr: True is not of type float"),
        ("optimiser: {lr: }", "optimiser.lr: None is not of type float"),
        ("audio: {augment: 1}", "audio.augment: 1 is not of type bool"),
        ("audio: {tower: wavlm}", "audio.tower: 'wavlm' is not one of logmel, functionals"),
        ("audio: {dilations: 3}", "audio.dilations: 3 is not a list"),
        ("audio: {dilations: [1, x]}", "audio.dilations: 'x' is not of type int"),
        ("audio: logmel", "'audio' is a section with keys"),
        ("audio:", "'audio' is a section with keys"),
        ("objective: clap", "objective: 'clap' is not a mapping"),
        ("audio: {crop_seconds: 0.1}", "audio.crop_seconds: 0.1 is out of range"),
        ("audio: {dilations: []}", "audio.dilations"),
        ("projection: {dropout: 1.0}", "projection.dropout: 1.0 is out of range"),
        ("captions: {styles: [rhyme]}", "captions.styles"),
        ("captions: {variants: 0}", "captions.variants: 0 is out of range"),
        ("optimiser: {batch_size: 1}", "optimiser.batch_size: 1 is out of range"),
        ("optimiser: {lr: 0}", "optimiser.lr: 0.0 is out of range"),
        ("optimiser: {lr: .nan}", "optimiser.lr: nan is out of range"),
        ("optimiser: {lr: .inf}", "optimiser.lr: inf is out of range"),
        ("validation_share: 0.9", "validation_share: 0.9 is out of range"),
        ("seed: -1", "seed: -1 is out of range"),
        ("objective: {name: smoothclap, beta: 1.5}", "beta"),
        ("[1, 2]", "a recipe is a mapping of keys to values, not a list"),
        ("a: b: c", "not a YAML file"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line_that_names_it(recipe_file, text: str, message: str):
    path = recipe_file(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_recipe_is_one_line(tmp_path: Path):
    with pytest.raises(RecipeError, match=r"none\.yaml: cannot be read \(No such file.*offline\.yaml"):
        load_recipe(tmp_path / "none.yaml")


@pytest.mark.parametrize("number", ["1e-3", "1.0e-3", "0.001"])
def test_yaml_scientific_notation_is_a_number(recipe_file, number: str):
    assert load_recipe(recipe_file(f"optimiser: {{lr: {number}}}")).optimiser.lr == 1e-3
    assert load_recipe(recipe_file(""), [f"optimiser.lr={number}"]).optimiser.lr == 1e-3


def test_yaml_scientific_notation_is_a_number_in_an_objective_too(recipe_file):
    recipe = load_recipe(recipe_file("objective: {name: smoothclap, beta: 2e-1}"), ["objective.tau_a2a=5e-2"])
    assert recipe.build_objective().beta == 0.2
    assert recipe.build_objective().tau_a2a == 0.05


def test_overrides_reach_into_sections_and_are_read_as_yaml(recipe_file):
    path = recipe_file("optimiser: {epochs: 3}")
    recipe = load_recipe(
        path,
        ["optimiser.epochs=7", "audio.dilations=[1, 4]", "text.train=true", "seed=5", "projection.dim=32"],
    )
    assert (recipe.optimiser.epochs, recipe.audio.dilations, recipe.text.train) == (7, [1, 4], True)
    assert (recipe.seed, recipe.projection.dim) == (5, 32)
    assert load_recipe(path, ["seed=1", "seed=2"]).seed == 2


def test_another_objective_drops_the_settings_of_the_one_it_replaces(recipe_file):
    path = recipe_file("objective: {name: smoothclap, preset: setup, gamma: 0.2}")
    assert load_recipe(path, ["objective.name=clap"]).build_objective() == ClapObjective()
    assert load_recipe(path, ["objective={name: clap}"]).build_objective() == ClapObjective()
    renewed = load_recipe(path, ["objective.name=smoothclap", "objective.preset=ablation"])
    assert renewed.build_objective() == SmoothClapObjective(gamma=0.5, beta=0.1)


def test_a_setting_of_the_objective_wins_over_its_preset(recipe_file):
    path = recipe_file("objective: {name: smoothclap, preset: setup}")
    assert load_recipe(path, ["objective.beta=0.3"]).build_objective().beta == 0.3


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimiser.epochs", "give key=value"),
        ("=3", "give key=value"),
        ("optimiser.epoch=3", "did you mean 'optimiser.epochs'"),
        ("seed.deep=3", "'seed' is a single value, not a section"),
        ("optimiser.epochs={", "--set optimiser.epochs={"),
        ("optimiser.epochs=", "None is not of type int"),
    ],
)
def test_a_wrong_override_is_refused_in_one_line(recipe_file, override: str, message: str):
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe_file("seed: 3"), [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
