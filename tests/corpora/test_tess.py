from smoothclap.corpora import tess
from smoothclap.corpora.schema import attached_problems


def test_flat_and_in_the_distributed_folders(tree):
    top = "TESS Toronto emotional speech set data"
    table = tess.read(tree("YAF_ring_ps.flac", f"{top}/OAF_Fear/OAF_back_fear.wav"))
    assert dict(zip(table["speaker"], table["emotion"], strict=True)) == {
        "tess/YAF": "pleasantly surprised",
        "tess/OAF": "fearful",
    }
    assert set(table["transcript"]) == {"Say the word ring.", "Say the word back."}
    assert set(table["gender"]) == {"female"}


def test_the_release_misspells_one_speaker(tree):
    table = tess.read(tree("OAF_neutral/OA_bite_neutral.wav"))
    assert table["speaker"].tolist() == ["tess/OAF"]


def test_a_tree_that_holds_itself_counts_once(tree):
    folder = tree("t/OAF_angry/OAF_back_angry.wav", "t/t/OAF_angry/OAF_back_angry.wav")
    table = tess.read(folder)
    assert table.index.get_level_values("file").tolist() == [str(folder / "t/OAF_angry/OAF_back_angry.wav")]
    assert [problem.kind for problem in attached_problems(table)] == ["same name twice"]
