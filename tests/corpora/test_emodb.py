import pytest

from smoothclap.corpora import emodb


@pytest.mark.parametrize("name", ["wav/08b10Tc.wav", "08b10Tc.flac"])
def test_labels_are_in_the_names(tree, name):
    row = emodb.read(tree(name)).iloc[0]
    assert (row["speaker"], row["gender"], row["emotion"]) == ("emodb/08", "female", "sad")
    assert (row["language"], row["statement"]) == ("de", "b10")
    assert row["transcript"] == "Die wird auf dem Platz sein, wo wir sie immer hinlegen."
