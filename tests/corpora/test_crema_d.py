import pytest

from smoothclap.corpora import CorpusError, crema_d
from smoothclap.corpora.schema import attached_problems


@pytest.fixture
def folder(tree):
    folder = tree("AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1040_ITH_SAD_X.wav")
    rows = ['"ActorID","Age","Sex"', '1001,51,"Male"', '1002,21,"Female"']
    (folder / "VideoDemographics.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.parametrize("given", [".", "AudioWAV"])
def test_names_and_demographics(folder, given):
    table = crema_d.read(folder / given)
    assert table["speaker"].tolist() == ["crema-d/1001", "crema-d/1002", "crema-d/1040"]
    assert table["gender"].fillna("").tolist() == ["male", "female", ""]
    assert table["emotion"].tolist() == ["angry", "happy", "sad"]
    assert table["intensity"].tolist() == ["unspecified", "low", "unspecified"]
    assert table["transcript"].tolist()[0] == "Don't forget a jacket."


def test_without_demographics_gender_is_unknown_and_told(folder):
    (folder / "VideoDemographics.csv").unlink()
    table = crema_d.read(folder)
    assert table["gender"].isna().all()
    assert [problem.kind for problem in attached_problems(table)] == ["no gender"]


def test_demographics_without_the_columns_are_refused(folder):
    (folder / "VideoDemographics.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CorpusError, match=r"VideoDemographics.csv: has no columns ActorID and Sex"):
        crema_d.read(folder)


def test_the_shipped_demographics_are_understood(corpora):
    genders = crema_d.genders(corpora / "crema-d-votes")
    assert len(genders) == 91
    assert set(genders.values()) == {"female", "male"}
