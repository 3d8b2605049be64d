import audformat
import pandas as pd
import pytest

from smoothclap.corpora import CorpusError, load_corpus, table

FILES = ["wav/a.wav", "wav/b.wav"]


@pytest.fixture
def folder(tmp_path):
    """As audEERING's emodb: labels by file, the speaker's gender in a misc table, segments with arousal."""
    database = audformat.Database("tiny")
    database.splits["test"] = audformat.Split("test")
    genders = audformat.MiscTable(pd.Index([3, 8], name="speaker"))
    database.schemes["gender"] = audformat.Scheme(labels=["female", "male"])
    database.schemes["language"] = audformat.Scheme("str")
    database["speaker"] = genders
    genders["gender"] = audformat.Column(scheme_id="gender")
    genders["gender"].set(["male", "female"])
    genders["language"] = audformat.Column(scheme_id="language")
    genders["language"].set(["deu", "deu"])
    database.schemes["speaker"] = audformat.Scheme("int", labels="speaker")
    database.schemes["emotion"] = audformat.Scheme(labels=["anger", "sadness"])
    database.schemes["transcription"] = audformat.Scheme(labels={"a01": "Der Lappen liegt."})
    index = audformat.filewise_index(FILES)
    database["files"] = audformat.Table(index, split_id="test")
    database["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    database["files"]["speaker"].set([3, 8])
    database["files"]["transcription"] = audformat.Column(scheme_id="transcription")
    database["files"]["transcription"].set(["a01", "a01"])
    database["emotion"] = audformat.Table(index)
    database["emotion"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["emotion"]["emotion"].set(["anger", "sadness"])
    segments = audformat.segmented_index(["wav/a.wav", "wav/a.wav"], ["0s", "1s"], ["1s", "2s"])
    database["parts"] = audformat.Table(segments)
    database["parts"]["level"] = audformat.Column()
    database["parts"]["level"].set([0.5, 1.0])
    database.save(str(tmp_path / "tiny"))
    return tmp_path / "tiny"


def test_standard_columns_are_found_in_whichever_table(folder):
    loaded = load_corpus(f"table={folder}")
    assert loaded.name == "tiny"
    assert loaded.table.index.get_level_values("file").tolist() == [str(folder / file) for file in FILES]
    assert loaded.table["emotion"].tolist() == ["angry", "sad"]
    assert loaded.table["speaker"].tolist() == ["tiny/3", "tiny/8"]
    assert loaded.table["gender"].tolist() == ["male", "female"]
    assert loaded.table["language"].tolist() == ["de", "de"]
    assert loaded.table["transcript"].tolist() == ["Der Lappen liegt."] * 2
    assert loaded.table["split"].tolist() == ["test", "test"]


def test_the_header_may_be_named_instead(folder):
    (folder / "db.yaml").rename(folder / "header.yaml")
    for file in folder.glob("db.*"):
        file.rename(file.with_name(file.name.replace("db.", "header.")))
    loaded = load_corpus(f"table={folder / 'header.yaml'}")
    assert (loaded.name, len(loaded.table)) == ("tiny", 2)


def test_segments_take_what_is_said_of_their_file(folder):
    read = table.read(folder, name="tiny", arousal="parts.level", emotion="emotion.emotion", language="it")
    assert read["arousal"].fillna(-1).tolist() == [0.5, 1.0, -1]
    assert read["speaker"].tolist() == ["tiny/3", "tiny/3", "tiny/8"]
    assert read["emotion"].tolist() == ["angry", "angry", "sad"]
    assert [end.total_seconds() for _, _, end in read.index[:2]] == [1, 2]
    assert pd.isna(read.index[2][2])
    assert set(read["language"]) == {"it"}


def test_a_column_that_is_absent(folder):
    with pytest.raises(CorpusError, match=r"'emotionn'; .*emotion\.emotion.* did you mean emotion=emotion"):
        table.read(folder, name="tiny", emotion="emotionn")


def test_a_column_that_differs_between_tables(folder):
    database = audformat.Database.load(str(folder), load_data=True)
    database["other"] = audformat.Table(audformat.filewise_index(FILES))
    database["other"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["other"]["emotion"].set(["sadness", "sadness"])
    database.save(str(folder))
    with pytest.raises(
        CorpusError, match=r"'emotion' differs between emotion\.emotion, other\.emotion"
    ) as caught:
        table.read(folder, name="tiny")
    assert "\n" not in str(caught.value)
    assert table.read(folder, name="tiny", emotion="other.emotion")["emotion"].tolist() == ["sad", "sad"]


def test_what_is_no_database(tmp_path):
    with pytest.raises(CorpusError, match="holds no audformat database"):
        table.read(tmp_path, name="x")
    (tmp_path / "db.yaml").write_text("a: [1")
    with pytest.raises(CorpusError, match="not plain YAML"):
        table.read(tmp_path, name="x")
    (tmp_path / "db.yaml").write_text("a: 1")
    with pytest.raises(CorpusError, match="audformat cannot load it"):
        table.read(tmp_path, name="x")


def test_nothing_that_could_run_code_is_loaded(folder):
    (folder / "db.emotion.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(CorpusError, match=r"db\.emotion\.pkl: a pickled table"):
        table.read(folder, name="tiny")
    (folder / "db.emotion.pkl").unlink()
    header = folder / "db.yaml"
    plain = header.read_text()
    header.write_text(plain.replace("\n  emotion:\n    type: ", "\n  sub/emotion:\n    type: "))
    with pytest.raises(CorpusError, match="'sub/emotion' is a path"):
        table.read(folder, name="tiny")
    header.write_text(plain)
    header.write_text(header.read_text() + "\nmeta: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(CorpusError, match="not plain YAML"):
        table.read(folder, name="tiny")


def test_file_is_not_an_option_here(folder):
    with pytest.raises(CorpusError, match="file= is for table files"):
        table.read(folder, name="tiny", file="emotion")
