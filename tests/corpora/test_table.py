import pandas as pd
import pytest

from smoothclap.corpora import CorpusError, table
from smoothclap.corpora.schema import attached_problems

MAP = {"file": "path", "speaker": "talker", "emotion": "feeling"}


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "t.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_columns_are_mapped_and_others_pass_through(write, tmp_path):
    path = write("path,talker,feeling,loudness,index\nx/a.wav,007,Anger,0.5,1\nb.wav,NA,excited,,2\n")
    read = table.read(path, name="mine", **MAP, language="Urdu", split="train")
    assert read.index.get_level_values("file").tolist() == [str(tmp_path / "x/a.wav"), str(tmp_path / "b.wav")]
    assert read["speaker"].tolist() == ["mine/007", "mine/NA"]
    assert read["emotion"].tolist() == ["angry", "excited"]
    assert set(read["language"]) == {"ur"}
    assert set(read["split"]) == {"train"}
    assert read["loudness"].fillna(-1).tolist() == [0.5, -1]
    assert read["index"].tolist() == [1, 2]


def test_the_same_from_tsv_and_parquet(write, tmp_path):
    text = "file\tspeaker\temotion\tarousal\tgender\na.wav\t3\tjoy\t0.25\tF\nb.wav\t\t\t\t\n"
    tsv = table.read(write(text, "t.tsv"), name="mine")
    rows = {"speaker": [3, None], "emotion": ["joy", None], "arousal": [0.25, None], "gender": ["F", None]}
    pd.DataFrame(rows, index=pd.Index(["a.wav", "b.wav"], name="file")).to_parquet(tmp_path / "t.parquet")
    parquet = table.read(tmp_path / "t.parquet", name="mine")
    pd.testing.assert_frame_equal(tsv, parquet)
    assert tsv.iloc[0][["speaker", "emotion", "gender"]].tolist() == ["mine/3", "happy", "female"]
    assert tsv.iloc[1][["speaker", "emotion", "arousal", "gender"]].isna().all()


def test_segments_are_in_seconds(write):
    path = write("file,start,end,emotion\na.wav,,1.5,sad\na.wav,1.5,,sad\n")
    index = table.read(path, name="mine").index
    assert index[0][1:] == (pd.Timedelta(0), pd.Timedelta("1.5s"))
    assert index[1][1] == pd.Timedelta("1.5s")
    assert pd.isna(index[1][2])


@pytest.mark.parametrize(("start", "message"), [("late", "no time"), ("2", "row 1"), ("-1", "row 1")])
def test_segments_that_are_none(write, start, message):
    with pytest.raises(CorpusError, match=message):
        table.read(write(f"file,start,end,emotion\na.wav,{start},1,sad\n"), name="mine")


def test_labels_equal_after_trimming_are_one_and_told(write):
    path = write("file,speaker,emotion\na.wav,x,Angry\nb.wav,x , angry\nc.wav,x,anger\nd.wav,x,sad\n")
    read = table.read(path, name="mine")
    assert read["emotion"].tolist() == ["angry", "angry", "angry", "sad"]
    emotion, speaker = attached_problems(read)
    assert emotion.kind == speaker.kind == "labels merged"
    assert emotion.message == "emotion: ' angry', 'Angry', 'anger' are all taken as 'angry'"


def test_empty_labels_are_kept(write):
    read = table.read(write("file,emotion\na.wav,\nb.wav,  \nc.wav,sad\n"), name="mine")
    assert read["emotion"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, r"no column 'file'; .* path, talker, feeling"),
        ({"file": "path"}, "no label column .* say emotion=COLUMN; its columns: path, talker, feeling"),
        ({"file": "path", "emotion": "feelings"}, r"no column 'feelings' .* did you mean emotion=feeling\?"),
        ({"file": "path", "emotion": "feeling", "language": "lang"}, "no column 'lang'"),
        ({"file": "path", "emotion": "feeling", "split": "training"}, "no column 'training'"),
        ({"file": "path", "emotion": "feeling", "arousal": "talker"}, "t.csv: column 'arousal' cannot be read"),
    ],
)
def test_columns_that_are_missing_or_wrong(write, columns, message):
    with pytest.raises(CorpusError, match=message) as caught:
        table.read(write("path,talker,feeling\na.wav,x,sad\n"), name="mine", **columns)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("file,emotion\n", "holds no row"),
        ("file,emotion\na.wav,sad,more\nb.wav,sad,more\n", "more cells than its header"),
        ("file,emotion\na.wav,sad\nb.wav,sad,more\n", "cannot be read"),
        ("file,emotion\na.wav,sad\n,sad\n", "1 rows name no file .* row 2"),
    ],
)
def test_broken_files(write, text, message):
    with pytest.raises(CorpusError, match=message) as caught:
        table.read(write(text), name="mine")
    assert "\n" not in str(caught.value)


def test_not_a_table(write, tmp_path):
    with pytest.raises(CorpusError, match="not a table"):
        table.read(write("x", "t.xlsx"), name="mine")
    (tmp_path / "t.parquet").write_bytes(b"not parquet")
    with pytest.raises(CorpusError, match=r"cannot be read as \.parquet"):
        table.read(tmp_path / "t.parquet", name="mine")
    (tmp_path / "latin.csv").write_bytes("file,emotion\nä.wav,sad\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"cannot be read as \.csv"):
        table.read(tmp_path / "latin.csv", name="mine")
