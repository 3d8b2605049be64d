import errno
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from smoothclap import audio, store
from smoothclap.corpora.schema import clip_index
from smoothclap.errors import MissingExtraError
from smoothclap.files import WriteError
from smoothclap.store import Features, FeatureStore, StoreError


class Moments:
    """Mean and standard deviation; leaves a line in `log` for each clip, waits, and fails where told."""

    name = "moments"

    def __init__(self, log: Path, seconds: float = 0.0, fail: str = "", **settings: object) -> None:
        self.log, self.seconds, self.fail = log, seconds, fail
        self.settings = settings

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        with self.log.open("a") as file:
            file.write(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}\n")
        time.sleep(self.seconds)
        if self.fail == "loud" and np.abs(samples).max() > 0.5:
            raise ValueError("too\nloud")
        if self.fail == "extra":
            raise MissingExtraError("Moments", "opensmile")
        if self.fail == "die":
            os._exit(3)
        return np.array([samples.mean(), samples.std()])

    def calls(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


class Frames:
    """As many frames as the clip has tenths of a second."""

    name, settings = "org/frames", {}

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        return samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)[:, :4]


def sound(path: Path, number: int, seconds: float = 0.2) -> Path:
    samples = np.random.default_rng(number).uniform(-0.3, 0.3, round(seconds * 16_000))
    soundfile.write(path, samples, 16_000)
    return path


def corpus(folder: Path, count: int) -> pd.MultiIndex:
    return clip_index(sound(folder / f"{number:03}.wav", number) for number in range(count))


def expected(clips: pd.MultiIndex) -> np.ndarray:
    samples = [audio.load(file) for file in clips.get_level_values("file")]
    return np.array([[x.mean(), x.std()] for x in samples], np.float32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def moments(tmp_path: Path) -> Moments:
    return Moments(tmp_path / "calls.log")


def shards(root: Path) -> list[Path]:
    return sorted(root.glob("*/*.safetensors"))


class TestCompute:
    def test_values_order_and_a_second_run_without_work(self, tmp_path: Path, root: Path, moments: Moments):
        clips = corpus(tmp_path, 5)
        first = FeatureStore(root).compute(clips, moments)
        assert (first.computed, first.reused, first.rejects) == (5, 0, [])
        np.testing.assert_array_equal(first.stack(), expected(clips))
        assert first.stack().dtype == np.float32
        again = FeatureStore(root).compute(clips[::-1], moments)
        assert (again.computed, again.reused, moments.calls()) == (0, 5, 5)
        np.testing.assert_array_equal(again.stack(), first.stack()[::-1])
        pd.testing.assert_index_equal(again.index, clips[::-1])
        assert again.digests == [audio.digest(file) for file in clips[::-1].get_level_values("file")]

    def test_worker_processes_give_the_same_with_one_thread_each(
        self, tmp_path: Path, root: Path, moments: Moments
    ):
        clips = corpus(tmp_path, 40)
        before = dict(os.environ)
        features = FeatureStore(root).compute(clips, moments, workers=2)
        np.testing.assert_array_equal(features.stack(), expected(clips))
        assert features.computed == 40
        lines = [line.split() for line in moments.log.read_text().splitlines()]
        assert {threads for _, threads in lines} == {"1"}
        assert str(os.getpid()) not in {pid for pid, _ in lines}
        assert dict(os.environ) == before

    def test_a_moved_file_and_a_copy_are_known_by_content(self, tmp_path: Path, root: Path, moments: Moments):
        clips = clip_index([sound(tmp_path / "a.wav", 1), sound(tmp_path / "copy.wav", 1)])
        features = FeatureStore(root).compute(clips, moments)
        assert (features.computed, features.reused, len(features)) == (1, 1, 2)
        (tmp_path / "a.wav").rename(tmp_path / "b.wav")
        assert FeatureStore(root).compute(clip_index([tmp_path / "b.wav"]), moments).computed == 0

    def test_changed_settings_or_content_compute_again(self, tmp_path: Path, root: Path):
        clips = corpus(tmp_path, 1)
        log = tmp_path / "calls.log"
        assert FeatureStore(root).compute(clips, Moments(log, version=1)).computed == 1
        assert FeatureStore(root).compute(clips, Moments(log, version=2)).computed == 1
        assert FeatureStore(root).compute(clips, Moments(log, version=1)).computed == 0
        sound(tmp_path / "000.wav", 77)
        assert FeatureStore(root).compute(clips, Moments(log, version=1)).computed == 1
        described = [json.loads(path.read_text()) for path in root.glob("*/settings.json")]
        assert {entry["settings"]["version"] for entry in described} == {1, 2}

    def test_segments(self, tmp_path: Path, root: Path, moments: Moments):
        file = str(sound(tmp_path / "a.wav", 1, seconds=1.0))
        starts = pd.to_timedelta([0, 0.25, 0.5, 0], unit="s")
        ends = pd.to_timedelta([pd.NaT, 0.5, pd.NaT, 9], unit="s")
        clips = pd.MultiIndex.from_arrays([[file] * 4, starts, ends], names=["file", "start", "end"])
        features = FeatureStore(root).compute(clips, moments)
        whole = audio.load(file)
        np.testing.assert_allclose(
            features.stack()[:, 1], [whole.std(), whole[4000:8000].std(), whole[8000:].std()], rtol=1e-6
        )
        assert features.digests == [audio.digest(file)] * 3
        assert [(reject.start, reject.end) for reject in features.rejects] == [(0.0, 9.0)]

    def test_lengths_may_differ_but_do_not_stack(self, tmp_path: Path, root: Path):
        clips = clip_index([sound(tmp_path / "a.wav", 1, 0.5), sound(tmp_path / "b.wav", 2, 0.7)])
        features = FeatureStore(root).compute(clips, Frames())
        assert [features[i].shape for i in range(2)] == [(5, 4), (7, 4)]
        with pytest.raises(StoreError, match="shape"):
            features.stack()

    def test_no_clips(self, root: Path, moments: Moments):
        features = FeatureStore(root).compute(clip_index([]), moments)
        assert (len(features), features.computed, features.keep.tolist()) == (0, 0, [])
        with pytest.raises(StoreError, match="no clip"):
            features.stack()

    def test_the_root_is_an_option_a_variable_or_the_cache(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ):
        monkeypatch.setenv("SMOOTHCLAP_STORE", str(tmp_path / "here"))
        assert FeatureStore().root == tmp_path / "here"
        monkeypatch.delenv("SMOOTHCLAP_STORE")
        assert FeatureStore().root == Path.home() / ".cache" / "smoothclap" / "features"

    def test_features_are_not_held_in_memory(self, tmp_path: Path, root: Path):
        def peak(count: int) -> int:
            bucket = FeatureStore(root).bucket(f"of {count}", {})
            for number in range(count):
                bucket.write({f"{number}": np.full(200_000, number, np.float32)})
            keys = [str(number) for number in range(count)]
            tracemalloc.start()
            features = Features(bucket, keys, clip_index(keys), np.ones(count, bool), [], 0)
            assert sum(float(features[i][0]) for i in range(count)) == sum(range(count))
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return used

        assert peak(40) < 1.5 * peak(4)


class TestBadClips:
    @pytest.fixture
    def mixed(self, tmp_path: Path) -> pd.MultiIndex:
        """Good clips at places 1 and 6, and six faults."""
        good = sound(tmp_path / "good.wav", 1)
        (tmp_path / "empty.wav").touch()
        (tmp_path / "folder.wav").mkdir()
        soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
        soundfile.write(tmp_path / "short.wav", np.ones(160) / 2, 16_000)
        cut = sound(tmp_path / "cut.wav", 2)
        cut.write_bytes(cut.read_bytes()[:-2000])
        names = ["empty", "good", "folder", "silent", "short", "cut", "better", "gone"]
        sound(tmp_path / "better.wav", 3)
        assert good.exists()
        return clip_index(tmp_path / f"{name}.wav" for name in names)

    FAULTS = ("AudioEmpty", "AudioNotFound", "AudioSilent", "AudioTooShort", "AudioTruncated", "AudioNotFound")

    @pytest.mark.parametrize("workers", [1, 2])
    def test_they_are_counted_and_cost_nothing_else(
        self, mixed: pd.MultiIndex, root: Path, moments: Moments, workers: int
    ):
        mixed = mixed.append(mixed[:2]) if workers == 2 else mixed  # as many as start worker processes
        features = FeatureStore(root).compute(mixed, moments, workers=workers)
        assert tuple(reject.fault for reject in features.rejects)[:6] == self.FAULTS
        for reject, file in zip(features.rejects, mixed[~features.keep].get_level_values("file"), strict=True):
            assert reject.file == file
            assert file in reject.message
        assert np.flatnonzero(features.keep)[:2].tolist() == [1, 6]
        np.testing.assert_array_equal(features.stack(), expected(mixed[features.keep]))
        assert FeatureStore(root).compute(mixed, moments).computed == 0

    def test_strict_raises_the_first(self, mixed: pd.MultiIndex, root: Path, moments: Moments):
        with pytest.raises(audio.AudioNotFound):
            FeatureStore(root).compute(mixed, moments, strict=True)
        with pytest.raises(audio.AudioSilent):
            FeatureStore(root).compute(mixed[[1, 3]], moments, strict=True)
        assert FeatureStore(root).compute(mixed[[1]], moments).computed == 0

    @pytest.mark.parametrize("count", [2, 10])
    def test_an_extractors_own_failure_is_the_clips(self, tmp_path: Path, root: Path, count: int):
        clips = corpus(tmp_path, count)
        soundfile.write(tmp_path / "000.wav", np.sin(np.arange(8000)), 16_000)
        failing = Moments(tmp_path / "log", fail="loud")
        features = FeatureStore(root).compute(clips, failing, workers=2)
        assert [reject.fault for reject in features.rejects] == ["ExtractionError"]
        assert "ValueError: too loud" in features.rejects[0].message
        assert features.computed == count - 1
        with pytest.raises(store.ExtractionError):
            FeatureStore(root).compute(clips, failing, workers=2, strict=True)

    @pytest.mark.parametrize("count", [2, 10])
    def test_what_is_no_clips_fault_stops_the_run(self, tmp_path: Path, root: Path, count: int):
        with pytest.raises((MissingExtraError, StoreError), match=r"needs the extra \[opensmile\]"):
            FeatureStore(root).compute(
                corpus(tmp_path, count), Moments(tmp_path / "log", fail="extra"), workers=2
            )

    def test_a_worker_that_dies_is_one_clear_error(self, tmp_path: Path, root: Path):
        with pytest.raises(StoreError, match="worker process died"):
            FeatureStore(root).compute(corpus(tmp_path, 8), Moments(tmp_path / "log", fail="die"), workers=2)


class TestDamage:
    def damage(self, path: Path, how: str) -> None:
        content = bytearray(path.read_bytes())
        if how == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif how == "empty":
            path.write_bytes(b"")
        else:
            content[-3] ^= 0xFF
            path.write_bytes(content)

    @pytest.mark.parametrize("how", ["cut", "empty", "flipped"])
    def test_a_damaged_shard_is_computed_again_with_one_warning(
        self, tmp_path: Path, root: Path, moments: Moments, how: str
    ):
        clips = corpus(tmp_path, 6)
        FeatureStore(root).compute(clips[:3], moments)
        (bad,) = shards(root)
        FeatureStore(root).compute(clips, moments)
        self.damage(bad, how)
        with pytest.warns(UserWarning, match="damaged") as caught:
            features = FeatureStore(root).compute(clips, moments)
        assert len(caught) == 1
        assert str(bad) in str(caught[0].message)
        assert features.computed == 3
        np.testing.assert_array_equal(features.stack(), expected(clips))
        assert FeatureStore(root).compute(clips, moments).computed == 0

    def test_damage_is_never_read(self, root: Path):
        FeatureStore(root).bucket("text", {}).write({"a": np.arange(5.0)})
        self.damage(shards(root)[0], "flipped")
        with pytest.warns(UserWarning, match="damaged"), pytest.raises(StoreError, match="run again"):
            FeatureStore(root).bucket("text", {}).read("a")

    def test_full_disk(self, tmp_path: Path, root: Path, moments: Moments, monkeypatch: pytest.MonkeyPatch):
        clips = corpus(tmp_path, 6)
        FeatureStore(root).compute(clips[:3], moments)

        def full(self: Path, content: bytes) -> int:
            with self.open("wb") as file:
                file.write(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", full)
            with pytest.raises(WriteError, match="No space left") as caught:
                FeatureStore(root).compute(clips, moments)
        assert "\n" not in str(caught.value)
        assert len(os.listdir(shards(root)[0].parent)) == 2  # settings and the first shard: no half files
        assert FeatureStore(root).compute(clips, moments).computed == 3


class TestBucket:
    def test_round_trip_keeps_type_and_shape(self, root: Path):
        arrays = {
            "vector": np.arange(4, dtype=np.float32),
            "ints": np.arange(6).reshape(2, 3).T,
            "number": np.array(1.5),
            "none": np.zeros((0, 64), np.float32),
        }
        FeatureStore(root).bucket("any", {"a": 1}).write(arrays)
        bucket = FeatureStore(root).bucket("any", {"a": 1})
        assert bucket.missing([*arrays, "new", "new"]) == ["new"]
        for key, array in arrays.items():
            assert bucket.read(key).dtype == array.dtype
            np.testing.assert_array_equal(bucket.read(key), array)
        with pytest.raises(StoreError, match="new"):
            bucket.read("new")

    def test_looking_makes_no_folder(self, root: Path):
        assert FeatureStore(root).bucket("x", {}).missing(["a"]) == ["a"]
        assert not root.exists()

    def test_order_of_settings_does_not_matter(self, root: Path):
        one = FeatureStore(root).bucket("a/b", {"x": 1, "y": [2]})
        assert one.folder == FeatureStore(root).bucket("a/b", {"y": [2], "x": 1}).folder
        assert one.folder != FeatureStore(root).bucket("a_b", {"x": 1, "y": [2]}).folder
        assert one.folder.parent == root

    def test_a_reader_sees_what_another_process_adds(self, root: Path):
        reader, writer = (FeatureStore(root).bucket("x", {}) for _ in range(2))
        assert reader.missing(["a"]) == ["a"]
        writer.write({"a": np.ones(2)})
        assert reader.missing(["a"]) == []
        writer.write({"b": np.zeros(2)})
        assert reader.read("b").tolist() == [0, 0]

    def test_duplicates_are_harmless(self, root: Path):
        for _ in range(2):
            FeatureStore(root).bucket("x", {}).write({"a": np.ones(2)})
        assert len(shards(root)) == 2
        assert FeatureStore(root).bucket("x", {}).read("a").tolist() == [1, 1]


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from smoothclap.corpora.schema import clip_index
from smoothclap.store import FeatureStore
from test_store import Moments
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    clips = clip_index(sorted(folder.glob("*.wav")))
    features = FeatureStore(folder / "store").compute(clips, Moments(folder / "calls.log", 0.02), workers=2)
    print(features.computed, features.reused, float(features.stack().sum()))
"""


def alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
class TestProcesses:
    def start(self, folder: Path) -> subprocess.Popen[str]:
        script = folder / "script.py"
        script.write_text(SCRIPT.format(tests=str(Path(__file__).parent)))
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, str(script), str(folder)],
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )

    def workers(self, folder: Path) -> set[int]:
        return {int(line.split()[0]) for line in (folder / "calls.log").read_text().splitlines()}

    def wait_for(self, condition: object, seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.02)

    def test_two_at_the_same_time(self, tmp_path: Path, root: Path, moments: Moments):
        clips = corpus(tmp_path, 80)
        runs = [self.start(tmp_path) for _ in range(2)]
        outputs = [run.communicate(timeout=60) for run in runs]
        assert [run.returncode for run in runs] == [0, 0], outputs
        assert outputs[0][0].split()[2] == outputs[1][0].split()[2]
        features = FeatureStore(root).compute(clips, moments)
        assert features.computed == 0
        np.testing.assert_array_equal(features.stack(), expected(clips))

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_stopped_in_the_middle_it_goes_on_where_it_was(
        self, tmp_path: Path, root: Path, moments: Moments, how: signal.Signals
    ):
        clips = corpus(tmp_path, 160)
        run = self.start(tmp_path)
        self.wait_for(lambda: shards(root) or run.poll() is not None)
        assert run.poll() is None, run.communicate()
        if how == signal.SIGINT:
            os.killpg(run.pid, how)  # as a terminal does
        else:
            run.send_signal(how)
        run.communicate(timeout=20)
        assert run.returncode != 0
        workers = self.workers(tmp_path)
        self.wait_for(lambda: not any(map(alive, workers)), seconds=5)
        done = moments.calls()
        assert 64 <= done < 160
        features = FeatureStore(root).compute(clips, moments, workers=1)
        assert 64 <= features.reused < 160
        np.testing.assert_array_equal(features.stack(), expected(clips))
        assert moments.calls() - done == features.computed
        assert Counter(path.suffix for path in shards(root)[0].parent.iterdir())[".json"] == 1
