import pytest

from smoothclap.corpora import CorpusError, nemo
from smoothclap.corpora.schema import attached_problems

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"


@pytest.fixture
def folder(tree):
    folder = tree("samples/EB0_anger_1.wav", "samples/WR0_surprised_64.wav")
    rows = [
        HEADER,
        "WR0_surprised_64.wav\tsurprised\tUcho.\tucho\t        WR0\tmale\t23",
        "EB0_anger_1.wav\tanger\tInteresuje mnie.\tinteresuje\t        EB0\tfemale\t27",
        "EB0_fear_2.wav\tfear\tNie ma.\tnie ma\t        EB0\tfemale\t27",
    ]
    (folder / "data.tsv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def test_rows_without_audio_are_normal(folder):
    table = nemo.read(folder)
    assert table["speaker"].tolist() == ["nemo/EB0", "nemo/WR0"]
    assert table["gender"].tolist() == ["female", "male"]
    assert table["emotion"].tolist() == ["angry", "surprised"]
    assert table["transcript"].tolist() == ["Interesuje mnie.", "Ucho."]
    assert table["age"].tolist() == [27, 23]
    assert attached_problems(table) == []


def test_audio_without_a_row_and_contrary_labels_are_told(folder):
    (folder / "samples/EB0_neutral_9.wav").touch()
    tsv = folder / "data.tsv"
    tsv.write_text(tsv.read_text(encoding="utf-8").replace("\tanger\t", "\tfear\t"), encoding="utf-8")
    table = nemo.read(folder)
    assert len(table) == 3
    assert [problem.kind for problem in attached_problems(table)] == ["not in data.tsv", "contrary label"]
    assert attached_problems(table)[1].files == (str(folder / "samples/EB0_anger_1.wav"),)


def test_without_data_tsv_it_is_refused(folder):
    (folder / "data.tsv").unlink()
    with pytest.raises(CorpusError, match=r"nEMO's data\.tsv is missing"):
        nemo.read(folder)


def test_every_row_is_official(corpora):
    rows = nemo.labels(corpora / "nemo")
    counts = rows["emotion"].map(nemo.EMOTIONS).value_counts().to_dict()
    assert counts == dict(nemo.CORPUS.official.emotions)
    assert len(rows) == nemo.CORPUS.official.clips
