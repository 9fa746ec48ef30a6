"""The same packets give the same flows, by whatever way they come."""

import gzip
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sensor.sources import Source, open_capture
from sensor.sources.follow import FollowSource
from sensor.sources.scapy_source import ScapyFile
from sensor.sources.tshark_source import TsharkFile
from tests.sensor.sources.reading import Reader, flows_of

BUNDLED = "demo"
DEV = ("attack/slowloris/Kihy__slowloris_9c1032b6.pcap", "benign/benign/debian__alexa-app.pcapng")


def by_scapy(path: Path, _: Path) -> NDArray[np.void]:
    return flows_of(ScapyFile(path))


def by_tshark(path: Path, _: Path) -> NDArray[np.void]:
    if shutil.which("tshark") is None:
        pytest.skip("needs the program tshark")
    return flows_of(TsharkFile(path))


def by_folder(path: Path, folder: Path) -> NDArray[np.void]:
    """Read the capture while it is copied into a folder, a piece at a time."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    reader = Reader(FollowSource(folder))
    with (folder / "growing").open("wb", buffering=0) as file:
        for at in range(0, len(data), 77_777):
            file.write(data[at : at + 77_777])
            reader.step()
    reader.until_silent()
    assert reader.source.position == len(data)
    return reader.flows()


@pytest.fixture(params=[BUNDLED, *DEV], ids=lambda name: Path(name).stem, scope="module")
def capture(request: pytest.FixtureRequest, repo: Path) -> Iterator[Path]:
    if request.param == BUNDLED:
        yield repo / "sensor" / "data" / "demo.pcap.gz"
    else:
        yield request.getfixturevalue("dev_captures") / request.param


@pytest.mark.parametrize("way", [by_scapy, by_tshark, by_folder])
def test_every_field_of_every_flow_is_the_same(
    way: Callable[[Path, Path], NDArray[np.void]], capture: Path, tmp_path: Path
):
    source: Source = open_capture(capture)
    expected = flows_of(source)
    found = way(capture, tmp_path)
    assert len(expected) > 20
    assert len(found) == len(expected)
    for name in expected.dtype.names or ():
        assert (found[name] == expected[name]).all(), name
