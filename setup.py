"""Build the one compiled extension; everything else about the package stands in pyproject.toml."""

from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

FLOWS = Path("sensor") / "flows"

engine = Extension(
    "sensor.flows.engine",
    sources=[str(FLOWS / "engine.pyx")],
    depends=sorted(str(path) for pattern in ("*.pxi", "*.pxd", "*.h") for path in FLOWS.glob(pattern)),
    include_dirs=[numpy.get_include(), str(FLOWS)],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
    # No -march=native: a wheel is built on one machine and runs on another.
    extra_compile_args=["-O2", "-Wno-unused-function", "-Wno-unreachable-code"],
)

setup(ext_modules=cythonize([engine], language_level=3, show_all_warnings=False))
