"""Zero-shot classification: the words for the classes are the queries, the nearest one is the answer."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from smoothclap.corpora import LoadedCorpus
from smoothclap.errors import SmoothClapError
from smoothclap.evaluation import adaptation, tasks
from smoothclap.evaluation.metrics import score
from smoothclap.evaluation.overlap import training_overlap
from smoothclap.evaluation.results import Adapted, Rejected, Spread, TaskResult, TemplateScore
from smoothclap.inference import SmoothCLAP, fill_template
from smoothclap.store import FeatureStore, Reject

TEMPLATE = "{}"
"""The main result: the label words themselves, as in the paper."""

# Each reads well with a noun ("pleasant surprise") and with an adjective ("angry"): corpora use both, within
# one label set.
TEMPLATES = (
    TEMPLATE,
    "emotion is {}",
    "the emotion of the speaker is {}",
    "a voice with the emotion {}",
    "speech that listeners labelled as {}",
)


class EvaluationError(SmoothClapError):
    """Nothing can be scored."""


@dataclass(frozen=True)
class Evaluation:
    """A task's result, and what it was computed from.

    Attributes:
        result: the scores.
        predictions: one row a scored clip: index `file` (relative to the corpus), `start`, `end`; columns
            `speaker`, `truth`, `prediction`, `adapted` where adapted, and a cosine `similarity_<class>` for
            every class.
        vectors: (n, d) audio embeddings, in the order of `predictions`.
        prompt_vectors: (C, d) text embeddings, in the order of the classes.
    """

    result: TaskResult
    predictions: pd.DataFrame
    vectors: np.ndarray
    prompt_vectors: np.ndarray


def evaluate(
    clap: SmoothCLAP,
    task: tasks.Task,
    corpus: LoadedCorpus,
    store: FeatureStore,
    *,
    adapt: bool = False,
    workers: int | None = None,
    strict: bool = False,
) -> Evaluation:
    """Evaluate a model on a task.

    Args:
        clap: the model.
        task: what to tell apart; its classes known (`tasks.open_task`).
        corpus: the task's corpus.
        store: where frozen features are kept.
        adapt: also give the scores after label-free adaptation to the collection (`adaptation`).
        workers: processes that extract features; None: as many as there are cores.
        strict: a clip that cannot be read is an error, where it is otherwise counted and left out.

    Returns:
        The result and what it came from.

    Raises:
        TaskError: the task's split has no clip.
        EvaluationError: no clip can be scored, or the model's embeddings are not finite.
        AudioError: a clip cannot be read, and `strict`.
    """
    clips = tasks.select(task, corpus)
    labels = clips["emotion"].replace("", pd.NA)
    chosen = clips[labels.isin(task.labels)]
    if chosen.empty:
        raise EvaluationError(
            f"{corpus.path}: no clip has a label of task '{task.name}' ({', '.join(task.labels)}); "
            "is it the corpus that the task names?"
        )
    embedded = clap.encode_clips(chosen.index, store, workers=workers, strict=strict)
    scored = chosen[embedded.keep]
    if scored.empty:
        raise EvaluationError(
            f"{corpus.path}: none of {len(chosen)} clips can be read; the first: {embedded.rejects[0].message}"
        )
    truth = scored["emotion"].tolist()
    speakers = [None if pd.isna(speaker) else str(speaker) for speaker in scored["speaker"]]

    prompt_vectors = {
        template: clap.encode_text(fill_template(template, task.prompts)) for template in TEMPLATES
    }
    if not all(np.isfinite(vectors).all() for vectors in [embedded.vectors, *prompt_vectors.values()]):
        raise EvaluationError(
            f"{clap.directory}: the model gives embeddings that are not finite; train it again"
        )
    cosine = {
        template: SmoothCLAP.similarity(embedded.vectors, vectors)
        for template, vectors in prompt_vectors.items()
    }
    predicted = {template: _answers(values, task) for template, values in cosine.items()}
    scores = {template: score(truth, answers, task.labels, speakers) for template, answers in predicted.items()}

    predictions = pd.DataFrame(
        {"speaker": speakers, "truth": truth, "prediction": predicted[TEMPLATE]},
        index=_relative(scored.index, corpus.path),
    )
    adapted = None
    if adapt:
        answers, adapted = _adapt(clap.logit_scale * cosine[TEMPLATE], task, truth, speakers)
        predictions["adapted"] = answers
    for number, label in enumerate(task.labels):
        predictions[f"similarity_{label}"] = cosine[TEMPLATE][:, number]

    uars = [one.uar for one in scores.values()]
    main = scores[TEMPLATE]
    outside = Counter(labels[~labels.isin(task.labels)].dropna())
    result = TaskResult(
        **vars(main),
        task=task.name,
        title=task.title,
        corpus=corpus.name,
        classes=task.labels,
        prompts=fill_template(TEMPLATE, task.prompts),
        template=TEMPLATE,
        chance=1 / len(task.classes),
        absent=[label for label, recall in main.recall.items() if recall is None],
        official=task.clips,
        partial=task.clips is not None and main.n != task.clips,
        speakers=len(set(speakers) - {None}),
        unlabelled=int(labels.isna().sum()),
        outside=dict(sorted(outside.items())),
        rejected=_rejected(embedded.rejects, corpus.path),
        templates=[
            TemplateScore(template, fill_template(template, task.prompts), one.uar)
            for template, one in scores.items()
        ],
        template_spread=Spread(min(uars), max(uars), float(np.std(uars, ddof=1))),
        trained_on=training_overlap(clap.directory, clap.training, corpus.name, embedded.digests, speakers),
        adapted=adapted,
    )
    return Evaluation(result, predictions, embedded.vectors, prompt_vectors[TEMPLATE])


def _adapt(
    logits: np.ndarray, task: tasks.Task, truth: Sequence[str], speakers: Sequence[str | None]
) -> tuple[list[str], Adapted]:
    """The answers after adaptation to the collection, and their scores."""
    offsets = adaptation.class_offsets(logits)
    answers = _answers(logits + offsets, task)
    return answers, Adapted(
        **vars(score(truth, answers, task.labels, speakers)),
        adaptation=adaptation.NAME,
        assumes=adaptation.ASSUMES,
        offsets=dict(zip(task.labels, offsets.tolist(), strict=True)),
    )


def _answers(scores: np.ndarray, task: tasks.Task) -> list[str]:
    return [task.labels[number] for number in scores.argmax(axis=1)]


def _relative(index: pd.MultiIndex, path: Path) -> pd.MultiIndex:
    """The index with files relative to the corpus, so that results say nothing of the machine."""
    return index.set_levels([_inside(file, path) for file in index.levels[0]], level=0)


def _inside(file: str, path: Path) -> str:
    return Path(os.path.relpath(file, path if path.is_dir() else path.parent)).as_posix()


def _rejected(rejects: Sequence[Reject], path: Path) -> list[Rejected]:
    return [Rejected(_inside(one.file, path), one.start, one.end, one.fault) for one in rejects]
