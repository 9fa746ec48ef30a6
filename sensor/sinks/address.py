"""HOST:PORT as an operator writes it."""

from sensor.errors import NettrusionError


def host_and_port(address: str) -> tuple[str, int]:
    """Split an address; an IPv6 host stands in brackets.

    Raises:
        NettrusionError: it is not of that form.
    """
    host, colon, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    number = int(port) if port.isascii() and port.isdigit() else 0
    if not colon or not bare or (":" in bare and bare == host) or not 0 < number < 65536:
        raise NettrusionError(f"{address!r} is no address; write HOST:PORT, an IPv6 host in brackets")
    return bare, number
