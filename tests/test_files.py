import errno
import os
from pathlib import Path

import pytest

from smoothclap import files
from smoothclap.files import WriteError, replacing, write_json, write_text


def test_text_and_json_arrive_whole_in_a_new_folder(tmp_path: Path):
    write_text(tmp_path / "new" / "folder" / "a.txt", "groß\n")
    assert (tmp_path / "new" / "folder" / "a.txt").read_bytes() == "groß\n".encode()
    write_json(tmp_path / "a.json", {"ü": [1, 2.5, None]})
    assert (tmp_path / "a.json").read_text(
        encoding="utf-8"
    ) == '{\n  "ü": [\n    1,\n    2.5,\n    null\n  ]\n}\n'


def test_the_old_file_is_replaced_only_at_the_end(tmp_path: Path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with replacing(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
        assert beside.parent == path.parent
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_a_fault_while_writing_leaves_the_old_file_and_passes_through(
    tmp_path: Path, fault: type[BaseException]
):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half() -> None:
        with replacing(path) as beside:
            beside.write_text("half")
            raise fault

    with pytest.raises(fault):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk_is_one_line_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, step, full)
    with pytest.raises(WriteError, match="No space left on device") as caught:
        write_text(path, "new")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_file_where_a_folder_belongs(tmp_path: Path):
    write_text(tmp_path / "a.txt", "")
    with pytest.raises(WriteError, match=r"a\.txt"):
        write_text(tmp_path / "a.txt" / "b.txt", "")


def test_nan_is_not_json(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert os.listdir(tmp_path) == []
