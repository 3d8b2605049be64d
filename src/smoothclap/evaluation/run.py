"""One evaluation, from a model and its tasks to the files that are left behind."""

from collections.abc import Callable, Sequence
from pathlib import Path

from smoothclap import __version__
from smoothclap.corpora import LoadedCorpus
from smoothclap.evaluation import metrics, report, results, zero_shot
from smoothclap.evaluation.tasks import Task
from smoothclap.evaluation.zero_shot import Evaluation
from smoothclap.files import replacing
from smoothclap.inference import SmoothCLAP
from smoothclap.store import FeatureStore


def run(
    clap: SmoothCLAP,
    opened: Sequence[tuple[Task, LoadedCorpus]],
    output: Path,
    *,
    store: FeatureStore,
    adapt: bool = False,
    workers: int | None = None,
    strict: bool = False,
    on_task: Callable[[Task, LoadedCorpus], None] = lambda task, corpus: None,
) -> tuple[results.Results, list[Evaluation]]:
    """Evaluate a model and write `results.json`, `report.html` and `predictions-TASK.parquet`.

    Args:
        clap: the model.
        opened: tasks, each named once, with their corpora (`tasks.open_task`).
        output: folder to write to.
        store: frozen features.
        adapt: also give the scores after label-free adaptation to the collection.
        workers: processes to compute features with; absent: one per core.
        strict: raise at the first clip that cannot be read.
        on_task: told of each task before it begins.

    Returns:
        What was written as `results.json`, and what it was computed from, a task each.

    Raises:
        TaskError, EvaluationError, AudioError: see `zero_shot.evaluate`.
        WriteError: a file cannot be written.
    """
    evaluations = []
    for task, corpus in opened:
        on_task(task, corpus)
        evaluations.append(
            zero_shot.evaluate(clap, task, corpus, store, adapt=adapt, workers=workers, strict=strict)
        )
    found = results.Results(
        schema=results.SCHEMA,
        smoothclap=__version__,
        model=results.Model(name=clap.name, training=clap.training),
        resampling=results.Resampling(
            unit="speaker", level=metrics.LEVEL, resamples=metrics.RESAMPLES, seed=metrics.SEED
        ),
        tasks=[evaluation.result for evaluation in evaluations],
    )
    for evaluation in evaluations:
        with replacing(output / f"predictions-{evaluation.result.task}.parquet") as beside:
            evaluation.predictions.to_parquet(beside)
    results.save(found, output / "results.json")
    report.write(output / "report.html", found, evaluations, report.read_history(clap.directory))
    return found, evaluations
