"""Open the sources that a configuration asks for: one for each worker of each interface, or a folder."""

from pathlib import Path

from sensor.config import CaptureConfig
from sensor.errors import NettrusionError
from sensor.sources import Source


def open_sources(capture: CaptureConfig, follow: Path | None = None, *, existing: bool = True) -> list[Source]:
    """Open every source; when one of them cannot be, those before it are closed again.

    Args:
        capture: how, and of which interfaces.
        follow: a folder to read in their place.
        existing: whether to read the files that are in it already.

    Raises NettrusionError, with a remedy, when there is nothing to read or something cannot be opened.
    """
    if follow is not None:
        from sensor.sources.follow import FollowSource

        if capture.interfaces:
            raise NettrusionError("--follow reads a folder and -i an interface; give one of them")
        return [FollowSource(follow, existing=existing)]
    if not capture.interfaces:
        raise NettrusionError(
            'no interface to listen on; name one with -i, or in the configuration: capture.interfaces = ["eth0"]'
        )
    from sensor.sources.opening import open_live

    sources: list[Source] = []
    try:
        for interface in dict.fromkeys(capture.interfaces):
            sources += open_live(interface, capture)
    except BaseException:
        for source in sources:
            source.close()
        raise
    return sources
