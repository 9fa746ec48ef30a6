"""Lines of an event file, plain or compressed, none of them larger than memory allows."""

from collections.abc import Iterator
from typing import Final

from sensor.sources import Source

MAX_LINE_BYTES: Final = 1 << 20
"""Our own lines have at most 16 kB, Suricata's some more."""


def lines(source: Source) -> Iterator[bytes | None]:
    """Yield each line without its newline, None for one that is too long; also a last one without a newline.

    A compressed file that ends early yields what there is; `source.fault` says so then.
    """
    rest = bytearray()
    too_long = False
    while True:
        data = bytes(source.window)
        source.advance(len(data))
        *whole, last = data.split(b"\n")
        for piece in whole:
            line = bytes(rest + piece)
            rest.clear()
            yield None if too_long or len(line) > MAX_LINE_BYTES else line
            too_long = False
        rest += last
        if len(rest) > MAX_LINE_BYTES:
            too_long = True
            rest.clear()
        if not source.more():
            break
    if rest or too_long:
        yield None if too_long else bytes(rest)
