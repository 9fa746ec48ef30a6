"""Run the benchmarks with `python -m benchmarks`."""

import sys

from benchmarks.bench import main

sys.exit(main())
