"""The progress bar: drawn for a person, never into a file."""

import io

import pytest

from sensor.cli.progress import ERASE, Progress, line, printable, size_text


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


class HalfRead:
    """A source in the middle of its file."""

    name = "/somewhere/big.pcap"
    size: int | None = 2_000_000
    position = 1_000_000


def test_it_shows_the_part_that_was_read_and_leaves_no_trace():
    stream = Terminal()
    with Progress(stream) as progress:
        progress(HalfRead())  # type: ignore[arg-type]
        shown = stream.getvalue()
        assert shown.startswith(ERASE + "big.pcap  [############............]  50%  1.0 MB of 2.0 MB")
    assert stream.getvalue() == shown + ERASE


def test_it_draws_seldom():
    stream = Terminal()
    with Progress(stream) as progress:
        for _ in range(100):
            progress(HalfRead())  # type: ignore[arg-type]
    assert stream.getvalue().count("big.pcap") < 20


def test_it_is_silent_where_nobody_looks():
    stream = io.StringIO()
    with Progress(stream) as progress:
        progress(HalfRead())  # type: ignore[arg-type]
    assert stream.getvalue() == ""


def test_a_pipe_has_no_part_to_show():
    assert line("-", 12_345_678, None) == "-  12.3 MB"


def test_a_file_that_grew_is_never_more_than_whole():
    assert "100%" in line("a", 30, 20)


def test_a_file_name_cannot_move_the_cursor():
    assert line("a\x1b[2Jb\n", 1, None) == "a?[2Jb?  1 B"
    assert printable("über") == "über"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (999_999, "1.0 MB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")],
)
def test_sizes_for_people(size, text):
    assert size_text(size) == text
