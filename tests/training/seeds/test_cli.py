"""Seeds are found by what they have, named with hyphens, and given their own arguments."""

import argparse
import sys
import types
from typing import Any

import pytest

import training.seeds
from training.seeds import cli


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Let the folder of seeds be one with a seed and a module that is none."""
    for name in ("told_twice", "words"):
        (tmp_path / f"{name}.py").write_text("")
        module: Any = types.ModuleType(name)
        module.SUMMARY = "tells it twice"
        monkeypatch.setitem(sys.modules, f"training.seeds.{name}", module)
    seed: Any = sys.modules["training.seeds.told_twice"]
    seed.configure = lambda parser: parser.add_argument("--times", type=int, default=2)
    seed.run = lambda args: args.times
    monkeypatch.setattr(training.seeds, "__path__", [str(tmp_path)])


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.configure(parser)
    return parser.parse_args(words)


def test_a_seed_gets_its_own_arguments_and_gives_the_exit_code(folder):
    assert list(cli.seeds()) == ["told-twice"]
    assert cli.run(parse("told-twice")) == 2
    assert cli.run(parse("told-twice", "--times", "3")) == 3


def test_what_is_no_seed_cannot_be_named(folder, capsys):
    with pytest.raises(SystemExit):
        parse("words")
    assert "told-twice" in capsys.readouterr().err


def test_the_command_is_installed_under_its_name(repo):
    assert 'seed = "training.seeds.cli"' in (repo / "pyproject.toml").read_text()
