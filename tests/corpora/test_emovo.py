from smoothclap.corpora import emovo


def test_labels_are_in_the_names(tree):
    table = emovo.read(tree("f1/gio-f1-b3.wav", "m3/sor-m3-d2.wav"))
    assert table["speaker"].tolist() == ["emovo/f1", "emovo/m3"]
    assert table["gender"].tolist() == ["female", "male"]
    assert table["emotion"].tolist() == ["happy", "surprised"]
    assert table["transcript"].tolist() == ["La cascata fa molto rumore.", "Porti con te quella cosa?"]
