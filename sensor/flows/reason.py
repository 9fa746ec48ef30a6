"""Why a flow was reported, and how far its connection had come."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why a flow was reported (`FLOW_DTYPE` field `reason`); after a SNAPSHOT it goes on."""

    FIN = 1
    RST = 2
    IDLE = 3
    ACTIVE = 4
    EVICTED = 5
    SHUTDOWN = 6
    REUSE = 7
    SNAPSHOT = 8


class State(IntEnum):
    """How far the connection had come (`FLOW_DTYPE` field `state`)."""

    NEW = 0
    ESTABLISHED = 1
    CLOSED = 2
