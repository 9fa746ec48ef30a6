"""Tests of the testbed, on its bundled recording and, as root with its tools, on a real one."""
