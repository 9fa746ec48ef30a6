"""The daemon: live sources, their workers, one writer, and what an operator may tell it while it runs."""
