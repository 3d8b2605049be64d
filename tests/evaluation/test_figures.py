import numpy as np
import pytest

from smoothclap.evaluation.figures import curves, plane

HISTORY = [
    *[{"kind": "step", "step": step, "loss": 1 / step} for step in range(1, 9)],
    {"kind": "epoch", "epoch": 1, "step": 4, "loss": 0.5, "validation_uar": None},
    {"kind": "epoch", "epoch": 2, "step": 8, "loss": 0.2, "validation_uar": 0.4},
]


def test_the_plane_names_every_class_and_follows_the_page():
    draw = np.random.default_rng(0)
    svg = plane(
        draw.normal(size=(40, 8)),
        draw.normal(size=(2, 8)),
        ["sad", "happy"] * 20,
        ["happy", "sad"],
        ["joy", "sadness"],
    )
    assert svg.startswith("<svg")
    assert "“joy”" in svg
    assert "“sadness”" in svg
    assert "currentColor" in svg


def test_the_same_embeddings_give_the_same_drawing():
    draw = np.random.default_rng(0)
    inputs = (
        draw.normal(size=(40, 8)),
        draw.normal(size=(2, 8)),
        ["sad", "happy"] * 20,
        ["happy", "sad"],
        ["joy", "sadness"],
    )
    assert plane(*inputs) == plane(*inputs)


@pytest.mark.parametrize(
    ("clips", "width"), [(1, 8), (2, 8), (5, 1)], ids=["one clip", "two clips", "one dimension"]
)
def test_few_clips_can_be_drawn(clips, width):
    vectors, prompts = np.ones((clips, width)), np.eye(2, width)
    assert plane(vectors, prompts, ["sad"] * clips, ["happy", "sad"], ["joy", "sadness"]).startswith("<svg")


def test_a_label_is_text_not_markup_nor_mathematics():
    svg = plane(np.eye(4), np.eye(2, 4), ["<b>$x", "$\\frac"] * 2, ["<b>$x", "$\\frac"], ["<b>$x", "$\\frac"])
    assert "<b>" not in svg
    assert "&lt;b&gt;$x" in svg


def test_curves_show_what_was_validated():
    svg = curves(HISTORY)
    assert "training loss" in svg
    assert "validation UAR" in svg
