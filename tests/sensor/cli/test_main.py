"""The command's edge: help, errors and exit codes."""

import argparse
import os
import subprocess
import sys
import types
from importlib.metadata import EntryPoint
from typing import Any

import pytest

import sensor.cli
from sensor.cli import main
from sensor.errors import NettrusionError


def command(action, monkeypatch):
    """Install one subcommand `do` whose `run` is the given function."""
    module: Any = types.ModuleType("pretended_command")
    module.SUMMARY = "does it"
    module.configure = lambda parser: parser.add_argument("--n", type=int, default=0)
    module.run = action
    monkeypatch.setitem(sys.modules, "pretended_command", module)
    points = [
        EntryPoint("do", "pretended_command", sensor.cli.GROUP),
        EntryPoint("gone", "no_such_module_here", sensor.cli.GROUP),
    ]
    monkeypatch.setattr(sensor.cli, "entry_points", lambda group: points)


def fail(error):
    """Return a `run` that raises the error."""

    def run(args: argparse.Namespace) -> int:
        raise error

    return run


def test_a_command_gets_its_own_arguments_and_gives_the_exit_code(monkeypatch):
    command(lambda args: args.n, monkeypatch)
    assert main(["do", "--n", "7"]) == 7


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (NettrusionError("x.pcap: is empty"), 1, "nettrusion: x.pcap: is empty\n"),
        (ModuleNotFoundError("no", name="tensorflow.x"), 1, "pip install 'nettrusion[training]'\n"),
        (KeyboardInterrupt(), 130, ""),
        (FileNotFoundError(2, "No such file", "/eve/x"), 1, "nettrusion: /eve/x: No such file\n"),
        (OSError(28, "No space left on device"), 1, "nettrusion: No space left on device\n"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(error, code, said, monkeypatch, capsys):
    command(fail(error), monkeypatch)
    assert main(["do"]) == code
    err = capsys.readouterr().err
    assert err.endswith(said)
    assert err.count("\n") <= 1


@pytest.mark.parametrize("error", [ValueError("a bug"), ModuleNotFoundError("no", name="os.nothing")])
def test_a_bug_is_not_dressed_up(error, monkeypatch):
    command(fail(error), monkeypatch)
    with pytest.raises(type(error)):
        main(["do"])


def test_help_lists_every_command_and_says_which_one_cannot_run_here(monkeypatch, capsys):
    command(lambda args: 0, monkeypatch)
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "do    does it" in shown
    assert "gone  (not usable here: No module named 'no_such_module_here')" in shown


def test_no_command_is_help_and_exit_code_2(monkeypatch, capsys):
    command(lambda args: 0, monkeypatch)
    assert main([]) == 2
    assert "does it" in capsys.readouterr().out


def test_an_unknown_command_names_the_known_ones(monkeypatch, capsys):
    command(lambda args: 0, monkeypatch)
    with pytest.raises(SystemExit) as left:
        main(["dou"])
    assert left.value.code == 2
    assert "invalid choice: 'dou'" in capsys.readouterr().err


def test_the_version_is_that_of_the_package(monkeypatch, capsys):
    command(lambda args: 0, monkeypatch)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"nettrusion {sensor.__version__}\n"


def test_nothing_installed_is_an_error_with_a_remedy(monkeypatch, capsys):
    monkeypatch.setattr(sensor.cli, "entry_points", lambda group: [])
    assert main(["score"]) == 1
    assert "pip install" in capsys.readouterr().err


def test_a_reader_that_goes_away_ends_it_without_a_word():
    read_end, write_end = os.pipe()
    os.close(read_end)
    script = (
        "import sys, sensor.cli\n"
        "sensor.cli._dispatch = lambda argv: print('x' * 100_000) or 0\n"
        "sys.exit(sensor.cli.main([]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=write_end,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")
