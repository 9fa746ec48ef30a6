"""A note on disk of what a daemon holds in memory, so that the next one can say what an abrupt end has cost."""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

MAX_BYTES = 4096


@dataclass(slots=True)
class RunState:
    """The note of one daemon; it is there while the daemon runs and gone after an orderly end.

    Attributes:
        path: the file, None for no note.
    """

    path: Path | None

    def begin(self) -> str | None:
        """Say what the daemon before this one lost, None when it ended in order or there was none."""
        if self.path is None:
            return None
        try:
            with self.path.open("rb") as file:
                before = json.loads(file.read(MAX_BYTES))
            return _sentence(before)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            return f"the run before this one did not end in order; its note {self.path} cannot be read ({error})"

    def note(self, facts: Mapping[str, int]) -> None:
        """Write what is held now, whole or not at all; a disk that does not take it is not an error."""
        if self.path is None:
            return
        now_s = time.time()
        aside = self.path.with_suffix(".new")
        try:
            aside.write_text(json.dumps({"at": now_s, "pid": os.getpid(), **facts}))
            aside.replace(self.path)
        except OSError as error:
            log.debug("%s: %s", self.path, error)

    def end(self) -> None:
        """Remove the note after an orderly end; one that stays is no error, the events are written."""
        if self.path is None:
            return
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: cannot be removed: %s; the next run will say that this one was cut off", self.path, error)


def _sentence(before: Mapping[str, Any]) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(float(before["at"])))
    return (
        f"the run before this one (pid {int(before['pid'])}) did not end in order: it last noted at {at} UTC "
        f"{int(before['live_flows'])} open flows, {int(before['waiting_flows'])} waiting to be scored and "
        f"{int(before['queued_lines'])} events not yet written; these, and what came after, are lost"
    )
