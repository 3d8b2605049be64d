import pytest

from smoothclap.corpora import CorpusError
from smoothclap.corpora.folder import named_files, require


def find(folder):
    return named_files(folder, r"[ab]\d", title="AB", layout="a/a1.wav")


def test_sound_files_of_the_pattern_in_order(tree):
    folder = tree("b/b1.WAV", "a/a1.flac", "notes.txt", "__MACOSX/a/._a1.flac", "a/.a2.wav")
    files, names, problems = find(folder)
    assert [file.name for file in files] == ["a1.flac", "b1.WAV"]
    assert [match[0] for match in names] == ["a1", "b1"]
    assert problems == []


def test_a_few_strangers_are_told(tree):
    files, _, problems = find(tree("a1.wav", "a2.wav", "song.wav"))
    assert len(files) == 2
    assert [(problem.kind, len(problem.files)) for problem in problems] == [("unknown name", 1)]


def test_another_corpus_is_refused_in_one_line(tree):
    folder = tree("x/03a01Fa.wav", "a1.wav")
    with pytest.raises(CorpusError) as caught:
        find(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    assert "AB, for example a/a1.wav" in message
    assert "2 sound files, 1 of them so named, such as x/03a01Fa.wav" in message


@pytest.mark.parametrize(
    ("names", "found"), [((), "an empty folder"), (("a.txt",), "no WAV or FLAC file but a.txt")]
)
def test_no_sound_is_refused(tree, tmp_path, names, found):
    folder = tree(*names)
    folder.mkdir(exist_ok=True)
    with pytest.raises(CorpusError, match=found):
        find(folder)


def test_a_file_is_refused(tree):
    with pytest.raises(CorpusError, match="is a file, not a folder"):
        find(tree("a.zip") / "a.zip")


def test_a_missing_path_names_its_nearest_neighbour(tmp_path):
    (tmp_path / "emodb").mkdir()
    with pytest.raises(CorpusError, match=rf"emodbb: not found; did you mean {tmp_path / 'emodb'}\?"):
        require(tmp_path / "emodbb")
    with pytest.raises(CorpusError, match="holds nothing of a similar name"):
        require(tmp_path / "speech" / "deep")
