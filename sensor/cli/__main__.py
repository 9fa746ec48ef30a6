"""Run the command without its script: `python -m sensor.cli`."""

import sys

from sensor.cli import main

sys.exit(main())
