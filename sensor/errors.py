"""Errors that end a command: a sentence for its operator and an exit code."""


class NettrusionError(Exception):
    """What is wrong, where, and what would be right, in one sentence.

    Raised wherever the cause is known and caught once, at the edge of the process, where the
    sentence goes to standard error and `exit_code` becomes the exit code.
    """

    exit_code: int = 1
