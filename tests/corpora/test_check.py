from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from smoothclap.corpora import check as check_module
from smoothclap.corpora import load_corpus
from smoothclap.corpora.check import check


def kinds(report):
    return Counter(problem.kind for problem in report.problems)


def problem(report, kind):
    (found,) = [problem for problem in report.problems if problem.kind == kind]
    return found


def table_of(folder, *rows, header="file,speaker,emotion,split"):
    folder.mkdir(exist_ok=True)
    (folder / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    return load_corpus(f"table={folder / 't.csv'}")


def test_a_sound_corpus_has_no_problem(tmp_path, tone):
    for number, emotion in enumerate("FFWW"):
        tone(tmp_path / f"wav/03a01{emotion}{'ab'[number % 2]}.wav", 200 + 50 * number, seconds=0.5 + number)
    report = check(load_corpus(f"emodb={tmp_path}"))
    assert report.problems == ()
    assert report.counts("emotion") == {"angry": 2, "happy": 2}
    assert report.durations() == {"min": 0.5, "median": 2.0, "max": 3.5, "total": 8.0}
    assert report.as_dict()["official"]["clips"] == 535


def test_every_fault_of_a_sound_file_is_told(tmp_path, tone):
    tone(tmp_path / "good.wav", 300)
    tone(tmp_path / "short.wav", 310, seconds=0.01)
    whole = tone(tmp_path / "cut.wav", 320).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "noise.wav").write_bytes(b"nothing that is sound")
    (tmp_path / "empty.wav").touch()
    tone(tmp_path / "silent.wav", peak=0)
    tone(tmp_path / "clipped.wav", 330, peak=1.5)
    tone(tmp_path / "loud.wav", 340, peak=0.99)
    soundfile.write(tmp_path / "nan.wav", np.full(8000, np.nan), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "slow.wav", np.sin(np.arange(8000)) / 2, 4_000)
    soundfile.write(tmp_path / "again.flac", soundfile.read(tmp_path / "good.wav")[0], 16_000)
    names = ["good", "short", "cut", "noise", "empty", "silent", "clipped", "loud", "nan", "slow", "gone"]
    rows = [f"{name}.wav,x,sad,train" for name in names]
    report = check(table_of(tmp_path, *rows, "again.flac,x,angry,train", "loud.wav,x,angry,train"))
    assert kinds(report) == {
        kind: 1
        for kind in [
            "too short",
            "truncated",
            "undecodable",
            "empty",
            "silent",
            "clipped",
            "not finite",
            "implausible rate",
            "missing file",
            "duplicate content",
            "clip listed twice",
        ]
    }
    assert problem(report, "clipped").files == (str(tmp_path / "clipped.wav"),)
    same = problem(report, "duplicate content")
    assert same.message == "2 clips hold the same samples, labelled angry and sad"
    assert same.files == (str(tmp_path / "good.wav"), str(tmp_path / "again.flac"))
    assert len(report.seconds) == 4


def test_every_fault_of_the_labels_is_told(tmp_path, tone):
    for number in range(7):
        tone(tmp_path / f"{number}.wav", 200 + 10 * number)
    report = check(
        table_of(
            tmp_path,
            "0.wav,a,sad,train,female,0.5",
            "1.wav,a,Sad,test,f,",
            "2.wav,b,excited,test,male,0.5",
            "3.wav,b,excited,test,robot,0.5",
            "4.wav,b,happy,test,,0.5",
            "5.wav,,,test,,0.5",
            "6.wav,b,,test,,0.5",
            header="file,speaker,emotion,split,gender,valence",
        )
    )
    assert kinds(report) == {
        "labels merged": 1,
        "empty label": 2,
        "unknown label": 1,
        "single clip": 1,
        "unknown gender": 1,
        "no speaker": 1,
        "speaker in two splits": 1,
    }
    assert problem(report, "unknown label").files == (str(tmp_path / "2.wav"), str(tmp_path / "3.wav"))
    assert problem(report, "single clip").message == "emotion 'happy' has one clip only"
    assert problem(report, "speaker in two splits").message == "speaker 't/a' is in test and train"
    assert "emotion: 2 of 7 clips have none" in [one.message for one in report.problems]


def test_segments_are_told_apart(tmp_path, tone):
    tone(tmp_path / "a.wav", 200, seconds=1)
    rows = ["a.wav,x,sad,0,0.5", "a.wav,x,sad,0.5,1", "a.wav,x,sad,0.7,1.5"]
    report = check(table_of(tmp_path, *rows, header="file,speaker,emotion,start,end"))
    outside = problem(report, "outside the file")
    assert outside.files == (f"{tmp_path / 'a.wav'} [0.7-1.5 s]",)


def test_no_label_at_all(tmp_path, tone):
    tone(tmp_path / "a.wav")
    assert problem(check(table_of(tmp_path, "a.wav,x,,")), "empty label").message == "no clip has any label"


def test_processes_find_what_one_process_finds(tmp_path, tone, monkeypatch):
    rows = []
    for number in range(6):
        tone(tmp_path / f"{number}.wav", 200 + 10 * (number // 2), seconds=0.2)
        rows.append(f"{number}.wav,x,sad,train")
    (tmp_path / "3.wav").write_bytes(b"")
    corpus = table_of(tmp_path, *rows)
    alone = check(corpus)
    monkeypatch.setattr(check_module, "FEW", 0)
    together = check(corpus)
    assert together.problems == alone.problems
    assert kinds(alone) == {"empty": 1, "duplicate content": 2}
    np.testing.assert_array_equal(together.seconds, alone.seconds)


def test_more_clips_than_there_are(tree):
    loaded = load_corpus(f"emodb={tree('03a01Fa.wav', '03a01Wa.wav')}")
    small = replace(loaded.corpus, official=replace(loaded.corpus.official, clips=1))
    assert kinds(check(replace(loaded, corpus=small)))["too many clips"] == 1


def test_a_real_corpus(corpora):
    report = check(load_corpus(f"ravdess={corpora / 'ravdess'}"))
    assert report.durations()["total"] == pytest.approx(2660, abs=10)
    # A slip of the release: two takes of actor 7 are one recording.
    assert [one.kind for one in report.problems] == ["duplicate content"]
