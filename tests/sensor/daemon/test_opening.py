"""Which sources a configuration asks for."""

from pathlib import Path

import pytest

from sensor.config import CaptureConfig
from sensor.daemon.opening import open_sources
from sensor.errors import NettrusionError
from sensor.sources import opening
from tests.sensor.wire import Wire


def test_without_an_interface_it_says_how_to_name_one():
    with pytest.raises(NettrusionError, match="name one with -i"):
        open_sources(CaptureConfig())


def test_a_folder_is_followed(tmp_path: Path):
    (source,) = open_sources(CaptureConfig(), tmp_path)
    assert source.live
    source.close()


def test_a_folder_and_an_interface_are_one_too_many(tmp_path: Path):
    with pytest.raises(NettrusionError, match="give one of them"):
        open_sources(CaptureConfig(interfaces=("eth0",)), tmp_path)


def test_an_interface_named_twice_is_opened_once_and_all_are_closed_when_one_cannot_be(monkeypatch):
    opened, closed = [], []

    class Closing(Wire):
        def close(self) -> None:
            closed.append(self)

    def open_live(name: str, capture: CaptureConfig) -> list[Wire]:
        if name == "gone0":
            raise NettrusionError("gone0: no such interface")
        opened.append(name)
        return [Closing([]), Closing([])]

    monkeypatch.setattr(opening, "open_live", open_live)
    assert len(open_sources(CaptureConfig(interfaces=("eth0", "eth1", "eth0")))) == 4
    assert opened == ["eth0", "eth1"]
    with pytest.raises(NettrusionError, match="gone0"):
        open_sources(CaptureConfig(interfaces=("eth0", "gone0")))
    assert len(closed) == 2
