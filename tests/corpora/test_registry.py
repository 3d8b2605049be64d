import pytest

from smoothclap.corpora import CORPORA, CorpusError, load_corpus
from smoothclap.corpora.emotions import EMOTIONS
from smoothclap.corpora.schema import attached_problems


def test_official_counts_add_up():
    for corpus in CORPORA.values():
        if corpus.official:
            assert sum(corpus.official.emotions.values()) == corpus.official.clips, corpus.name
            assert set(corpus.official.emotions) <= set(EMOTIONS), corpus.name


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("emodb", "NAME=PATH, for example emodb="),
        ("emodb=", "NAME=PATH"),
        ("EmoDB=/x", r"did you mean emodb=/x\?"),
        ("urdu=/x", r"known here \(.*emodb.*\); for your own, table=PATH,name=urdu"),
        ("emodb=/no/such", "/no/such: not found"),
        ("table=/no.csv,fil=path", r"'fil=' is no option of table; did you mean file=\?"),
        ("table=/no.csv,file=path,emotin=x", r"'emotin=' is no option; did you mean emotion=\?"),
        ("table=/no.csv,file=", "file= is empty"),
        ("table=/no.csv,file=a,file=b", "file= is given twice"),
    ],
)
def test_specs_that_are_none(spec, message):
    with pytest.raises(CorpusError, match=message) as caught:
        load_corpus(spec)
    assert "\n" not in str(caught.value)


def test_a_path_may_hold_commas_and_equals_signs(tmp_path):
    folder = tmp_path / "a,b=c,emotion"
    folder.mkdir()
    (folder / "mine.csv").write_text("path,emotion\na.wav,sad\n")
    loaded = load_corpus(f"table={folder / 'mine.csv'},file=path")
    assert (loaded.name, loaded.path) == ("mine", folder / "mine.csv")
    (folder / "03a01Fa.wav").touch()
    assert len(load_corpus(f"emodb={folder}").table) == 1


@pytest.mark.parametrize(
    ("name", "clips", "speakers", "share"),
    [
        ("emodb", 535, 10, 1),
        ("emovo", 588, 6, 1),
        ("ravdess", 720, 12, 2),
        ("tess", 700, 2, 4),
    ],
)
def test_real_corpora_have_their_official_counts(corpora, name, clips, speakers, share):
    loaded = load_corpus(f"{name}={corpora / name}")
    official = loaded.corpus.official
    assert len(loaded.table) == clips
    assert loaded.table["speaker"].nunique() == speakers
    counts = loaded.table["emotion"].value_counts().to_dict()
    assert counts == {emotion: count // share for emotion, count in official.emotions.items()}
    assert loaded.table[["gender", "transcript", "language"]].notna().all(axis=None)
    assert attached_problems(loaded.table) == []


def test_the_part_of_nemo(corpora):
    loaded = load_corpus(f"nemo={corpora / 'nemo'}")
    assert (len(loaded.table), loaded.table["speaker"].nunique()) == (1788, 9)
    assert loaded.table[["gender", "transcript", "age"]].notna().all(axis=None)
    assert attached_problems(loaded.table) == []


def test_a_real_table(corpora):
    path = corpora / "urdu" / "table.csv"
    loaded = load_corpus(f"table={path},file=path,speaker=talker,emotion=feeling,language=ur,name=urdu")
    assert (loaded.name, len(loaded.table), loaded.table["speaker"].nunique()) == ("urdu", 400, 29)
    assert loaded.table["emotion"].value_counts().to_dict() == dict.fromkeys(
        ["angry", "happy", "neutral", "sad"], 100
    )


@pytest.mark.parametrize(("name", "other"), [("emodb", "tess"), ("ravdess", "."), ("nemo", "crema-d-votes")])
def test_another_corpus_is_refused(corpora, name, other):
    with pytest.raises(CorpusError, match=r"expected .*, for example .*; found"):
        load_corpus(f"{name}={corpora / other}")
