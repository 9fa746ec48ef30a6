"""The sensor: packets -> flows -> features -> scores -> alerts -> sinks."""


def __getattr__(name: str) -> str:
    """Look up `__version__` in the installed metadata only when somebody asks for it."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("nettrusion")
    except PackageNotFoundError:
        return "0+source"
