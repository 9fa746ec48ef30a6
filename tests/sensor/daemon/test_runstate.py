"""The note of what a daemon holds: there while it runs, told about after an abrupt end."""

import pytest

from sensor.daemon.runstate import RunState

HELD = {"live_flows": 120, "waiting_flows": 7, "queued_lines": 3}


def test_after_an_orderly_end_there_is_nothing_to_tell(tmp_path):
    state = RunState(tmp_path / "eth0.json")
    assert state.begin() is None
    state.note(HELD)
    state.end()
    assert RunState(tmp_path / "eth0.json").begin() is None
    assert list(tmp_path.iterdir()) == []


def test_after_an_abrupt_end_the_next_run_says_what_was_lost(tmp_path):
    RunState(tmp_path / "eth0.json").note(HELD)
    lost = RunState(tmp_path / "eth0.json").begin()
    assert lost is not None
    assert "120 open flows" in lost
    assert "7 waiting" in lost
    assert "3 events" in lost


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"at": 1e999}', b"\xff", b'{"at": "x"}', b"9" * 5000])
def test_a_note_that_cannot_be_read_is_told_and_no_error(tmp_path, content):
    (tmp_path / "eth0.json").write_bytes(content)
    lost = RunState(tmp_path / "eth0.json").begin()
    assert lost is not None
    assert "did not end in order" in lost


def test_a_note_that_cannot_be_written_is_no_error(tmp_path):
    state = RunState(tmp_path / "missing" / "eth0.json")
    state.note(HELD)
    state.end()


def test_without_a_folder_nothing_is_noted():
    state = RunState(None)
    state.note(HELD)
    assert state.begin() is None
    state.end()


def test_a_note_that_cannot_be_removed_is_no_error(tmp_path):
    path = tmp_path / "eth0.json"
    path.mkdir()
    RunState(path).end()
