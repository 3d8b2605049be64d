"""`smoothclap demo`: the whole way, from nothing to a tested model, on voices made up on the spot."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smoothclap.cli.common import Json, emit, say

if TYPE_CHECKING:
    from smoothclap.corpora import LoadedCorpus
    from smoothclap.evaluation.zero_shot import Evaluation
    from smoothclap.inference import SmoothCLAP
    from smoothclap.store import FeatureStore

OBJECTIVES = {
    "clap": "Each clip is measured (openSMILE) and put into words. The model learns which words go with it;\n"
    "the words of all other clips count as equally wrong.",
    "smoothclap": "The same clips and words, but the words of clips that sound alike count as partly right "
    "(soft targets).",
}
EPOCHS_A_LINE = 10
UNITS = {"pitch": "semitones above 27.5 Hz", "intensity": "dB re full scale"}


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")] = Path("demo"),
    json: Json = False,
) -> None:
    """Make a corpus, train two models on it, test and use them: a tour that needs no data and no network.

    Stopped at any moment, the same command goes on where it was.

    Needs openSMILE (the extra 'opensmile'), whose licence allows research and
    personal use only.

    Example: smoothclap demo -o demo
    """
    import torch

    from smoothclap.inference import SmoothCLAP
    from smoothclap.store import FeatureStore

    began = time.perf_counter()
    # Steps of milliseconds are quickest on one thread: on a busy machine, several mostly wait for each other.
    torch.set_num_threads(1)
    show = say if json else typer.echo
    store = FeatureStore(output / "features")

    with _stage(
        "1/5 Making up speakers who act emotions",
        "Nothing is downloaded; and since every clip's pitch and loudness are chosen, the truth is known.",
    ):
        corpus = _make_corpus(output / "corpus")
    models = {objective: output / "models" / objective for objective in OBJECTIVES}
    for number, (objective, why) in enumerate(OBJECTIVES.items(), start=2):
        with _stage(f"{number}/5 Training with the objective `{objective}`", why):
            _train(objective, models[objective], corpus, store)
    with _stage(
        "4/5 Testing both on speakers they never heard",
        "The emotion words are the questions, the nearest word is the answer. UAR, the mean of the classes' "
        "recalls,\nis the field's measure; its interval says what other speakers might have given.",
    ):
        evaluations = {
            objective: _evaluate(folder, output / "reports" / objective, corpus, store)
            for objective, folder in models.items()
        }
    show("\n".join(_score_lines(evaluations)))
    with _stage(
        "5/5 Using the `smoothclap` model on the first clip of the test speakers",
        "Any words can be asked; the caption comes from openSMILE's measures, not from the model.",
    ):
        clip = _use(SmoothCLAP.from_pretrained(models["smoothclap"]), corpus, store)
    show("\n".join(_clip_lines(clip)))

    reports = {objective: output / "reports" / objective / "report.html" for objective in OBJECTIVES}
    seconds = time.perf_counter() - began
    say(f"\nDone in {seconds:.0f} s. Open in a browser: {' and '.join(map(str, reports.values()))}")
    say(
        "The voices are synthetic: these numbers show that the parts work together, and say nothing about "
        "real speech."
    )
    if json:
        scores = [
            {
                "objective": objective,
                "model": str(models[objective]),
                "report": str(reports[objective]),
                "uar": evaluation.result.uar,
                "interval": evaluation.result.interval,
                "chance": evaluation.result.chance,
            }
            for objective, evaluation in evaluations.items()
        ]
        emit({"corpus": str(corpus.path), "models": scores, "clip": clip, "seconds": round(seconds, 1)})


@contextmanager
def _stage(title: str, why: str) -> Iterator[None]:
    """Say what is done and why before it is done, and after it how long it took."""
    say(f"\n{title}\n{why}")
    began = time.perf_counter()
    yield
    say(f"({time.perf_counter() - began:.1f} s)")


def _make_corpus(folder: Path) -> "LoadedCorpus":
    from smoothclap.corpora import demo as synthetic
    from smoothclap.corpora import load_corpus

    corpus = load_corpus(f"demo={synthetic.build(folder)}")
    test = corpus.table[corpus.table["split"] == "test"]
    say(
        f"{len(corpus.table)} clips of {corpus.table['speaker'].nunique()} speakers in "
        f"{corpus.table['emotion'].nunique()} emotions, in {folder}; "
        f"{test['speaker'].nunique()} speakers ({len(test)} clips) are kept for the test"
    )
    return corpus


def _train(objective: str, folder: Path, corpus: "LoadedCorpus", store: "FeatureStore") -> None:
    from importlib.resources import as_file, files

    from smoothclap.training.loop import train
    from smoothclap.training.recipe import load_recipe

    def on_epoch(row: dict[str, Any]) -> None:
        if row["epoch"] % EPOCHS_A_LINE == 0:
            say(
                f"epoch {row['epoch']}/{recipe.optimiser.epochs}  loss {row['loss']:.3f}  "
                f"UAR on held-out training speakers {row['validation_uar']:.2f}"
            )

    with as_file(files("smoothclap.training") / "demo.yaml") as path:
        recipe = load_recipe(path, [f"objective.name={objective}"])
    train(recipe, [corpus], folder, store=store, resume=True, on_epoch=on_epoch)
    say(f"the model is in {folder}")


def _evaluate(model: Path, output: Path, corpus: "LoadedCorpus", store: "FeatureStore") -> "Evaluation":
    from smoothclap.evaluation.run import run
    from smoothclap.evaluation.tasks import open_task
    from smoothclap.inference import SmoothCLAP

    opened = [open_task(f"demo={corpus.path}")]
    _, evaluations = run(SmoothCLAP.from_pretrained(model), opened, output, store=store)
    return evaluations[0]


def _score_lines(evaluations: "dict[str, Evaluation]") -> list[str]:
    """The scores as a table, and whether the two objectives differ, judged on the same clips."""
    from smoothclap.evaluation.metrics import paired_difference
    from smoothclap.evaluation.notes import decimal, interval_text

    lines = [f"{'objective':<12}{'UAR':>6}   {'95 % interval':<16}{'chance':>6}"]
    for objective, evaluation in evaluations.items():
        result = evaluation.result
        lines.append(
            f"{objective:<12}{decimal(result.uar):>6}   {interval_text(result.interval):<16}"
            f"{decimal(result.chance):>6}"
        )
    clap, smoothclap = evaluations["clap"], evaluations["smoothclap"]
    difference = paired_difference(
        list(clap.predictions["truth"]),
        [list(smoothclap.predictions["prediction"])],
        [list(clap.predictions["prediction"])],
        clap.result.classes,
        list(clap.predictions["speaker"]),
    )
    return [
        *lines,
        f"smoothclap - clap: {decimal(difference.value)} {interval_text(difference.interval)}, "
        f"p = {difference.p:.2f}; {difference.note}",
    ]


def _use(clap: "SmoothCLAP", corpus: "LoadedCorpus", store: "FeatureStore") -> dict[str, Any]:
    """Classify and describe the first test clip: chosen before anyone knew what the model says of it."""
    from smoothclap.paralinguistics.bins import Bins
    from smoothclap.paralinguistics.captions import caption, tag_table
    from smoothclap.paralinguistics.egemaps import FunctionalsExtractor, measures

    clips = corpus.table[corpus.table["split"] == "test"].iloc[:1]
    file, truth = clips.index[0][0], clips.iloc[0]
    values = measures(store.compute(clips.index, FunctionalsExtractor(), strict=True).stack())
    tags = tag_table(values, values, Bins.load(clap.directory / "bins.json"))
    measured = values.iloc[0]
    return {
        "file": str(corpus.path / Path(file).relative_to(corpus.path.absolute())),
        "truth": truth["emotion"],
        "probabilities": clap.classify(file, sorted(corpus.table["emotion"].unique())),
        "caption": caption(tags[0], style="natural"),
        "measured": {name: float(measured[f"{name}_mean"]) for name in UNITS},
        "synthesised": {name: float(truth[f"true_{name}_mean"]) for name in UNITS},
    }


def _clip_lines(clip: dict[str, Any]) -> list[str]:
    measured, synthesised = clip["measured"], clip["synthesised"]
    shares = "  ".join(f"{label} {share:.2f}" for label, share in clip["probabilities"].items())
    return [
        f"{clip['file']}, acted {clip['truth']}",
        f"  the model's answer: {shares}",
        f"  caption: {clip['caption']}",
        *(
            f"  {name}: measured {measured[name]:.1f}, synthesised with {synthesised[name]:.1f} {unit}"
            for name, unit in UNITS.items()
        ),
    ]
