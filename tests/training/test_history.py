import pytest

from smoothclap.files import WriteError
from smoothclap.training import history

ROWS = [{"kind": "step", "step": step, "loss": 1 / step} for step in (1, 2, 3)]


def test_what_is_appended_is_read_back_exactly(tmp_path):
    history.append(tmp_path, ROWS[:1])
    history.append(tmp_path, ROWS[1:])
    assert history.read(tmp_path) == ROWS


def test_no_log_is_no_rows(tmp_path):
    assert history.read(tmp_path) == []


@pytest.mark.parametrize("cut", [1, 10, 25])
def test_a_last_line_cut_short_is_left_out(tmp_path, cut: int):
    history.append(tmp_path, ROWS)
    path = tmp_path / history.FILE
    path.write_bytes(path.read_bytes()[:-cut] if cut > 1 else path.read_bytes() + b'{"kind": "st')
    kept = history.read(tmp_path)
    assert kept == (ROWS if cut == 1 else ROWS[:2])
    assert history.rewind(tmp_path, 3) == kept
    assert path.read_text().count("\n") == len(kept)
    history.append(tmp_path, [{"kind": "step", "step": 4, "loss": 0.0}])
    assert [row["step"] for row in history.read(tmp_path)] == [*(row["step"] for row in kept), 4]


def test_rewinding_forgets_what_will_be_done_again(tmp_path):
    history.append(tmp_path, [*ROWS, {"kind": "epoch", "step": 3}])
    assert history.rewind(tmp_path, 2) == ROWS[:2]
    assert history.read(tmp_path) == ROWS[:2]
    assert history.rewind(tmp_path, 0) == []


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path):
    with pytest.raises(WriteError, match=r"history\.jsonl: cannot be written \(No such file"):
        history.append(tmp_path / "gone", ROWS)
