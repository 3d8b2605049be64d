import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from smoothclap import SmoothCLAP, audio
from smoothclap.corpora.schema import clip_index
from smoothclap.inference import WINDOW_FRAMES, LabelError
from smoothclap.models.modeling_smoothclap import CheckpointError
from smoothclap.store import FeatureStore

RATE = 16_000
LABELS = ["angry", "neutral", "sad"]


@pytest.fixture(scope="module")
def clap(tiny_model: Path) -> SmoothCLAP:
    return SmoothCLAP.from_pretrained(tiny_model)


@pytest.fixture(scope="session")
def files(tiny_corpus: Path) -> list[Path]:
    return sorted(tiny_corpus.parent.glob("*.wav"))[::6]


def samples(file: Path) -> np.ndarray:
    return soundfile.read(file, dtype="float32")[0]


def test_embeddings_are_float32_of_unit_norm(clap: SmoothCLAP, files: list[Path]):
    vectors = clap.encode_audio(files)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(files), 12)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert len(np.unique(vectors, axis=0)) == len(files)
    words = clap.encode_text(LABELS)
    assert (words.dtype, words.shape) == (np.float32, (3, 12))
    np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, rtol=1e-5)


def test_alone_in_a_list_and_twice_are_the_same_bits(clap: SmoothCLAP, files: list[Path]):
    together = clap.encode_audio(files)
    np.testing.assert_array_equal(together, clap.encode_audio(files))
    np.testing.assert_array_equal(together[::-1], clap.encode_audio(files[::-1]))
    for row, file in enumerate(files[:3]):
        np.testing.assert_array_equal(clap.encode_audio(file), together[row : row + 1])
    words = clap.encode_text(LABELS)
    np.testing.assert_array_equal(words[1:2], clap.encode_text("neutral"))
    np.testing.assert_array_equal(words[::-1], clap.encode_text(LABELS[::-1]))


def test_a_table_of_clips_gives_the_same_bits_as_their_files(
    clap: SmoothCLAP, files: list[Path], tmp_path: Path
):
    """Computed in worker processes, then read from the store."""
    bad = tmp_path / "empty.wav"
    bad.write_bytes(b"")
    index = clip_index([*files[:9], bad])
    for workers in (2, 1):
        found = clap.encode_clips(index, FeatureStore(tmp_path / "store"), workers=workers)
        np.testing.assert_array_equal(found.vectors, clap.encode_audio(files[:9]))
        assert found.keep.tolist() == [True] * 9 + [False]
        assert [reject.fault for reject in found.rejects] == ["AudioEmpty"]
        assert found.index.equals(index[:-1])
        assert found.digests == [audio.digest(file) for file in files[:9]]
    with pytest.raises(audio.AudioEmpty, match=r"empty\.wav"):
        clap.encode_clips(index, FeatureStore(tmp_path / "store"), workers=1, strict=True)


@pytest.mark.parametrize("form", ["str", "bytes", "file object", "array", "dict", "int16", "path dict"])
def test_every_form_of_a_recording_gives_the_same_bits(clap: SmoothCLAP, files: list[Path], form: str):
    file = files[4]
    wave = samples(file)
    source = {
        "str": str(file),
        "bytes": file.read_bytes(),
        "file object": io.BytesIO(file.read_bytes()),
        "array": (wave, RATE),
        "dict": {"array": wave.astype(np.float64), "sampling_rate": RATE},
        "int16": (np.round(wave * 2**15).astype(np.int16), RATE),
        "path dict": {"path": str(file), "bytes": None},
    }[form]
    np.testing.assert_array_equal(clap.encode_audio(source), clap.encode_audio(file))


def test_nothing_gives_no_rows(clap: SmoothCLAP):
    assert clap.encode_audio([]).shape == (0, 12)
    assert clap.encode_text([]).shape == (0, 12)
    assert clap.classify([], LABELS) == []


def test_similarity_is_the_cosine(clap: SmoothCLAP, files: list[Path]):
    vectors, words = clap.encode_audio(files[:2]), clap.encode_text(LABELS)
    cosine = clap.similarity(vectors, words)
    assert cosine.shape == (2, 3)
    np.testing.assert_allclose(cosine[1, 2], vectors[1] @ words[2], rtol=1e-5)
    np.testing.assert_allclose(np.diag(clap.similarity(words, words)), 1, rtol=1e-5)


def test_probabilities_sum_to_one_likeliest_first(clap: SmoothCLAP, files: list[Path]):
    answer = clap.classify(files[0], LABELS)
    assert set(answer) == set(LABELS)
    assert sum(answer.values()) == pytest.approx(1)
    assert list(answer.values()) == sorted(answer.values(), reverse=True)
    cosines = clap.similarity(clap.encode_audio(files[0]), clap.encode_text(list(answer)))[0]
    logits = clap.logit_scale * cosines
    np.testing.assert_allclose(list(answer.values()), np.exp(logits) / np.exp(logits).sum(), rtol=1e-4)


def test_a_list_for_a_list(clap: SmoothCLAP, files: list[Path]):
    answers = clap.classify(files[:3], LABELS)
    assert answers == [clap.classify(file, LABELS) for file in files[:3]]
    assert clap.classify(files[:1], LABELS) == [clap.classify(files[0], LABELS)]
    assert clap.classify(files[0], ["sad"]) == {"sad": 1.0}


def test_labels_are_trimmed_and_put_into_the_template(clap: SmoothCLAP, files: list[Path]):
    plain = clap.classify(files[0], LABELS)
    assert clap.classify(files[0], [" angry", "neutral ", "\tsad"]) == plain
    assert clap.classify(files[0], LABELS, template="a person who is {} speaks") != plain


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "at least one label"),
        (["sad", " "], "label 2 is empty"),
        (["sad", "angry", " sad "], "'sad' is given twice"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_one_line(
    clap: SmoothCLAP, files: list[Path], labels, message: str
):
    with pytest.raises(LabelError, match=message) as caught:
        clap.classify(files[0], labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("template", ["a voice", "{} and {}", "{label}"])
def test_a_template_needs_one_place_for_the_label(clap: SmoothCLAP, files: list[Path], template: str):
    with pytest.raises(LabelError, match="needs exactly one"):
        clap.classify(files[0], LABELS, template=template)


def test_bad_sound_is_the_error_of_the_front_door(clap: SmoothCLAP, tmp_path: Path):
    with pytest.raises(audio.AudioNotFound, match=r"gone\.wav"):
        clap.classify(tmp_path / "gone.wav", LABELS)
    with pytest.raises(audio.AudioSilent):
        clap.encode_audio((np.zeros(RATE, np.float32), RATE))


def test_a_long_clip_is_the_mean_of_windows_that_cover_it(tiny_model: Path, files: list[Path]):
    clap = SmoothCLAP.from_pretrained(tiny_model)
    long = np.concatenate([samples(file) for file in files])[: 12 * RATE]
    vector = clap.encode_audio((long, RATE))
    assert vector.shape == (1, 12)
    assert np.linalg.norm(vector) == pytest.approx(1, rel=1e-5)
    if tiny_model.name == "functionals":
        return
    frames = clap.processor.feature_extractor.extractor()(long)
    assert len(frames) == 1198
    # Frames of 10 ms: a sound of 80 (n - 1) + 400 samples has n of them.
    parts = [
        clap.encode_audio((long[first * 160 : (first + WINDOW_FRAMES - 1) * 160 + 400], RATE))[0]
        for first in (0, 500, 698)
    ]
    mean = np.mean(parts, axis=0)
    np.testing.assert_allclose(vector[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_what_the_model_says_of_itself(clap: SmoothCLAP, tiny_model: Path):
    assert clap.name == tiny_model.name
    assert clap.directory == tiny_model
    assert 0 < clap.logit_scale <= 100
    assert clap.training["corpora"][0]["name"] == "tiny"
    assert not clap.model.training


def failure(directory: object) -> str:
    with pytest.raises(CheckpointError) as caught:
        SmoothCLAP.from_pretrained(directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_model_given_says_how_to_train_one():
    assert "smoothclap train recipes/offline.yaml -o DIR" in failure(None)


@pytest.mark.parametrize("name", ["gone", "runs/gone", "./gone", "a/b/gone"])
def test_an_absent_directory_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert f"{name}: " in failure(name)
    assert str(tmp_path / name) in failure(tmp_path / name)


def test_a_directory_of_something_else_is_one_line(tmp_path: Path, tiny_text: Path):
    assert "not a model directory (no config.json)" in failure(tmp_path)
    assert str(tiny_text) in failure(tiny_text)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.safetensors", "half"),
        ("model.safetensors", "gone"),
        ("config.json", "half"),
        ("tokenizer.json", "half"),
        ("tokenizer.json", "gone"),
        ("training.json", "half"),
    ],
)
def test_a_damaged_model_directory_is_one_line(tiny_model: Path, tmp_path: Path, name: str, damage: str):
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    if damage == "gone":
        (folder / name).unlink()
        (folder / "tokenizer_config.json").unlink(missing_ok=name.startswith("tokenizer"))
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[: (folder / name).stat().st_size // 2])
    assert str(folder) in failure(folder)
