"""A stage for one act in a `Bench`, on which programs really run."""

import os
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.training.testbed.bench import Bench
from tests.training.testbed.paper import Part
from training.testbed.acts import Done, Kind


class BenchRunning:
    """A program beside the play."""

    def __init__(self, stage: "BenchStage", process: "subprocess.Popen[bytes]", ok: Collection[int] | None) -> None:
        self._stage, self._process, self._ok = stage, process, ok

    def say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def wait(self, limit_s: float = 30.0) -> Done:
        output, _ = self._process.communicate(timeout=limit_s)
        return self._stage.ended(self._process.args, self._process.returncode, output, self._ok)

    def stop(self) -> Done:
        self._process.terminate()
        return self.wait(5.0)


class BenchStage(Part):
    """Plays in a host of a `Bench`; `surprises` are the commands that ended otherwise than meant."""

    def __init__(self, bench: Bench, kind: Kind, host: str, seed: int, folder: Path) -> None:
        super().__init__(bench.world, kind, folder, host, seed)
        self._bench = bench
        self.surprises: list[str] = []

    def ended(self, words: Any, code: int, output: bytes, ok: Collection[int] | None) -> Done:
        if ok is not None and code not in ok:
            self.surprises.append(f"{' '.join(words)[:3000]}: {code} {output[-400:]!r}")
        return Done(code, output)

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        limit_s: float = 30.0,
        ok: Collection[int] | None = (0,),
        at: str = "",
    ) -> Done:
        with self._bench.network.enter(at or self.host):
            process = self._popen(words, env)
        output, _ = process.communicate(stdin, timeout=limit_s)
        return self.ended(words, process.returncode, output, ok)

    def start(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        limit_s: float = 60.0,
        ok: Collection[int] | None = None,
        at: str = "",
    ) -> BenchRunning:
        with self._bench.network.enter(at or self.host):
            return BenchRunning(self, self._popen(words, env), ok)

    def _popen(self, words: tuple[str, ...], env: Mapping[str, str] | None) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env={**os.environ, **(env or {})},
        )

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


@contextmanager
def bench_stage(bench: Bench, kind: Kind, host: str, seed: int) -> Iterator[BenchStage]:
    """Give a stage with a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield BenchStage(bench, kind, host, seed, Path(folder))
