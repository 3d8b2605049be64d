import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from smoothclap.evaluation import report, results
from smoothclap.evaluation.results import Model, Resampling, Results, ResultsError, TrainedOn
from smoothclap.evaluation.zero_shot import evaluate

VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Fails where an element is closed that was not opened last."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(evaluation, path: Path, name: str = "fake", history=(), **change) -> str:
    evaluation = replace(evaluation, result=replace(evaluation.result, **change))
    model = Model(name, {"recipe": {}, "seed": 3, "corpora": [], "objective": "smoothclap"})
    found = Results(results.SCHEMA, "0.1.0", model, Resampling("speaker", 0.95, 2000, 0), [evaluation.result])
    report.write(path / "report.html", found, [evaluation], history)
    return (path / "report.html").read_text(encoding="utf-8")


def test_one_offline_file(evaluation, tmp_path):
    page = written(evaluation, tmp_path)
    Balance(page)
    # Names of XML vocabularies are not fetched.
    linked = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("#", "data:")) for link in linked)
    assert "url(http" not in page
    assert "<script" not in page
    assert str(tmp_path) not in page


def test_numbers_and_published_numbers_stand_side_by_side(evaluation, tmp_path):
    page = written(evaluation, tmp_path, task="tess", title="TESS")
    assert ".833" in page
    assert ".275" in page
    assert ".433" in page


def test_plain_and_adapted_are_apart(evaluation, tmp_path):
    assert "Not plain zero-shot" in written(evaluation, tmp_path)
    assert "Not plain zero-shot" not in written(evaluation, tmp_path, adapted=None)


def test_a_corpus_it_was_trained_on_is_marked(evaluation, tmp_path):
    page = written(evaluation, tmp_path, trained_on=TrainedOn(True, 12, 3))
    assert re.search(r'class="warning"[^>]*>Trained on: 12 of these 12 clips', page)
    assert "see warning" in page
    clean = written(evaluation, tmp_path, trained_on=TrainedOn(False, 0, 0))
    assert 'class="warning"' not in clean
    assert "see warning" not in clean


def test_a_users_text_is_escaped(evaluation, tmp_path):
    page = written(evaluation, tmp_path, name="<img onerror=x>", title="<b>mine", outside={"<i>": 2})
    assert not {"<img", "<b>", "<i>"} & set(re.findall(r"<\w+>?", page))
    assert "&lt;img onerror=x&gt;" in page


def test_training_is_drawn_where_it_is_known(evaluation, tmp_path):
    (tmp_path / "history.jsonl").write_text(
        '{"kind": "step", "step": 1, "loss": 2.0}\n'
        '{"kind": "epoch", "epoch": 1, "step": 1, "loss": 2.0, "validation_uar": 0.3}\n'
    )
    history = report.read_history(tmp_path)
    assert len(history) == 2
    assert "training loss" in written(evaluation, tmp_path, history=history)
    assert "training loss" not in written(evaluation, tmp_path, history=report.read_history(tmp_path / "none"))


def test_a_broken_history_names_its_line(tmp_path):
    (tmp_path / "history.jsonl").write_text('{"kind": "step"}\n{"kin')
    with pytest.raises(ResultsError, match=r"history.jsonl: line 2"):
        report.read_history(tmp_path)


def test_a_task_with_no_interval_and_absent_class_can_be_shown(model, make_corpus, task, tmp_path):
    evaluation = evaluate(model, task, make_corpus((None, "happy", "happy"), ("b", "sad", "sad")), None)
    assert "is not known" in written(evaluation, tmp_path)
