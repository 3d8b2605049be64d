import audmetric
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smoothclap.evaluation import metrics
from smoothclap.evaluation.metrics import paired_difference, score, speaker_interval

CLASSES = ["a", "b", "c"]


def noisy(truth: list[str], right: float, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    return [label if draw.random() < right else str(draw.choice(CLASSES)) for label in truth]


def test_scores_by_hand():
    scores = score(["a", "a", "a", "b"], ["a", "a", "b", "b"], CLASSES[:2], ["x", "x", "y", "y"])
    assert scores.recall == {"a": pytest.approx(2 / 3), "b": 1.0}
    assert scores.uar == pytest.approx(5 / 6)
    assert scores.accuracy == 0.75
    assert scores.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert scores.confusion == [[2, 1], [0, 1]]


def test_absent_class_is_left_out_of_averages_and_its_answers_still_count_as_wrong():
    scores = score(["a", "a", "b", "b"], ["a", "c", "b", "b"], CLASSES, ["x", "y", "x", "y"])
    assert scores.recall == {"a": 0.5, "b": 1.0, "c": None}
    assert scores.uar == 0.75
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert scores.confusion == [[1, 0, 1], [0, 2, 0], [0, 0, 0]]


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_uar_of_matrices_is_audmetrics(pairs):
    truth, prediction = map(list, zip(*pairs, strict=True))
    speakers = ["x", "y"] * len(pairs)
    matrices = metrics._speaker_matrices(truth, [prediction], CLASSES, speakers[: len(pairs)])
    present = {label: value for label, value in audmetric.recall_per_class(truth, prediction, CLASSES).items()}
    expected = np.mean([present[label] for label in CLASSES if label in truth])
    assert float(metrics._uar(matrices.sum(axis=(0, 1)))) == pytest.approx(expected)
    assert score(truth, prediction, CLASSES, speakers[: len(pairs)]).uar == pytest.approx(expected)


def test_resampling_by_matrices_equals_resampling_by_clips():
    truth, speakers = CLASSES * 8, [f"s{number // 6}" for number in range(24)]
    prediction = noisy(truth, 0.5, 1)
    fast = metrics._resampled_uar(truth, [prediction], CLASSES, speakers)
    drawn = np.random.default_rng(metrics.SEED).multinomial(4, [0.25] * 4, size=metrics.RESAMPLES)
    for resample in (0, 1, 999):
        clips = [
            clip
            for speaker in range(4)
            for _ in range(drawn[resample, speaker])
            for clip in range(24)
            if speakers[clip] == f"s{speaker}"
        ]
        slow = score(
            [truth[clip] for clip in clips], [prediction[clip] for clip in clips], CLASSES, [None] * len(clips)
        )
        assert fast[resample] == pytest.approx(slow.uar)


def test_interval_covers_the_spread_of_speakers_not_of_clips():
    # Within a speaker everything is right or everything is wrong: clips say nothing that the speaker does not.
    truth = ["a", "b"] * 200
    speakers = [f"s{number // 40}" for number in range(400)]
    prediction = [label if int(who[1]) % 2 else "c" for label, who in zip(truth, speakers, strict=True)]
    (low, high), note = speaker_interval(truth, [prediction], CLASSES, speakers)
    assert low <= 0.25
    assert high >= 0.75
    assert note is None


def test_interval_is_the_same_every_time_and_in_any_order_of_clips():
    truth, speakers = CLASSES * 10, [f"s{number % 5}" for number in range(30)]
    prediction = noisy(truth, 0.5, 3)
    order = np.random.default_rng(0).permutation(30)
    shuffled = [[values[number] for number in order] for values in (truth, prediction, speakers)]
    first = speaker_interval(truth, [prediction], CLASSES, speakers)
    assert first == speaker_interval(shuffled[0], [shuffled[1]], CLASSES, shuffled[2])


@pytest.mark.parametrize(
    ("speakers", "has_interval", "said"),
    [
        (["x"] * 6, False, "one speaker"),
        (["x", None] * 3, False, "3 of 6 clips is not known"),
        (["x", "y"] * 3, True, "only 2 speakers"),
        (["x", "y", "z"] * 2, True, "only 3 speakers"),
    ],
)
def test_too_few_speakers_are_said(speakers, has_interval, said):
    interval, note = speaker_interval(["a", "b"] * 3, [["a", "a"] * 3], CLASSES, speakers)
    assert (interval is not None) is has_interval
    assert said in note


def test_paired_difference_sees_what_unpaired_intervals_hide():
    # b is a little worse than a on every one of very different speakers.
    truth, speakers, a, b = [], [], [], []
    for speaker in range(12):
        for clip in range(40):
            truth.append(CLASSES[clip % 2])
            speakers.append(f"s{speaker:02}")
            a.append(truth[-1] if clip < 3 * speaker + 6 else "c")
            b.append(truth[-1] if clip < 3 * speaker + 2 else "c")
    difference = paired_difference(truth, [a], [b], CLASSES, speakers)
    assert difference.value == pytest.approx(0.1)
    assert difference.interval[0] > 0.05
    assert difference.p < 0.01
    spread_a = speaker_interval(truth, [a], CLASSES, speakers)[0]
    spread_b = speaker_interval(truth, [b], CLASSES, speakers)[0]
    assert spread_a[0] < spread_b[1]


def test_paired_difference_of_equals_is_nothing():
    truth, speakers = CLASSES * 8, [f"s{number % 12}" for number in range(24)]
    runs = [noisy(truth, 0.6, seed) for seed in range(3)]
    difference = paired_difference(truth, runs, runs, CLASSES, speakers)
    assert (difference.value, difference.interval, difference.p) == (0.0, (0.0, 0.0), 1.0)


def test_paired_difference_turns_its_sign():
    truth, speakers = CLASSES * 40, [f"s{number % 12}" for number in range(120)]
    a, b = [noisy(truth, 0.7, seed) for seed in (1, 2)], [noisy(truth, 0.5, seed) for seed in (3, 4, 5)]
    there, back = (
        paired_difference(truth, a, b, CLASSES, speakers),
        paired_difference(truth, b, a, CLASSES, speakers),
    )
    assert there.value == pytest.approx(-back.value)
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert there.p == back.p
    uar = [np.mean([score(truth, run, CLASSES, speakers).uar for run in runs]) for runs in (a, b)]
    assert there.value == pytest.approx(uar[0] - uar[1])


def test_two_speakers_cannot_be_significant():
    truth, speakers = ["a", "b"] * 50, ["x"] * 50 + ["y"] * 50
    difference = paired_difference(truth, [truth], [["c"] * 100], CLASSES, speakers)
    assert difference.value == 1.0
    assert difference.p == 0.5
    assert "only 2 speakers" in difference.note


@pytest.mark.parametrize(
    ("truth", "runs", "speakers"),
    [
        ([], [[]], []),
        (["a"], [["a", "b"]], ["x"]),
        (["a"], [], ["x"]),
        (["a"], [["z"]], ["x"]),
        (["z"], [["a"]], ["x"]),
        (["a"], [["a"]], ["x", "y"]),
    ],
)
def test_wrong_input_is_refused(truth, runs, speakers):
    with pytest.raises(ValueError, match=r"no clip|same length|not among the classes"):
        speaker_interval(truth, runs, CLASSES, speakers)
