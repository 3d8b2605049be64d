import numpy as np
import pandas as pd
import pytest

from smoothclap.evaluation.tasks import Task, TaskClass
from smoothclap.evaluation.zero_shot import TEMPLATES, EvaluationError, evaluate


def test_scores_and_prompts(evaluation):
    result = evaluation.result
    assert (result.n, result.speakers, result.chance) == (12, 3, pytest.approx(1 / 3))
    assert result.recall == {"happy": 1.0, "neutral": 0.5, "sad": 1.0}
    assert result.uar == pytest.approx(5 / 6)
    assert result.confusion == [[3, 0, 0], [0, 3, 3], [0, 0, 3]]
    assert result.interval == pytest.approx((5 / 6, 5 / 6))
    assert (result.template, result.prompts) == ("{}", ["happy", "neutral", "sad"])


def test_templates_are_scored_apart(evaluation):
    result = evaluation.result
    assert [one.template for one in result.templates] == list(TEMPLATES)
    assert result.templates[1].prompts == ["emotion is happy", "emotion is neutral", "emotion is sad"]
    # In a sentence the fake model takes "neutral" for "sad", which then ties and loses to the earlier class.
    uars = [one.uar for one in result.templates]
    assert uars[0] == result.uar
    assert all(uar < result.uar for uar in uars[1:])
    spread = result.template_spread
    assert (spread.min, spread.max, spread.sd) == (min(uars), max(uars), pytest.approx(np.std(uars, ddof=1)))


def test_predictions_can_be_analysed_again(evaluation):
    predictions = evaluation.predictions
    assert predictions.index.names == ["file", "start", "end"]
    assert predictions.index.get_level_values("file")[0] == "audio/mine_a-happy-0.wav"
    similarities = predictions[[f"similarity_{label}" for label in evaluation.result.classes]]
    again = similarities.idxmax(axis=1).str.removeprefix("similarity_")
    assert (again == predictions["prediction"]).all()
    assert (predictions["prediction"] == predictions["truth"]).mean() == evaluation.result.accuracy


def test_adaptation_is_apart_from_plain_zero_shot(model, make_corpus, task):
    clips = [(speaker, label, label) for speaker in "abc" for label in ("happy", "neutral", "sad")]
    model.offset = np.array([3, 0, 0, 0], dtype=np.float32)
    corpus = make_corpus(*clips)
    plain, adapted = (evaluate(model, task, corpus, None, adapt=adapt).result for adapt in (False, True))
    assert plain.adapted is None
    assert adapted.uar == plain.uar == pytest.approx(1 / 3)
    assert adapted.adapted.uar == 1.0
    assert adapted.adapted.adaptation == "collection"
    assert "Not plain zero-shot" in adapted.adapted.assumes
    assert adapted.adapted.offsets["happy"] < adapted.adapted.offsets["sad"]


def test_what_is_not_scored_is_counted(model, make_corpus, task):
    corpus = make_corpus(
        ("a", "happy", "happy"),
        ("b", "sad", "sad"),
        ("b", "sad", "excited"),
        ("b", "sad", "excited"),
        ("b", "sad", None),
        ("b", "sad", ""),
        ("broken", "sad", "sad"),
    )
    result = evaluate(model, task, corpus, None).result
    assert (result.n, result.unlabelled, result.outside) == (2, 2, {"excited": 2})
    assert [(one.file, one.fault) for one in result.rejected] == [("audio/broken-sad-6.wav", "AudioUnreadable")]
    assert result.absent == ["neutral"]
    assert result.recall["neutral"] is None
    assert result.uar == 1.0


@pytest.mark.parametrize(("official", "partial"), [(2, False), (3, True), (None, False)])
def test_a_partial_corpus_is_marked(model, make_corpus, official, partial):
    task = Task("mine", "Mine", (TaskClass("happy", "happy"), TaskClass("sad", "sad")), clips=official)
    result = evaluate(model, task, make_corpus(("a", "happy", "happy"), ("b", "sad", "sad")), None).result
    assert (result.official, result.partial) == (official, partial)


def test_unknown_speakers_mean_no_interval(model, make_corpus, task):
    result = evaluate(model, task, make_corpus((None, "happy", "happy"), ("b", "sad", "sad")), None).result
    assert result.interval is None
    assert "1 of 2 clips" in result.interval_note
    assert result.speakers == 1


def test_no_clip_of_the_task_is_an_error(model, make_corpus, task):
    with pytest.raises(EvaluationError, match="no clip has a label of task 'mine'"):
        evaluate(model, task, make_corpus(("a", "happy", "bored")), None)


def test_no_readable_clip_is_an_error(model, make_corpus, task):
    with pytest.raises(EvaluationError, match=r"none of 1 clips can be read; the first: .*does not decode"):
        evaluate(model, task, make_corpus(("broken", "happy", "happy")), None)


def test_a_model_that_gives_nan_is_an_error(model, make_corpus, task):
    model.offset = np.array([np.nan, 0, 0, 0], dtype=np.float32)
    with pytest.raises(EvaluationError, match="not finite"):
        evaluate(model, task, make_corpus(("a", "happy", "happy")), None)


def test_segments_of_one_file_stay_apart(model, make_corpus, task):
    corpus = make_corpus(("a", "happy", "happy"), ("b", "sad", "sad"))
    corpus.table.index = pd.MultiIndex.from_arrays(
        [
            [str(corpus.path / "x-happy-1.wav")] * 2,
            pd.to_timedelta([0, 1], unit="s"),
            pd.to_timedelta([1, 2], unit="s"),
        ],
        names=["file", "start", "end"],
    )
    predictions = evaluate(model, task, corpus, None).predictions
    assert predictions.index.get_level_values("start").total_seconds().tolist() == [0.0, 1.0]
