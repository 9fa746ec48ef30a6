"""The flow XML of ISCXIDS2012 as a stream of records, and proof that none was lost on the way.

A file is an export of Microsoft Access: `dataroot`, and below it a record after the other, all called
after the file or `item`. Payloads are most of its bytes and are cut out before the parser sees them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sensor.errors import NettrusionError

ROOT = "dataroot"
FIELDS = frozenset(
    {
        "appName", "totalSourceBytes", "totalDestinationBytes", "totalDestinationPackets", "totalSourcePackets",
        "sourcePayloadAsBase64", "sourcePayloadAsUTF", "destinationPayloadAsBase64", "destinationPayloadAsUTF",
        "direction", "sourceTCPFlagsDescription", "destinationTCPFlagsDescription", "source", "protocolName",
        "sourcePort", "destination", "destinationPort", "startDateTime", "stopDateTime", "Tag", "sensorInterfaceId",
        "startTime",
    }
)  # fmt: skip
"""The elements of a record; each may be missing."""
NULS = "NUL bytes, read as blanks"

Record = tuple[str, dict[str, str]]
"""A record's own tag, and the text of its elements by name; payloads are not among them."""

_BLOCK_BYTES = 1 << 20
_LONGEST_TAG_BYTES = 512
_NAME = re.compile(rb"<([A-Za-z_][\w.-]*)")
_PAYLOAD = re.compile(rb"<((?:source|destination)PayloadAs\w+)(?:\s[^<>]*)?(?<!/)>")
# What XML 1.0 does not allow (all control characters but tab and line ends) becomes a blank.
_BLANKED = bytes(0x20 if code < 0x20 and code not in (9, 10, 13) else code for code in range(256))


def is_xml(head: bytes) -> bool:
    """Say whether a file that begins so is of this kind: its first element is `dataroot`."""
    return next((name for name in _NAME.findall(head)), b"") == ROOT.encode()


def read(path: Path, notes: Counter[str]) -> Iterator[Record]:
    """Yield the records of a file, in its order, in memory that does not grow with it.

    Args:
        path: the XML.
        notes: NUL bytes are counted here.

    Raises:
        NettrusionError: after the last record, if there was none, or fewer or more were parsed than
            the bytes have record tags: a lenient parser goes on after an error, or stops without one.
    """
    from lxml import etree

    target = _Target()
    parser = etree.XMLParser(target=target, recover=True, huge_tree=True, encoding="utf-8", resolve_entities=False)
    names, payloads = _Names(), _Payloads()
    reason = ""
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                names.count(block)
                notes[NULS] += block.count(0)
                if not reason:
                    reason = _fed(parser, payloads.without(block).translate(_BLANKED))
                yield from target.take()
        _fed(parser, payloads.rest().translate(_BLANKED))
        yield from target.take()
    except OSError as problem:
        raise NettrusionError(f"{path}: {problem.strerror}") from problem
    _check(path, target, names.total(), reason)


def _fed(parser: Any, data: bytes) -> str:
    """Give the parser some bytes; returns why it gave up, or nothing."""
    from lxml import etree

    try:
        parser.feed(data)
    except etree.XMLSyntaxError as problem:
        return str(problem)
    return ""


def _check(path: Path, target: "_Target", raw: Counter[str], reason: str) -> None:
    """Raise NettrusionError unless as many records were parsed as there are tags of records."""
    if target.root != ROOT or not target.parsed:
        raise NettrusionError(f"{path}: no flow records; the XML of ISCXIDS2012 has them below <{ROOT}>")
    known = FIELDS | target.fields | {ROOT}
    wanted = sum(
        count
        for name, count in raw.items()
        if name in target.tags or (name.startswith("Testbed") and name not in known)
    )
    if target.parsed != wanted:
        because = f" (it stopped: {reason})" if reason else ""
        raise NettrusionError(
            f"{path}: the parser found {target.parsed} records, the bytes have {wanted} record tags{because};"
            " the file is damaged or cut short: fetch it again"
        )


class _Target:
    """Takes a parser's events, keeps the records that are complete and what was met on the way."""

    def __init__(self) -> None:
        self.root = ""
        self.tags: set[str] = set()
        self.fields: set[str] = set()
        self.parsed = 0
        self.done: list[Record] = []
        self._depth = 0
        self._record: dict[str, str] = {}
        self._text: list[str] | None = None

    def start(self, tag: str, attributes: object) -> None:
        self._depth += 1
        if self._depth == 1:
            self.root = tag
        elif self._depth == 2:
            self.tags.add(tag)
            self._record = {}
        else:
            self.fields.add(tag)
            self._text = []

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        self._depth -= 1
        if self._depth == 1:
            self.parsed += 1
            self.done.append((tag, self._record))
        elif self._depth == 2 and self._text is not None:
            self._record[tag] = "".join(self._text).strip()
        self._text = None

    def close(self) -> None:
        return None

    def take(self) -> list[Record]:
        """Return the complete records, once."""
        done, self.done = self.done, []
        return done


class _Names:
    """Counts the names of opening tags in a stream of bytes, without parsing it."""

    def __init__(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._tail = b""

    def count(self, block: bytes) -> None:
        data = self._tail + block
        cut = _cut(data)
        self._counts.update(_NAME.findall(data[:cut]))
        self._tail = data[cut:]

    def total(self) -> Counter[str]:
        self._counts.update(_NAME.findall(self._tail))
        self._tail = b""
        return Counter({name.decode("latin-1"): count for name, count in self._counts.items()})


class _Payloads:
    """Cuts what stands in payload elements out of a stream of bytes."""

    def __init__(self) -> None:
        self._tail = b""
        self._closing = b""

    def without(self, block: bytes) -> bytes:
        data, place = self._tail + block, 0
        kept: list[bytes] = []
        while True:
            if self._closing:
                found = data.find(self._closing, place)
                if found < 0:
                    self._tail = data[max(place, len(data) - len(self._closing) + 1) :]
                    return b"".join(kept)
                place, self._closing = found, b""
            opened = _PAYLOAD.search(data, place)
            if opened is None:
                cut = max(place, _cut(data))
                kept.append(data[place:cut])
                self._tail = data[cut:]
                return b"".join(kept)
            kept.append(data[place : opened.end()])
            place, self._closing = opened.end(), b"</" + opened[1]

    def rest(self) -> bytes:
        """Return what is left at the end of the stream."""
        return b"" if self._closing else self._tail


def _cut(data: bytes) -> int:
    """Return where a tag begins that the end of the data may cut in two; the end if there is none."""
    last = data.rfind(b"<", max(0, len(data) - _LONGEST_TAG_BYTES))
    return last if last >= 0 and data.find(b">", last) < 0 else len(data)
