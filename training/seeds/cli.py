"""`nettrusion seed`: run again, and judge, one of the models that this project began with.

A seed is a module of this folder with `SUMMARY`, `configure(parser)` and `run(args)`, as a command
has them; its name with hyphens is the word to type. What else lies here is not offered.
"""

import argparse
import pkgutil
from importlib import import_module
from types import ModuleType

import training.seeds

SUMMARY = "run again, and judge, a model that this project began with (a benchmark, never for the wire)"
INTERFACE = ("SUMMARY", "configure", "run")


def seeds() -> dict[str, ModuleType]:
    """Return the modules that are seeds by the words that name them, sorted."""
    names = sorted(found.name for found in pkgutil.iter_modules(training.seeds.__path__))
    modules = {name.replace("_", "-"): import_module(f"training.seeds.{name}") for name in names if name != "cli"}
    return {word: module for word, module in modules.items() if all(hasattr(module, part) for part in INTERFACE)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add each seed as a command of its own, with its own arguments."""
    known = seeds()
    words = parser.add_subparsers(dest="seed", required=True, metavar="|".join(known) or "SEED")
    for word, module in known.items():
        module.configure(words.add_parser(word, help=module.SUMMARY, description=module.SUMMARY))


def run(args: argparse.Namespace) -> int:
    """Run the seed that was named and return its exit code; its errors are its own."""
    code: int = seeds()[args.seed].run(args)
    return code
