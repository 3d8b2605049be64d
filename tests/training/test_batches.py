from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from smoothclap.corpora import load_corpus
from smoothclap.store import FeatureStore
from smoothclap.training.batches import Batches, build_batches, pad
from smoothclap.training.build import build_model
from smoothclap.training.data import TrainingData, prepare


def test_padding_is_masked():
    clips = [torch.ones(3, 2), torch.ones(5, 2), torch.ones(1, 2)]
    batch, mask = pad(clips)
    assert batch.shape == (3, 5, 2)
    assert mask.sum(dim=1).tolist() == [3, 5, 1]
    assert torch.equal(batch[..., 0] == 1, mask)


@pytest.fixture(scope="module")
def data(tiny_recipe, tiny_corpus: Path, feature_store: Path) -> TrainingData:
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    _, processor = build_model(tiny_recipe())
    extractor = processor.feature_extractor.extractor()
    corpora = [load_corpus(f"table={tiny_corpus}")]
    return prepare(corpora, FeatureStore(feature_store), extractor, validation_share=0.25, workers=1)


@pytest.fixture
def make(tiny_recipe, data: TrainingData, feature_store: Path) -> Callable[..., Batches]:
    """Batches as the loop makes them."""

    def build(*overrides: str, data: TrainingData = data) -> Batches:
        recipe = tiny_recipe(*overrides)
        model, processor = build_model(recipe)
        return build_batches(recipe, data, model, processor, FeatureStore(feature_store))

    return build


def same(left: object, right: object) -> bool:
    """Whether two batches hold the same bits."""
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, tuple):
        return all(same(a, b) for a, b in zip(left, right, strict=True))
    if hasattr(left, "__dataclass_fields__"):
        return all(same(getattr(left, name), getattr(right, name)) for name in left.__dataclass_fields__)
    return left == right


def test_a_batch_is_a_function_of_seed_and_step(make):
    batches, again = make(), make()
    assert same(batches.make(4), again.make(4)) and same(batches.make(1), again.make(1))  # noqa: PT018
    assert not same(batches.make(4), batches.make(5))
    assert not same(batches.make(4), make("seed=1").make(4))


def test_shuffled_every_clip_comes_at_most_once_an_epoch_in_another_order(make, data: TrainingData):
    batches = make()
    assert batches.steps_per_epoch == len(data.train) // 16
    epochs = []
    for epoch in range(2):
        steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
        epochs.append(np.concatenate([batches.rows(step) for step in steps]).tolist())
        assert len(set(epochs[-1])) == 16 * batches.steps_per_epoch
        assert set(epochs[-1]) <= set(data.train.tolist())
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("sampling", ["shuffled", "balanced"])
def test_held_out_speakers_are_in_no_batch(make, data: TrainingData, sampling: str):
    batches = make(f"optimiser.sampling={sampling}")
    seen = set(np.concatenate([batches.rows(step) for step in range(40)]).tolist())
    assert seen == set(data.train.tolist())


def test_balanced_draws_emotions_equally_often(make, data: TrainingData):
    """A ninth of one emotion is left: it is heard as often as the others."""
    rare = [row for row in data.train if data.emotions[data.labels[row]] == "sad"]
    few = replace(data, train=np.setdiff1d(data.train, rare[2:]))
    batches = make("optimiser.sampling=balanced", "optimiser.batch_size=6", data=few)
    drawn = Counter(data.labels[np.concatenate([batches.rows(step) for step in range(300)])].tolist())
    total = sum(drawn.values())
    assert all(count / total == pytest.approx(1 / 3, abs=0.03) for count in drawn.values())


def test_a_set_smaller_than_a_batch_is_one_batch(make, data: TrainingData):
    batches = make("optimiser.batch_size=500")
    assert batches.steps_per_epoch == 1
    assert sorted(batches.rows(3)) == sorted(data.train)
    assert batches.make(0).text.shape[0] == len(data.train)


def test_clips_are_cropped_only_where_that_is_asked_for(make):
    plain = make("audio.augment=false").make(0)
    assert plain.input_features.shape == (16, 80, 64)
    assert plain.audio_mask.all()
    whole = make("audio.augment=false", "audio.crop_seconds=5").make(0)
    assert whole.input_features.shape == (16, 98, 64)
    assert len(set(make("audio.augment=true").make(0).audio_mask.sum(dim=1).tolist())) > 4


def test_the_functionals_tower_gets_raw_functionals(make, data: TrainingData):
    batches = make("audio.tower=functionals")
    batch = batches.make(0)
    np.testing.assert_array_equal(batch.input_features, data.functionals[batches.rows(0)])
    assert batch.audio_mask is None


def test_local_features_are_standardised_on_the_training_clips(make, data: TrainingData):
    local = make().local_audio
    moved = np.ptp(data.functionals[data.train], axis=0) > 0
    np.testing.assert_allclose(local[data.train].mean(0), 0, atol=2e-4)
    np.testing.assert_allclose(local[data.train].std(0, correction=0)[moved], 1, atol=2e-3)
    wild = data.functionals.copy()
    wild[data.validation] *= 1000
    assert torch.equal(make(data=replace(data, functionals=wild)).local_audio[data.train], local[data.train])


def test_tag_features_are_centred_on_the_training_clips(make, data: TrainingData):
    batches = make()
    tags = batches.bank.pooled([batches.tag_texts[row] for row in data.train]) - batches.tag_mean
    np.testing.assert_allclose(tags.mean(0), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("objective", "present"),
    [
        ("clap", set()),
        ("smoothclap", {"local_audio", "tag_text"}),
        ("labels", {"labels"}),
        ("label_smoothing", set()),
    ],
)
def test_a_batch_holds_what_the_objective_needs_and_no_more(make, objective: str, present: set[str]):
    targets = make(f"objective.name={objective}").make(0).targets
    assert {
        name for name in ("local_audio", "tag_text", "labels") if getattr(targets, name) is not None
    } == present


def test_targets_belong_to_the_clips_of_the_batch(make, data: TrainingData):
    batches = make("objective.name=labels")
    assert batches.make(3).targets.labels.tolist() == data.labels[batches.rows(3)].tolist()
    batches = make("objective.name=smoothclap")
    assert torch.equal(batches.make(3).targets.local_audio, batches.local_audio[batches.rows(3)])


def test_captions_belong_to_the_clips_of_the_batch(make, data: TrainingData):
    batches = make("captions.styles=[emotion]")
    text = batches.make(2).text
    for row, features in zip(batches.rows(2), text, strict=True):
        emotion = data.emotions[data.labels[row]]
        number = batches.bank.number[f"emotion is {emotion}"]
        assert torch.equal(features, batches.bank.pooled([number])[0])


def test_duplicate_captions_are_counted(make):
    assert make("captions.styles=[emotion]").make(0).duplicate_captions == 16 - 3


def test_every_style_and_wording_is_drawn(make):
    batches = make()
    drawn = set()
    for step in range(150):
        drawn |= {tuple(row) for row in batches.make(step).text[:, :4].tolist()}
    train = batches.data.train
    possible = {number for row in train for style in batches.captions[row] for number in style}
    assert len(drawn) == len(possible)


def test_a_trained_text_tower_gets_tokens(make):
    batch = make("text.train=true").make(0)
    assert batch.text is None
    ids, mask = batch.tokens
    assert ids.shape == mask.shape
    assert len(ids) == 16
