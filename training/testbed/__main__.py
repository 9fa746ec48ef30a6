"""What the enclosure starts: `python -m training.testbed enclosed PROFILE -o DIR`."""

import sys

from training.testbed.cli import main

sys.exit(main())
