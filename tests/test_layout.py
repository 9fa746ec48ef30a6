"""The shape of the tree: what may import what, what has a test, what an import brings along."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("sensor", "exporter", "training", "rules")

# A folder may import itself and those named here.
MAY_IMPORT = {
    "sensor": {"sensor", "rules"},
    "exporter": {"exporter", "sensor"},
    "training": {"training", "exporter", "sensor"},
    "rules": set(),
}
# Left may not import right. Modules of one group know nothing of each other.
ORDER = (
    {"__init__", "errors", "config"},
    {"sources"},
    {"flows"},
    {"features"},
    {"calibration"},
    {"detector"},
    {"drift"},
    {"rulebook"},
    {"eve"},
    {"sinks"},
    {"metrics"},
    {"notify"},
    {"scoring"},
    {"assembly"},
    {"pipeline"},
    {"traffic"},
    {"calibrating"},
    {"fit"},
    {"selftest", "doctor"},
    {"daemon"},
    {"cli"},
)
# What the sensor may import beside the standard library, and what only inside a function.
SENSOR_THIRD_PARTY = {"numpy", "onnxruntime"}
SENSOR_OPTIONAL = {"zstandard", "pyarrow", "redis", "confluent_kafka", "prometheus_client", "scapy", "pyshark"}
FORBIDDEN = (
    "tensorflow",
    "keras",
    "pandas",
    "sklearn",
    "scapy",
    "pyshark",
    "matplotlib",
    "onnx",
    "tf2onnx",
)


def modules(folder: str) -> list[Path]:
    """Return the Python files of a top-level folder, sorted."""
    return sorted((ROOT / folder).rglob("*.py"))


def dotted(path: Path) -> str:
    """Return the name under which a file of the tree is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, bool, int]]:
    """Yield (absolute module, whether at the top level, line) of every import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    inside = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(node)
        for child in ast.walk(node)
    }
    package = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(tree):
        top = id(node) not in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, top, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield name, top, node.lineno
            for alias in node.names:
                if (ROOT / name.replace(".", "/")).is_dir():
                    yield f"{name}.{alias.name}", top, node.lineno


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def rank(module: str) -> int | None:
    """Return the place of a sensor module in the order, None for a name that is not a module."""
    parts = module.split(".")
    noun = parts[1] if len(parts) > 1 else "__init__"
    return next((place for place, group in enumerate(ORDER) if noun in group), None)


def test_folders_import_only_what_stands_left_of_them():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: imports {name}"
        for folder in FOLDERS
        for path in modules(folder)
        for name, _, line in imports(path)
        if name.split(".")[0] in {*FOLDERS, "tests", "benchmarks"} - MAY_IMPORT[folder]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_sensor_module_has_its_place_in_the_order():
    unknown = [str(path.relative_to(ROOT)) for path in modules("sensor") if rank(dotted(path)) is None]
    assert not unknown, unknown


def test_the_sensor_imports_left_to_right():
    wrong = []
    for path in modules("sensor"):
        own = rank(dotted(path))
        for name, _, line in imports(path):
            other = rank(name) if name.startswith("sensor.") else None
            if own is not None and other is not None and other > own:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: imports {name}, which stands right of it")
    assert not wrong, "\n".join(wrong)


def test_the_sensor_imports_numpy_and_onnxruntime_and_nothing_else():
    wrong = []
    for path in modules("sensor"):
        for name, top, line in imports(path):
            root = name.split(".")[0]
            if root in sys.stdlib_module_names or root in MAY_IMPORT["sensor"] | SENSOR_THIRD_PARTY:
                continue
            if root in SENSOR_OPTIONAL and not top:
                continue
            wrong.append(f"{path.relative_to(ROOT)}:{line}: imports {name}")
    assert not wrong, "\n".join(wrong)


def test_onnxruntime_is_imported_only_inside_functions():
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules("sensor")
        for name, top, line in imports(path)
        if name.split(".")[0] == "onnxruntime" and top
    ]
    assert not wrong, wrong


def test_every_module_has_its_test():
    """A module has a test file of its name, or one of the mirrored folder's imports it by its name."""
    missing = []
    for path in (path for folder in ("sensor", "exporter", "training") for path in modules(folder)):
        if path.name in {"__init__.py", "__main__.py"}:
            continue
        mirror = ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name.lstrip('_')}")
        if mirror.is_file() or dotted(path) in imported_by(mirror.parent):
            continue
        missing.append(f"{path.relative_to(ROOT)} has no {mirror.relative_to(ROOT)}")
    assert not missing, "\n".join(missing)


@cache
def imported_by(folder: Path) -> set[str]:
    """Return the modules that the test files of one folder import."""
    return {name for path in folder.glob("test_*.py") for name, _, _ in imports(path)}


def test_every_folder_of_tests_is_a_package():
    bare = sorted(
        {str(path.parent) for path in (ROOT / "tests").rglob("*.py") if not (path.parent / "__init__.py").is_file()}
    )
    assert not bare, bare


LOAD_EVERYTHING = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def sensor_modules() -> list[str]:
    """Return the dotted names of all of the sensor's modules, onnxruntime added."""
    return [
        *(dotted(path) for path in modules("sensor") if path.name != "__main__.py"),
        "onnxruntime",
    ]


def clean_environment() -> dict[str, str]:
    """Return an environment as on a gateway: no CI variable, which hides what onnxruntime does."""
    env = {key: value for key, value in os.environ.items() if key != "CI"}
    return env | {"ORT_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT)}


def test_loading_the_whole_sensor_brings_nothing_heavy_along():
    done = subprocess.run(
        [sys.executable, "-c", LOAD_EVERYTHING, *sensor_modules()],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert not loaded & set(FORBIDDEN), loaded & set(FORBIDDEN)


def test_loading_the_whole_sensor_opens_no_socket(tmp_path: Path):
    if shutil.which("strace") is None:
        pytest.skip("tracing network calls needs the program strace")
    trace = tmp_path / "trace"
    probe = subprocess.run(["strace", "-o", str(trace), "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("strace may not trace here (no ptrace right)")
    done = subprocess.run(
        [
            "strace",
            "-f",
            "-qq",
            "-e",
            "trace=network",
            "-e",
            "signal=none",
            "-o",
            str(trace),
            sys.executable,
            "-c",
            LOAD_EVERYTHING,
            *sensor_modules(),
        ],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls = [line for line in trace.read_text().splitlines() if "+++" not in line]
    assert not calls, "\n".join(calls)


HELP_IMPORTS = """
import sys
from sensor.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print("numpy" in sys.modules, file=sys.stderr)
"""


def test_help_needs_no_numpy():
    done = subprocess.run(
        [sys.executable, "-c", HELP_IMPORTS],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().endswith("False")
