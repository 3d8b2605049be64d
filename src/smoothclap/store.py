"""Frozen features on disk: computed once, shared by every run.

Content-addressed: a bucket is named by what was computed (name and settings), a clip by the bytes of its file
and its segment. A bucket is a folder of shards, each a safetensors file written beside and renamed, with a
checksum for every array. Writers only ever add shards, so several processes may write at once without locks,
and a kill loses at most the shard in the making.
"""

import hashlib
import json
import multiprocessing
import os
import re
import signal
import threading
import time
import uuid
import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import safetensors
import safetensors.numpy

from smoothclap import audio
from smoothclap.errors import SmoothClapError
from smoothclap.files import replacing, write_json
from smoothclap.progress import track

# A shard is written when either is reached, so that a kill costs little and memory stays flat.
_SHARD_CLIPS, _SHARD_BYTES, _SHARD_SECONDS = 64, 2**26, 5.0
_CHUNK_CLIPS = 16  # sent to a worker process at once
_FEW_CLIPS = 8  # fewer than this are done before a worker process has started
_NO_TIME = np.iinfo(np.int64).min  # NaT as an integer


class StoreError(SmoothClapError):
    """Stored features cannot be given as asked, or computing them could not go on."""


class ExtractionError(SmoothClapError):
    """An extractor failed on one clip that is sound in itself."""


class Extractor(Protocol):
    """Computes one array from one clip; pickled, and called in spawned worker processes.

    Attributes:
        name: what it computes, such as "egemaps-v02".
        settings: everything that changes the numbers, versions of libraries included; goes through JSON.
    """

    name: str
    settings: dict[str, Any]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Compute features of `samples`, float32 (n,) at 16 kHz."""
        ...


@dataclass(frozen=True)
class Reject:
    """A clip without features, and why."""

    file: str
    start: float
    """Seconds."""
    end: float | None
    """Seconds; `None`: the end of the file."""
    fault: str
    """Name of the exception class."""
    message: str


class Bucket:
    """Arrays of one kind, read and written by key. Made by `FeatureStore.bucket`."""

    def __init__(self, folder: Path, described: Mapping[str, Any]) -> None:
        self.folder = folder
        self._described = described
        self._shards: dict[Path, Any] = {}
        self._shard_of: dict[str, Path] = {}
        self._verified: set[str] = set()

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that are not stored, or whose stored bytes are damaged, each once and in order.

        Every array is verified against its checksum when first met. A damaged shard is set aside with a
        warning (renamed to `*.damaged`), and what it held counts as missing, to be computed again.
        """
        self._refresh()
        keys = dict.fromkeys(keys)
        while True:
            shards = len(self._shards)
            absent = [key for key in keys if not self._holds(key)]
            if len(self._shards) == shards:  # else a shard was set aside with keys already passed
                return absent

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Store arrays as one shard; all of them or, on an error, none.

        Raises:
            WriteError: the operating system refused (full disk, no permission).
        """
        if not arrays:
            return
        ordered = {key: np.asarray(array, order="C") for key, array in arrays.items()}
        sums = {key: _checksum(key, array) for key, array in ordered.items()}
        if not (self.folder / "settings.json").exists():
            write_json(self.folder / "settings.json", self._described)
        with replacing(self.folder / f"{uuid.uuid4().hex}.safetensors") as beside:
            beside.write_bytes(safetensors.numpy.save(ordered, metadata=sums))

    def read(self, key: str) -> np.ndarray:
        """The array stored under `key`, copied out of the memory map, and verified when first met.

        Raises:
            StoreError: it is not stored, or damaged.
        """
        if key not in self._shard_of:
            self._refresh()
        if not self._holds(key):
            raise StoreError(f"{self.folder}: {key} is not stored or damaged; run again to compute it")
        array: np.ndarray = self._shards[self._shard_of[key]].get_tensor(key)
        return array

    def _refresh(self) -> None:
        """Open the shards that appeared since the last look; only their headers are read."""
        for path in sorted(self.folder.glob("*.safetensors")):
            if path not in self._shards:
                try:
                    self._shards[path] = safetensors.safe_open(path, "np")
                except FileNotFoundError:
                    continue  # another process has just set it aside
                except safetensors.SafetensorError as error:
                    self._set_aside(path, str(error))
                    continue
                except OSError as error:  # too many open files, no permission: not the shard's fault
                    raise StoreError(
                        f"{path}: cannot be opened ({error}); mend that or use another store"
                    ) from error
                for key in self._shards[path].keys():  # noqa: SIM118
                    self._shard_of.setdefault(key, path)

    def _holds(self, key: str) -> bool:
        while key in self._shard_of and key not in self._verified:
            path = self._shard_of[key]
            shard = self._shards[path]
            if (shard.metadata() or {}).get(key) == _checksum(key, shard.get_tensor(key)):
                self._verified.add(key)
            else:
                self._set_aside(path, "checksum differs")
        return key in self._shard_of

    def _set_aside(self, path: Path, reason: str) -> None:
        warnings.warn(f"{path}: damaged ({reason}), set aside; its clips are computed again", stacklevel=2)
        with suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        self._shards.pop(path, None)
        self._verified.difference_update(key for key, at in self._shard_of.items() if at == path)
        self._shard_of = {key: at for at, shard in self._shards.items() for key in shard.keys()}  # noqa: SIM118


class Features:
    """The features of the good clips, read from disk one by one as they are asked for.

    Attributes:
        index: the good clips, in the order asked for.
        keep: bool (clips asked for,), True where the clip is good.
        rejects: the others, with the reason.
        computed: arrays computed now; 0 on a second run over the same data.
        reused: good clips whose array was there already, or is shared with a clip of the same content.
        digests: `audio.digest` of each good clip's file.
    """

    def __init__(
        self,
        bucket: Bucket,
        keys: list[str],
        index: pd.MultiIndex,
        keep: np.ndarray,
        rejects: list[Reject],
        computed: int,
    ) -> None:
        self.index = index
        self.keep = keep
        self.rejects = rejects
        self.computed = computed
        self.reused = len(keys) - computed
        self.digests = [key.partition("-")[0] for key in keys]
        self._bucket = bucket
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, i: int) -> np.ndarray:
        return self._bucket.read(self._keys[i])

    def stack(self) -> np.ndarray:
        """All features as one array, (clips, ...).

        Raises:
            StoreError: there is no clip, or the shapes differ from clip to clip.
        """
        if not self._keys:
            raise StoreError("no clip has features to stack; see why they were rejected")
        first = self[0]
        stacked = np.empty((len(self), *first.shape), first.dtype)
        for i in range(len(self)):
            array = self[i]
            if array.shape != first.shape:
                raise StoreError(
                    f"features differ in shape, {first.shape} and {array.shape}: take them one by one by index"
                )
            stacked[i] = array
        return stacked


class FeatureStore:
    """A folder of buckets.

    Args:
        root: the folder; `None`: `$SMOOTHCLAP_STORE`, or else `~/.cache/smoothclap/features`.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        default = os.environ.get("SMOOTHCLAP_STORE") or Path.home() / ".cache" / "smoothclap" / "features"
        self.root = Path(default if root is None else root)

    def bucket(self, name: str, settings: Mapping[str, Any]) -> Bucket:
        """The arrays of one kind.

        Args:
            name: what they are, such as "egemaps-v02".
            settings: everything that changes the numbers; must go through JSON.
        """
        described = {"name": name, "settings": dict(settings)}
        content = json.dumps(described, sort_keys=True).encode()
        safe_name = re.sub(r"[^\w.-]", "_", name)
        return Bucket(
            self.root / f"{safe_name}-{hashlib.blake2b(content, digest_size=8).hexdigest()}", described
        )

    def compute(
        self, clips: pd.MultiIndex, extractor: Extractor, *, workers: int | None = None, strict: bool = False
    ) -> Features:
        """Give the features of clips, computing those that are not stored yet.

        Results are stored as they arrive, so a stopped run goes on where it was. Clips of the same content
        are computed once. Memory does not grow with the features of the corpus.

        Args:
            clips: audformat's segmented index, levels `file`, `start`, `end` (`NaT`: the end of the file).
            extractor: see `Extractor`.
            workers: worker processes; `None`: one a core. A handful of clips is done in this process.
            strict: raise on the first bad clip instead of counting it in `Features.rejects`.

        Returns:
            The features of the good clips, and the rejects.

        Raises:
            WriteError: features cannot be written; those stored so far stay.
            StoreError: a worker process died.
            AudioError, ExtractionError: a clip is bad, and `strict`.
        """
        bucket = self.bucket(extractor.name, {**extractor.settings, "front_door": audio.FRONT_DOOR})
        rows = _rows(clips)
        faults: dict[str, SmoothClapError] = {}
        digests = _digests(list(dict.fromkeys(row.file for row in rows)), faults)
        if strict:
            for fault in faults.values():
                raise fault
        keys = [row.key(digests[row.file]) if row.file in digests else row.file for row in rows]
        row_of = {key: row for key, row in zip(keys, rows, strict=True) if key not in faults}
        todo = [(key, row_of[key]) for key in bucket.missing(row_of)]
        faults |= _fill(bucket, todo, extractor, workers or os.cpu_count() or 1, strict)
        keep = np.array([key not in faults for key in keys], dtype=bool)
        return Features(
            bucket,
            keys=[key for key, good in zip(keys, keep, strict=True) if good],
            index=clips[keep],
            keep=keep,
            rejects=[
                row.reject(faults[key]) for row, key, good in zip(rows, keys, keep, strict=True) if not good
            ],
            computed=sum(key not in faults for key, _ in todo),
        )


class _Row(NamedTuple):
    """One clip: file, start and end in nanoseconds."""

    file: str
    start: int
    end: int | None

    def key(self, digest: str) -> str:
        return digest if self.start == 0 and self.end is None else f"{digest}-{self.start}-{self.end or ''}"

    def seconds(self) -> tuple[float, float | None]:
        return self.start / 1e9, None if self.end is None else self.end / 1e9

    def reject(self, fault: SmoothClapError) -> Reject:
        return Reject(self.file, *self.seconds(), fault=type(fault).__name__, message=str(fault))


def _rows(clips: pd.MultiIndex) -> list[_Row]:
    starts, ends = (
        pd.to_timedelta(clips.get_level_values(level)).as_unit("ns").asi8.tolist() for level in ("start", "end")
    )
    return [
        _Row(str(file), 0 if start == _NO_TIME else start, None if end == _NO_TIME else end)
        for file, start, end in zip(clips.get_level_values("file"), starts, ends, strict=True)
    ]


def _digests(files: Sequence[str], faults: dict[str, SmoothClapError]) -> dict[str, str]:
    """Digest of each file; a file that cannot be read goes to `faults` instead."""

    def digest(file: str) -> str | audio.AudioError:
        try:
            return audio.digest(file)
        except audio.AudioError as error:
            return error

    digests = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, outcome in zip(files, track(pool.map(digest, files), "hashing", len(files)), strict=True):
            if isinstance(outcome, audio.AudioError):
                faults[file] = outcome
            else:
                digests[file] = outcome
    return digests


def _fill(
    bucket: Bucket, todo: Sequence[tuple[str, _Row]], extractor: Extractor, workers: int, strict: bool
) -> dict[str, SmoothClapError]:
    """Compute and store features by key, shard after shard; returns the faults by key."""
    faults: dict[str, SmoothClapError] = {}
    pending: dict[str, np.ndarray] = {}
    held, written = 0, time.monotonic()
    in_process = workers == 1 or len(todo) < _FEW_CLIPS
    outcomes = _here(todo, extractor) if in_process else _in_processes(todo, extractor, workers)
    with closing(outcomes):
        try:
            for key, outcome in track(outcomes, extractor.name, len(todo)):
                if isinstance(outcome, SmoothClapError):
                    if strict:
                        raise outcome
                    faults[key] = outcome
                    continue
                pending[key] = outcome
                held += outcome.nbytes
                late = time.monotonic() - written > _SHARD_SECONDS
                if late or len(pending) >= _SHARD_CLIPS or held >= _SHARD_BYTES:
                    shard, pending, held = pending, {}, 0
                    bucket.write(shard)
                    written = time.monotonic()
        finally:  # what was computed is kept, also on Ctrl-C
            bucket.write(pending)
    return faults


_Outcome = np.ndarray | SmoothClapError


def _extract(row: _Row, extractor: Extractor) -> _Outcome:
    start, end = row.seconds()
    try:
        return np.asarray(extractor(audio.load(row.file, start=start, end=end)), dtype=np.float32)
    except audio.AudioError as error:
        return error
    except SmoothClapError:
        raise  # not the clip's fault: something is not installed, say
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return ExtractionError(f"{row.file}: {extractor.name} failed on it ({reason}); leave it out")


def _here(
    todo: Sequence[tuple[str, _Row]], extractor: Extractor
) -> Generator[tuple[str, _Outcome], None, None]:
    for key, row in todo:
        yield key, _extract(row, extractor)


def _in_processes(
    todo: Sequence[tuple[str, _Row]], extractor: Extractor, workers: int
) -> Generator[tuple[str, _Outcome], None, None]:
    """The outcomes in the order in which the workers finish them; few are held at a time."""
    size = max(1, min(_CHUNK_CLIPS, len(todo) // (4 * workers)))
    chunks = (todo[i : i + size] for i in range(0, len(todo), size))
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(extractor, stop))
    with _single_threaded_children(), pool:
        try:
            running = {
                pool.submit(_work, [row for _, row in chunk]): chunk for chunk in islice(chunks, 2 * workers)
            }
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    chunk = running.pop(future)
                    for following in islice(chunks, 1):
                        running[pool.submit(_work, [row for _, row in following])] = following
                    yield from (
                        (key, outcome) for (key, _), outcome in zip(chunk, future.result(), strict=True)
                    )
        except BrokenProcessPool as error:
            raise StoreError(
                f"{extractor.name}: a worker process died (out of memory, or a script without"
                " `if __name__ == '__main__':`); run again with fewer workers, what was computed is kept"
            ) from error
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def _single_threaded_children() -> Iterator[None]:
    """Let child processes start with one thread each: numerical libraries read these when they are loaded."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Worker(NamedTuple):
    extractor: Extractor
    stop: Event


_worker: _Worker | None = None
"""Set in a worker process only."""


def _start_worker(extractor: Extractor, stop: Event) -> None:
    global _worker
    _worker = _Worker(extractor, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent says when to stop
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(rows: Sequence[_Row]) -> list[_Outcome]:
    assert _worker is not None
    outcomes = []
    for row in rows:
        if _worker.stop.is_set():
            break
        try:
            outcomes.append(_extract(row, _worker.extractor))
        except SmoothClapError as error:  # its class may not survive being sent to the parent
            raise StoreError(str(error)) from None
    return outcomes


def _checksum(key: str, array: np.ndarray) -> str:
    described = f"{key} {array.dtype.str} {array.shape}".encode()
    return hashlib.blake2b(described + array.tobytes(), digest_size=8).hexdigest()
