"""`smoothclap classify`: which of some words fits how a recording sounds."""

from pathlib import Path
from typing import Annotated

import typer

from smoothclap.cli.common import Json, Strict, emit, say


def classify(
    audio: Annotated[list[Path], typer.Argument(help="Sound files.")],
    labels: Annotated[str, typer.Option("--labels", help="Words or phrases, separated by commas.")],
    model: Annotated[Path | None, typer.Option("--model", help="Model directory.")] = None,
    template: Annotated[str, typer.Option("--template", help="Text with {} where the label goes.")] = "{}",
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Say how well each label describes how a recording sounds; no training on the labels is needed.

    Example: smoothclap classify call.wav --labels angry,happy,neutral,sad --model model
    """
    from smoothclap.audio import AudioError
    from smoothclap.errors import SmoothClapError
    from smoothclap.inference import SmoothCLAP

    clap = SmoothCLAP.from_pretrained(model)
    words = labels.split(",")
    answers, rejects = [], []
    for path in audio:
        try:
            answer = clap.classify(path, words, template=template)
        except AudioError as error:
            if strict:
                raise
            rejects.append({"file": str(path), "fault": type(error).__name__, "message": str(error)})
            say(f"left out: {error}")
            continue
        answers.append({"file": str(path), "probabilities": answer})
        if not json:
            shares = "  ".join(f"{label} {share:.2f}" for label, share in answer.items())
            print(f"{path}: {shares}")
    if json:
        emit({"model": clap.name, "template": template, "results": answers, "rejects": rejects})
    if not answers:
        raise SmoothClapError(f"none of the {len(audio)} files could be heard; see the lines above")
