from pathlib import Path

import pandas as pd
import pytest

from smoothclap.evaluation.overlap import training_overlap
from smoothclap.evaluation.results import TrainedOn

TRAINING = {"corpora": [{"name": "emodb", "clips": 2, "speakers": 1}]}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    met = pd.DataFrame({"corpus": "emodb", "speaker": ["emodb/03", "emodb/03"], "digest": ["aa", "bb"]})
    met.to_parquet(tmp_path / "trained_on.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("corpus", "digests", "speakers", "expected"),
    [
        ("emodb", ["aa", "cc"], ["emodb/03", "emodb/08"], TrainedOn(corpus=True, clips=1, speakers=1)),
        ("renamed", ["aa", "bb"], ["x", None], TrainedOn(corpus=True, clips=2, speakers=0)),
        ("emodb", ["cc"], ["emodb/08"], TrainedOn(corpus=True, clips=0, speakers=0)),
        ("tess", ["cc"], ["tess/OAF"], TrainedOn(corpus=False, clips=0, speakers=0)),
    ],
)
def test_overlap(directory, corpus, digests, speakers, expected):
    assert training_overlap(directory, TRAINING, corpus, digests, speakers) == expected


def test_a_model_that_does_not_say_is_not_called_clean(directory, tmp_path):
    assert training_overlap(directory, None, "tess", ["cc"], ["x"]) is None
    assert training_overlap(tmp_path / "elsewhere", TRAINING, "tess", ["cc"], ["x"]) is None
