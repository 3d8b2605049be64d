import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoFeatureExtractor, AutoModel, AutoProcessor, AutoTokenizer, pipeline

from smoothclap import SmoothCLAP, audio
from smoothclap.models import SmoothClapFeatureExtractor, SmoothClapModel, SmoothClapProcessor
from smoothclap.models.towers.frames import LogMelExtractor

RATE = 16_000


def noise(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate)).astype(np.float32)


@pytest.fixture
def extractor() -> SmoothClapFeatureExtractor:
    return SmoothClapFeatureExtractor()


def test_the_mask_of_audio_is_not_named_like_the_mask_of_text(extractor):
    made = extractor([noise(0.5), noise(1)], sampling_rate=RATE, return_tensors="pt")
    assert set(made) == {"input_features", "audio_attention_mask"}
    assert made["input_features"].shape == (2, 98, 64)
    assert made["audio_attention_mask"].sum(dim=1).tolist() == [48, 98]
    assert not made["input_features"][0, 48:].any()


def test_features_are_those_of_the_store(extractor):
    samples = noise(1)
    made = extractor(samples, sampling_rate=RATE, return_tensors="np")["input_features"]
    np.testing.assert_array_equal(made[0], extractor.extractor()(samples))
    assert isinstance(extractor.extractor(), LogMelExtractor)


def test_functionals_are_those_of_the_store_without_the_duration():
    pytest.importorskip("opensmile", reason="the extra [opensmile] is not installed")
    extractor = SmoothClapFeatureExtractor(kind="functionals")
    made = extractor([noise(0.5), noise(1)], sampling_rate=RATE, return_tensors="pt")
    assert set(made) == {"input_features"}
    np.testing.assert_array_equal(made["input_features"][1], extractor.extractor()(noise(1))[:88])


@pytest.mark.parametrize(
    "given",
    [noise(1), [noise(1)], noise(1)[None], noise(1).tolist(), noise(1).astype(np.float64)],
    ids=["array", "list of arrays", "batch", "list of numbers", "float64"],
)
def test_one_clip_comes_in_many_forms(extractor, given):
    made = extractor(given, sampling_rate=RATE, return_tensors="np")["input_features"]
    np.testing.assert_array_equal(made[0], extractor.extractor()(noise(1)))


def test_integer_samples_are_brought_to_full_scale(extractor):
    whole = np.round(noise(1) * 2**15).astype(np.int16)
    made = extractor(whole, sampling_rate=RATE, return_tensors="np")["input_features"]
    np.testing.assert_array_equal(made[0], extractor.extractor()(whole / np.float32(2**15)))


def test_other_rates_are_resampled_and_a_rate_must_be_said(extractor):
    made = extractor(noise(1, rate=44_100), sampling_rate=44_100, return_tensors="np")["input_features"]
    assert made.shape == (1, 98, 64)
    with pytest.raises(ValueError, match="sampling_rate is needed"):
        extractor(noise(1))
    with pytest.raises(audio.AudioRateError):
        extractor(noise(1), sampling_rate=4000)


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (np.zeros(RATE, np.float32), audio.AudioSilent),
        (np.full(RATE, np.nan, np.float32), audio.AudioNotFinite),
        (noise(0.01), audio.AudioTooShort),
    ],
)
def test_bad_sound_is_refused(extractor, samples: np.ndarray, fault: type[Exception]):
    with pytest.raises(fault):
        extractor([samples], sampling_rate=RATE)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'logmel' or 'functionals', not 'mfcc'"):
        SmoothClapFeatureExtractor(kind="mfcc")


@pytest.mark.parametrize("kind", ["logmel", "functionals"])
def test_save_and_load(tmp_path: Path, kind: str):
    SmoothClapFeatureExtractor(kind=kind, num_mel_bins=32).save_pretrained(tmp_path)
    loaded = SmoothClapFeatureExtractor.from_pretrained(tmp_path)
    assert (loaded.kind, loaded.num_mel_bins, loaded.sampling_rate) == (kind, 32, RATE)
    assert loaded.to_dict() == SmoothClapFeatureExtractor(kind=kind, num_mel_bins=32).to_dict()


def test_the_processor_survives_a_round_trip(tmp_path: Path, tiny_text: Path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_text)
    processor = SmoothClapProcessor(SmoothClapFeatureExtractor(num_mel_bins=32), tokenizer)
    processor.save_pretrained(tmp_path)
    loaded = SmoothClapProcessor.from_pretrained(tmp_path)
    assert loaded.feature_extractor.num_mel_bins == 32
    assert loaded.tokenizer("a sad voice") == tokenizer("a sad voice")


def test_text_and_audio_go_through_the_processor_into_the_model(tiny_model: Path):
    processor, model = AutoProcessor.from_pretrained(tiny_model), AutoModel.from_pretrained(tiny_model)
    inputs = processor(
        text=["sad", "very angry"],
        audio=[noise(1), noise(0.5)],
        sampling_rate=RATE,
        return_tensors="pt",
        padding=True,
    )
    with torch.inference_mode():
        output = model(**inputs)
    assert output.logits_per_audio.shape == (2, 2)
    clap = SmoothCLAP.from_pretrained(tiny_model)
    vectors = clap.encode_audio([(noise(1), RATE), (noise(0.5), RATE)])
    np.testing.assert_allclose(output.audio_embeds, vectors, atol=1e-5)
    np.testing.assert_allclose(output.text_embeds, clap.encode_text(["sad", "very angry"]), atol=1e-5)


def test_the_auto_classes_read_a_model_directory(tiny_model: Path):
    assert isinstance(AutoModel.from_pretrained(tiny_model), SmoothClapModel)
    assert isinstance(AutoProcessor.from_pretrained(tiny_model), SmoothClapProcessor)
    assert isinstance(AutoFeatureExtractor.from_pretrained(tiny_model), SmoothClapFeatureExtractor)
    assert AutoFeatureExtractor.from_pretrained(tiny_model).kind == tiny_model.name
    assert AutoTokenizer.from_pretrained(tiny_model)("sad")["input_ids"]
    assert json.loads((tiny_model / "config.json").read_text())["model_type"] == "smoothclap"


@pytest.mark.parametrize("parts", ["directory alone", "objects"])
def test_transformers_own_pipeline_gives_the_same_answer(tiny_model: Path, parts: str):
    if parts == "objects":
        pipe = pipeline(
            "zero-shot-audio-classification",
            model=AutoModel.from_pretrained(tiny_model),
            feature_extractor=AutoFeatureExtractor.from_pretrained(tiny_model),
            tokenizer=AutoTokenizer.from_pretrained(tiny_model),
        )
    else:
        pipe = pipeline("zero-shot-audio-classification", model=str(tiny_model))
    labels = ["sad", "angry", "neutral"]
    answer = pipe(noise(1), candidate_labels=labels, hypothesis_template="a {} voice")
    ours = SmoothCLAP.from_pretrained(tiny_model).classify((noise(1), RATE), labels, template="a {} voice")
    assert [part["label"] for part in answer] == list(ours)
    np.testing.assert_allclose([part["score"] for part in answer], list(ours.values()), atol=1e-4)
