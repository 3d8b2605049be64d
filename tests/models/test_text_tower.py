import hashlib

import pytest

from smoothclap.models.towers import text


def test_names_other_than_minilm_pass_through():
    assert text.locate("bert-base-uncased") == "bert-base-uncased"


def test_minilm_is_found_and_is_the_official_one():
    folder = text.locate("minilm")
    with open(f"{folder}/model.safetensors", "rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == text.MINILM_SHA256


def test_other_weights_under_its_name_are_refused(monkeypatch):
    monkeypatch.setattr(text, "MINILM_SHA256", "0" * 64)
    with pytest.raises(text.TextTowerError, match="not the official"):
        text.locate("minilm")


def test_without_the_package_the_hub_name_is_used(monkeypatch):
    monkeypatch.setattr(text, "MINILM_PACKAGE", "no-such-package-here")
    assert text.locate("minilm") == text.MINILM_HUB
