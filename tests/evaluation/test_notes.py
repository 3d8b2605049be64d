from dataclasses import replace

import pytest

from smoothclap.evaluation.notes import caveats, meaning, warnings
from smoothclap.evaluation.results import Rejected, Resampling, TaskResult, TrainedOn

RESAMPLING = Resampling("speaker", 0.95, 2000, 0)


@pytest.fixture
def result(evaluation) -> TaskResult:
    return evaluation.result


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Guessing gives a UAR of .333 (3 classes)."),
        ({}, "resamples 3 speakers 2,000 times"),
        ({}, "Only 3 speakers"),
        ({"partial": True, "official": 1440}, "12 clips were scored, the official corpus has 1,440"),
        ({"absent": ["sad"]}, "No clip is “sad”"),
        ({"confusion": [[1, 0, 0], [5, 0, 0], [3, 0, 3]]}, "One clip only is “happy”"),
        ({"confusion": [[1, 0, 0], [5, 0, 0], [3, 0, 3]]}, "never answered “neutral”"),
        ({"unlabelled": 7}, "7 clips without a label"),
        ({"outside": {"excited": 4}}, "excited (4)"),
        ({"rejected": [Rejected("a.wav", 0, None, "AudioSilent")] * 2}, "AudioSilent (2)"),
    ],
)
def test_notes_say_it(result, change, said):
    changed = replace(result, **change)
    assert said in " ".join(meaning(changed, RESAMPLING) + caveats(changed))


@pytest.mark.parametrize(
    ("met", "said"),
    [
        (None, "does not say what it was trained on"),
        (TrainedOn(True, 5, 1), "5 of these 12 clips were training data"),
        (TrainedOn(True, 0, 1), "1 of these 3 speakers"),
        (TrainedOn(True, 0, 0), "tests unseen speakers, not an unseen corpus"),
    ],
)
def test_warnings_are_loud(result, met, said):
    assert said in " ".join(warnings(replace(result, trained_on=met)))


def test_an_unseen_corpus_has_no_warning(result):
    assert warnings(replace(result, trained_on=TrainedOn(False, 0, 0))) == []
