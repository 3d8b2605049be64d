import pytest

from smoothclap.corpora import CorpusError, ravdess
from smoothclap.corpora.schema import attached_problems


@pytest.mark.parametrize("top", ["", "Audio_Speech_Actors_01-24/"])
def test_labels_are_in_the_names(tree, top):
    table = ravdess.read(
        tree(f"{top}Actor_01/03-01-06-02-02-01-01.wav", f"{top}Actor_02/03-01-02-01-01-02-02.flac")
    )
    assert table["speaker"].tolist() == ["ravdess/01", "ravdess/02"]
    assert table["gender"].tolist() == ["male", "female"]
    assert table["emotion"].tolist() == ["fearful", "calm"]
    assert table["intensity"].tolist() == ["strong", "normal"]
    assert table["transcript"].tolist() == ["Dogs are sitting by the door.", "Kids are talking by the door."]
    assert set(table["language"]) == {"en"}


def test_song_and_video_are_passed_over_and_told(tree):
    table = ravdess.read(
        tree("a/03-01-01-01-01-01-01.wav", "a/03-02-01-01-01-01-01.wav", "a/01-01-01-01-01-01-01.wav")
    )
    assert len(table) == 1
    (problem,) = attached_problems(table)
    assert problem.kind == "not speech"
    assert len(problem.files) == 2


def test_song_alone_is_refused(tree):
    with pytest.raises(CorpusError, match="song or video only"):
        ravdess.read(tree("a/03-02-01-01-01-01-01.wav"))


def test_an_unknown_emotion_code_passes_through(tree):
    assert ravdess.read(tree("a/03-01-09-01-01-01-01.wav"))["emotion"].tolist() == ["09"]
