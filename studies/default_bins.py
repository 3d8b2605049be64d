"""The thresholds that `smoothclap describe` uses without a model, fitted on real emotional speech.

    python studies/default_bins.py CORPORA [-o FILE] [--store DIR]

CORPORA holds the folders named in `FOLDERS`. Only the clips' sound is used. The thresholds are numbers over
thousands of clips of 69 speakers; no clip can be told from them. nEMO makes up half of the clips.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from smoothclap.cli.describe import sound_files
from smoothclap.corpora.schema import clip_index
from smoothclap.paralinguistics.bins import Bins
from smoothclap.paralinguistics.egemaps import FunctionalsExtractor, measures
from smoothclap.store import FeatureStore

FOLDERS = ("emodb", "emovo", "nemo", "urdu", "emotiontts")
HERE = Path(__file__).parent.parent / "src" / "smoothclap" / "paralinguistics" / "default_bins.json"


def main(
    corpora: Path,
    output: Annotated[Path, typer.Option("-o")] = HERE,
    store: Annotated[Path | None, typer.Option()] = None,
) -> None:
    parts, counts = [], []
    for folder in FOLDERS:
        files = sound_files([corpora / folder])
        parts.append(clip_index(files))
        counts.append(f"{folder} {len(files)}")
    clips = parts[0].append(parts[1:])
    features = FeatureStore(store).compute(clips, FunctionalsExtractor())
    for reject in features.rejects:
        print(reject.message)
    source = (
        f"{len(features)} clips of acted and broadcast emotional speech ({', '.join(counts)};"
        f" {len(features.rejects)} refused); opensmile {version('opensmile')}; studies/default_bins.py"
    )
    bins = Bins.fit(measures(features.stack()), source)
    bins.save(output)
    for name, limits in bins.thresholds.items():
        print(f"{name:15} low < {limits.low:8.4f}   high > {limits.high:8.4f}   {limits.count} clips")


if __name__ == "__main__":
    typer.run(main)
