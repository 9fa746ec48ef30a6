"""Run the testbed's commands with `python -m training.testbed`."""

import sys

from training.testbed.cli import main

sys.exit(main())
