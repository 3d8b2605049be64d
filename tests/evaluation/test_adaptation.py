import numpy as np
import pytest

from smoothclap.evaluation.adaptation import AdaptationError, class_offsets


def posterior(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("scale", [0.1, 1.0, 14.3, 100.0])
def test_mean_posterior_becomes_uniform(scale):
    logits = scale * np.random.default_rng(0).normal(size=(300, 8)) * np.linspace(0.1, 1, 8) + np.arange(8)
    offsets = class_offsets(logits)
    assert posterior(logits + offsets).mean(axis=0) == pytest.approx(np.full(8, 1 / 8), abs=1e-5)
    assert offsets.mean() == pytest.approx(0, abs=1e-12)


def test_a_constant_per_class_is_taken_out_exactly():
    logits = np.random.default_rng(1).normal(size=(200, 5))
    shift = np.array([3.0, -1.0, 0.0, 7.0, -20.0])
    answers = [(values + class_offsets(values)).argmax(axis=1) for values in (logits, logits + shift)]
    assert (answers[0] == answers[1]).all()
    assert (class_offsets(logits) - class_offsets(logits + shift)) == pytest.approx(
        shift - shift.mean(), abs=1e-4
    )


def test_recovers_from_an_offset_common_to_all_embeddings():
    draw = np.random.default_rng(2)
    words = np.linalg.qr(draw.normal(size=(16, 4)))[0].T
    truth = np.repeat(np.arange(4), 100)
    # A channel unlike the training data moves every clip the same way, here towards the first word.
    shifted = words[truth] + 0.2 * draw.normal(size=(400, 16)) + 3 * words[0]
    shifted /= np.linalg.norm(shifted, axis=1, keepdims=True)
    logits = 14.3 * shifted @ words.T
    assert (logits.argmax(axis=1) == truth).mean() == pytest.approx(0.25)
    assert ((logits + class_offsets(logits)).argmax(axis=1) == truth).mean() > 0.95


def test_what_it_assumes_can_be_wrong():
    # Nine in ten clips are of the first class, and perfectly told apart: balancing can only harm.
    truth = np.array([0] * 90 + [1] * 10)
    logits = np.eye(2)[truth] + 0.4 * np.random.default_rng(3).normal(size=(100, 2))
    plain, adapted = (
        (values.argmax(axis=1) == truth).mean() for values in (logits, logits + class_offsets(logits))
    )
    assert plain > 0.9
    assert adapted < plain - 0.1


def test_no_solution_is_an_error_that_names_the_option(monkeypatch):
    monkeypatch.setattr("smoothclap.evaluation.adaptation.MAX_STEPS", 1)
    with pytest.raises(AdaptationError, match="--adapt collection"):
        class_offsets(np.array([[5.0, 0.0], [4.0, 1.0]]))
