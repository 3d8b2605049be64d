from pathlib import Path

import pytest
import torch

from smoothclap.store import FeatureStore
from smoothclap.training.build import build_model
from smoothclap.training.texts import TextBank

TEXTS = ["emotion is sad", "a low voice", "speaker is loud and speaks long", "b", "emotion is sad"]


@pytest.fixture(scope="module")
def built(tiny_recipe):
    model, processor = build_model(tiny_recipe())
    return model.eval(), processor


def embed(built, text: str) -> torch.Tensor:
    model, processor = built
    tokens = processor.tokenizer([text], return_tensors="pt")
    with torch.inference_mode():
        return model.pool_text(tokens["input_ids"], tokens["attention_mask"])[0]


def test_equal_texts_share_a_number(built, tmp_path: Path):
    model, processor = built
    bank = TextBank(TEXTS, processor, model, FeatureStore(tmp_path))
    assert [bank.number[text] for text in TEXTS] == [0, 1, 2, 3, 0]


def test_features_of_a_frozen_tower_are_those_of_each_text_alone(built, tmp_path: Path):
    model, processor = built
    bank = TextBank(TEXTS, processor, model, FeatureStore(tmp_path))
    for row, text in zip(bank.pooled([2, 0, 3, 2]), [TEXTS[2], TEXTS[0], TEXTS[3], TEXTS[2]], strict=True):
        torch.testing.assert_close(row, embed(built, text), atol=1e-6, rtol=0)


def test_features_do_not_depend_on_what_the_store_held_before(built, tmp_path: Path):
    """Not in a single bit: else two runs of one seed would differ."""
    model, processor = built
    texts = [f"{a} voice {b}" for a in ("low", "high", "a very loud") for b in ("sad", "angry", "a", "of joy")]
    fresh = TextBank(texts, processor, model, FeatureStore(tmp_path / "fresh"))
    TextBank(texts[1::2], processor, model, FeatureStore(tmp_path / "used"))
    used = TextBank(texts, processor, model, FeatureStore(tmp_path / "used"))
    numbers = list(range(len(texts)))
    assert torch.equal(fresh.pooled(numbers), used.pooled(numbers))


def test_a_second_bank_encodes_nothing(built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model, processor = built
    first = TextBank(TEXTS, processor, model, FeatureStore(tmp_path))
    monkeypatch.setattr(model, "pool_text", lambda *_: pytest.fail("a text was encoded again"))
    again = TextBank(TEXTS[:3], processor, model, FeatureStore(tmp_path))
    assert torch.equal(again.pooled([0, 1, 2]), first.pooled([0, 1, 2]))


def test_another_tower_finds_nothing_of_the_first(built, tmp_path: Path):
    model, processor = built
    first = TextBank(TEXTS, processor, model, FeatureStore(tmp_path)).pooled([0])
    with torch.no_grad():
        weight = model.text_model.embeddings.word_embeddings.weight
        before = weight.clone()
        weight += torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
        other = TextBank(TEXTS, processor, model, FeatureStore(tmp_path)).pooled([0])
        weight.copy_(before)
    assert not torch.equal(first, other)
    model.config.text_pooling = "cls"
    cls = TextBank(TEXTS, processor, model, FeatureStore(tmp_path)).pooled([0])
    model.config.text_pooling = "mean"
    assert not torch.equal(first, cls)


def test_features_of_a_trained_tower_follow_its_weights(tiny_recipe):
    model, processor = build_model(tiny_recipe("text.train=true"))
    bank = TextBank(TEXTS, processor, model.eval(), None)
    before = bank.pooled([0, 1])
    with torch.no_grad():
        model.text_model.embeddings.word_embeddings.weight.mul_(2)
    assert not torch.equal(before, bank.pooled([0, 1]))
    assert not bank.pooled([0]).requires_grad


def test_tokens_are_padded_with_a_mask(built, tmp_path: Path):
    model, processor = built
    bank = TextBank(TEXTS, processor, model, FeatureStore(tmp_path))
    ids, mask = bank.tokens([3, 2])
    assert ids.shape == mask.shape
    assert mask[0].sum() < mask[1].sum() == ids.shape[1]
