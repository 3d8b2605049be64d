import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from smoothclap import audio
from smoothclap.corpora import load_corpus
from smoothclap.corpora.schema import CorpusError
from smoothclap.objectives import OBJECTIVES
from smoothclap.paralinguistics.bins import Bins
from smoothclap.store import FeatureStore
from smoothclap.training import history
from smoothclap.training.data import TrainingData


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def text_weights(folder: Path, prefix: str = "text_model.") -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): w for name, w in weights(folder).items() if name.startswith(prefix)}


@pytest.fixture(scope="module")
def run(
    train_tiny, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingData, list[dict[str, object]]]:
    """A finished run, what it was trained on, and the epochs it told of."""
    data: list[TrainingData] = []
    epochs: list[dict[str, object]] = []
    folder = train_tiny(
        tmp_path_factory.mktemp("loop") / "run", on_data=data.append, on_epoch=lambda row: epochs.append(row)
    )
    return folder, data[0], epochs


def test_the_same_seed_gives_the_same_bits_and_another_does_not(run, train_tiny, tmp_path: Path):
    folder = run[0]
    again = train_tiny(tmp_path / "again")
    assert (again / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert history.read(again) == history.read(folder)
    assert (again / "bins.json").read_bytes() == (folder / "bins.json").read_bytes()
    other = train_tiny(tmp_path / "other", "seed=1")
    name = "audio_projection.linear1.weight"
    assert not torch.equal(weights(other)[name], weights(folder)[name])


def test_an_empty_store_gives_the_same_bits_as_a_full_one(run, train_tiny, tmp_path: Path):
    again = train_tiny(tmp_path / "again", store=FeatureStore(tmp_path / "store"))
    assert (again / "model.safetensors").read_bytes() == (run[0] / "model.safetensors").read_bytes()


def test_a_second_run_over_the_same_data_does_no_audio_work(
    run, train_tiny, feature_store: Path, tmp_path: Path
):
    computed = []

    class Watched(FeatureStore):
        def compute(self, *args: object, **options: object):
            features = super().compute(*args, **options)
            computed.append(features.computed)
            return features

    train_tiny(tmp_path / "again", "seed=3", store=Watched(feature_store))
    assert computed == [0, 0]


def test_the_directory_is_whole(run):
    folder, data, _ = run
    assert {path.name for path in folder.iterdir()} >= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "bins.json",
        "history.jsonl",
        "recipe.yaml",
        "training.json",
        "trained_on.parquet",
    }
    assert not [
        path.name for path in folder.iterdir() if "checkpoint" in path.name or path.name.startswith(".")
    ]
    assert Bins.load(folder / "bins.json") == data.bins


def test_it_says_what_it_was_trained_on(run, tiny_recipe):
    folder, data, _ = run
    training = json.loads((folder / "training.json").read_text())
    assert training["recipe"] == tiny_recipe().to_dict()
    assert training["objective"] == "smoothclap"
    assert training["seed"] == 0
    assert training["corpora"] == [{"name": "tiny", "clips": 54, "speakers": 6}]
    assert training["rejected_clips"] == 0
    used = pd.read_parquet(folder / "trained_on.parquet")
    assert list(used.columns) == ["corpus", "speaker", "digest"]
    files = data.table.index.get_level_values("file")[data.train]
    assert used["digest"].tolist() == [audio.digest(file) for file in files]
    held = data.table["speaker"].iloc[data.validation]
    assert not set(used["speaker"]) & set(held)


def test_the_log_holds_every_step_and_epoch(run):
    folder, _, told = run
    rows = history.read(folder)
    steps = [row for row in rows if row["kind"] == "step"]
    epochs = [row for row in rows if row["kind"] == "epoch"]
    assert [row["step"] for row in steps] == list(range(1, 7))
    assert [(row["epoch"], row["step"]) for row in epochs] == [(1, 3), (2, 6)]
    keys = {"kind", "step", "loss", "scale", "target_entropy", "off_diagonal_mass", "duplicate_captions"}
    assert all(keys <= row.keys() for row in steps)
    assert steps[0]["scale"] == pytest.approx(1 / 0.07, rel=1e-5)
    assert steps[1]["scale"] != steps[0]["scale"]
    assert all(0 <= row["duplicate_captions"] < 16 for row in steps)
    assert epochs[1]["loss"] == pytest.approx(np.mean([row["loss"] for row in steps[3:]]))
    assert 0 <= epochs[1]["validation_uar"] <= 1
    assert [{key: row[key] for key in epochs[0]} for row in told] == epochs


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_it_learns(train_tiny, tmp_path: Path, objective: str):
    """Three emotions an octave and more apart are told apart on speakers never heard."""
    folder = train_tiny(
        tmp_path / "run",
        f"objective.name={objective}",
        "audio.tower=functionals",
        "captions.styles=[emotion]",
        "optimiser.epochs=20",
        "optimiser.lr=5e-3",
    )
    epochs = [row for row in history.read(folder) if row["kind"] == "epoch"]
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert epochs[-1]["validation_uar"] > 0.9


def test_a_frozen_text_tower_stays_as_it_came(run, tiny_text: Path):
    came = load_file(tiny_text / "model.safetensors")
    now = text_weights(run[0])
    assert now.keys() >= {name for name in came if "pooler" not in name}
    assert all(torch.equal(now[name], came[name]) for name in now.keys() & came.keys())


def test_a_trained_text_tower_moves_at_its_own_slow_rate(
    train_tiny, tmp_path: Path, tiny_recipe, tiny_text: Path
):
    """Adam's first step is the learning rate itself."""
    from smoothclap.training.build import build_model

    folder = train_tiny(
        tmp_path / "run",
        "text.train=true",
        "optimiser.epochs=1",
        "optimiser.batch_size=54",
        "optimiser.lr=2e-3",
    )
    came, now = load_file(tiny_text / "model.safetensors"), text_weights(folder)
    moved = max((now[name] - came[name]).abs().max().item() for name in came if "pooler" not in name)
    assert moved == pytest.approx(1e-5, rel=0.05)
    fresh = build_model(tiny_recipe("text.train=true"))[0].state_dict()
    name = "audio_projection.linear1.weight"
    assert (weights(folder)[name] - fresh[name]).abs().max().item() == pytest.approx(2e-3, rel=0.01)


def test_a_checkpoint_holds_no_frozen_weights(train_tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from smoothclap.training import checkpoint

    names: list[str] = []
    save = checkpoint.save

    def watched(folder: Path, *args: object) -> None:
        save(folder, *args)
        names.extend(load_file(folder / checkpoint.FILE))

    monkeypatch.setattr(checkpoint, "save", watched)
    train_tiny(tmp_path / "run", "optimiser.epochs=1")
    assert "model.logit_scale" in names
    assert not [name for name in names if "text_model" in name]


def test_the_cosine_schedule_falls_and_the_constant_one_stays(train_tiny, tmp_path: Path, monkeypatch):
    rates: dict[str, list[float]] = {"cosine": [], "constant": []}
    for schedule, seen in rates.items():
        step = torch.optim.AdamW.step

        def watched(self, *args: object, _seen=seen, _step=step, **options: object):
            _seen.append(self.param_groups[0]["lr"])
            return _step(self, *args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(torch.optim.AdamW, "step", watched)
            train_tiny(tmp_path / schedule, f"optimiser.schedule={schedule}", "audio.tower=functionals")
    assert rates["constant"] == [1e-3] * 6
    np.testing.assert_allclose(rates["cosine"], 5e-4 * (1 + np.cos(np.pi * np.arange(6) / 6)))


def test_a_bad_clip_is_reported_and_counted(train_tiny, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus).head(30)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    table.loc[3, "file"] = str(tmp_path / "silent.wav")
    table.to_csv(tmp_path / "odd.csv", index=False)
    seen: list[TrainingData] = []
    folder = train_tiny(
        tmp_path / "run", "audio.tower=functionals", corpus=tmp_path / "odd.csv", on_data=seen.append
    )
    assert [reject.fault for reject in seen[0].rejects] == ["AudioSilent"]
    assert json.loads((folder / "training.json").read_text())["rejected_clips"] == 1
    with pytest.raises(audio.AudioSilent, match=r"silent\.wav"):
        train_tiny(tmp_path / "strict", corpus=tmp_path / "odd.csv", strict=True)


def test_a_class_with_one_clip_and_half_of_the_labels_missing(train_tiny, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    table.loc[table.index % 2 == 1, "emotion"] = None
    table.loc[10, "emotion"] = "bored"
    table.to_csv(tmp_path / "odd.csv", index=False)
    folder = train_tiny(
        tmp_path / "run",
        "audio.tower=functionals",
        "objective.name=labels",
        "optimiser.sampling=balanced",
        corpus=tmp_path / "odd.csv",
    )
    losses = [row["loss"] for row in history.read(folder)]
    assert np.isfinite(losses).all()


def test_nothing_to_train_on_is_one_line(train_tiny, tiny_corpus: Path, tmp_path: Path):
    table = pd.read_csv(tiny_corpus)
    table["file"] = [str(tiny_corpus.parent / file) for file in table["file"]]
    table.assign(split="test").to_csv(tmp_path / "all-test.csv", index=False)
    with pytest.raises(CorpusError, match="0 clips are left to train on"):
        train_tiny(tmp_path / "run", corpus=tmp_path / "all-test.csv")


def test_several_corpora_are_trained_on_together(
    train_tiny, tiny_recipe, tiny_corpus: Path, feature_store: Path, tmp_path: Path
):
    from smoothclap.training.loop import train

    corpora = [load_corpus(f"table={tiny_corpus},name={name}") for name in ("one", "two")]
    folder = train(
        tiny_recipe("audio.tower=functionals"),
        corpora,
        tmp_path / "run",
        store=FeatureStore(feature_store),
        workers=1,
    )
    training = json.loads((folder / "training.json").read_text())
    assert [(corpus["name"], corpus["clips"] > 30) for corpus in training["corpora"]] == [
        ("one", True),
        ("two", True),
    ]
