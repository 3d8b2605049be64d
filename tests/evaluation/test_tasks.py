from pathlib import Path

import pytest

from smoothclap.corpora import CORPORA
from smoothclap.evaluation import published
from smoothclap.evaluation.tasks import TASKS, Task, TaskError, open_task, select


def make_table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["ravdess", "tess", "crema-d", "emodb", "emovo", "nemo"])
def test_tasks_agree_with_the_corpora(name):
    official = CORPORA[name].official
    assert set(TASKS[name].labels) == set(official.emotions)
    assert TASKS[name].clips == official.clips


def test_prompts_are_the_papers_words():
    assert TASKS["ravdess"].prompts == [
        "angry",
        "calm",
        "disgust",
        "fearful",
        "happy",
        "neutral",
        "sad",
        "surprise",
    ]
    assert TASKS["tess"].prompts == [
        "anger",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "pleasant surprise",
        "sadness",
    ]


def test_published_tables_are_complete():
    first = ("CLAP", "Pengi", "ParaCLAP", "SmoothCLAP")
    assert list(published.SYSTEMS)[:4] == list(first)
    assert all(len(published.SYSTEMS[system]) == 8 for system in first)
    assert published.uar("SmoothCLAP HuBERT-L", "tess") == 0.433


def test_a_table_has_the_classes_that_occur(tmp_path):
    path = make_table(tmp_path, "path,feeling\na.wav,bewildered\nb.wav, Angry \nc.wav,\nd.wav,bewildered\n")
    task, corpus = open_task(f"table={path},file=path,emotion=feeling,name=mine")
    assert (task.name, task.title, corpus.name) == ("mine", "mine", "mine")
    assert task.labels == task.prompts == ["angry", "bewildered"]
    assert task.clips is None
    assert len(select(task, corpus)) == 4


def test_a_split_is_selected(make_corpus):
    corpus = make_corpus(
        ("a", "sad", "sad"), ("b", "sad", "sad"), ("c", "sad", "sad"), split=["test", "train", None]
    )
    assert select(Task("demo", "Demo", split="test"), corpus)["speaker"].tolist() == ["a"]


def test_a_split_without_clips_is_an_error(make_corpus):
    with pytest.raises(TaskError, match="split 'test'"):
        select(Task("demo", "Demo", split="test"), make_corpus(("a", "sad", "sad")))


@pytest.mark.parametrize(
    ("rows", "said"), [("a.wav,sad\nb.wav,sad\n", "1 emotion labels"), ("a.wav,\nb.wav,\n", "0 emotion labels")]
)
def test_one_label_is_no_task(tmp_path, rows, said):
    path = make_table(tmp_path, f"file,emotion\n{rows}")
    with pytest.raises(TaskError, match=said):
        open_task(f"table={path}")


def test_a_name_that_leaves_the_output_folder_is_refused(tmp_path):
    path = make_table(tmp_path, "file,emotion\na.wav,sad\nb.wav,happy\n")
    with pytest.raises(TaskError, match="names files"):
        open_task(f"table={path},name=../elsewhere")


def test_an_unknown_task_is_told_the_nearest():
    with pytest.raises(TaskError, match="did you mean 'ravdess'"):
        open_task("ravdes=somewhere")
