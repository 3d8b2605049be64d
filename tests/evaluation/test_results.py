import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from smoothclap.evaluation import results
from smoothclap.evaluation.results import Model, Resampling, Results, ResultsError


@pytest.fixture
def found(evaluation) -> Results:
    model = Model("fake", {"recipe": {"gamma": 0.5}, "seed": 0, "corpora": [], "objective": "smoothclap"})
    return Results(results.SCHEMA, "0.1.0", model, Resampling("speaker", 0.95, 2000, 0), [evaluation.result])


def test_round_trip(found, tmp_path):
    path = tmp_path / "results.json"
    results.save(found, path)
    assert results.load(path) == found


def test_the_promised_fields_are_there(found):
    task = json.loads(json.dumps(results.to_json(found)))["tasks"][0]
    assert {"task", "uar", "accuracy", "n", "classes", "interval", "prompts"} <= set(task)
    assert task["interval"][0] <= task["uar"] <= task["interval"][1]


def test_no_path_of_this_machine_is_written(found, tmp_path):
    results.save(found, tmp_path / "results.json")
    assert str(tmp_path) not in (tmp_path / "results.json").read_text()


@pytest.mark.parametrize(
    ("mend", "said"),
    [
        (lambda value: value.update(schema=99), "has schema 99 where this version reads 1"),
        (lambda value: value.pop("schema"), "has schema None"),
        (lambda value: value["tasks"][0].pop("uar"), r"field 'tasks\[0\].uar' is missing"),
        (lambda value: value["tasks"][0].update(extra=1), r"field 'tasks\[0\].extra' is unknown"),
        (lambda value: value["tasks"][0].update(uar="high"), r"field 'tasks\[0\].uar' is of the wrong type"),
        (
            lambda value: value["tasks"][0].update(interval=[0.1]),
            r"field 'tasks\[0\].interval' is of the wrong type",
        ),
        (lambda value: value.update(model=3), "'model.' is not an object"),
    ],
)
def test_another_schema_is_one_clear_error(found, tmp_path, mend, said):
    value = json.loads(json.dumps(results.to_json(found)))
    mend(value)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(value))
    with pytest.raises(ResultsError, match=said) as fault:
        results.load(path)
    assert "\n" not in str(fault.value)
    assert str(path) in str(fault.value)


@pytest.mark.parametrize("text", [None, "{cut", "[]"])
def test_an_unreadable_file_is_one_clear_error(tmp_path, text):
    path = tmp_path / "results.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ResultsError, match=r"results\.json"):
        results.load(path)


@pytest.mark.parametrize(
    "kind", [Results, Model, Resampling, results.TaskResult, results.Adapted, results.TrainedOn]
)
def test_every_field_is_documented(kind):
    page = (Path(__file__).parents[2] / "docs" / "results-schema.md").read_text(encoding="utf-8")
    missing = [field.name for field in fields(kind) if not re.search(rf"[`.]{field.name}[`.]", page)]
    assert missing == []
