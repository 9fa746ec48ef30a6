"""Filters in tcpdump's words over the packets of a file: compiled by libpcap, run here over all of them at once.

The machine is that of McCanne and Jacobson, The BSD Packet Filter (USENIX 1993): an accumulator, an index
register, sixteen words of memory, and jumps that only go forward. So one walk over the program serves any
number of packets: each instruction is carried out for the packets that come to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from sensor.sources.bpf import JUMP, Instruction, Program
from sensor.sources.libpcap import compile_filter
from training.datasets.frames import Frames

NO_INTERFACE = "offline"
"""No interface is called so: libpcap then compiles for a file with frames of that kind."""
_SIZES = {0x00: 4, 0x08: 2, 0x10: 1}
_LD, _LDX, _ST, _STX, _ALU, _JMP, _RET, _MISC = range(8)
_IMM, _ABS, _IND, _MEM, _LEN, _MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0

Rows = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]


def matching(expression: str, frames: Frames) -> npt.NDArray[np.bool_]:
    """Return (n,) which packets of a capture a filter lets through.

    Raises NettrusionError with libpcap's sentence for what is no filter, and where libpcap is not installed.
    """
    found = np.zeros(len(frames), dtype=bool)
    for link_type in np.unique(frames.link_type).tolist():
        rows = np.flatnonzero(frames.link_type == link_type)
        try:
            program = compile_filter(expression, NO_INTERFACE, link_type)
        except NettrusionError as problem:
            raise NettrusionError(str(problem).removeprefix("capture.filter: ")) from problem
        if any(step.code == JUMP and step.constant >= len(program) for step in program):
            raise NettrusionError(
                f"`{expression}` jumps back (protochain does), which the kernel refuses too; rephrase it"
            )
        found[rows] = run(program, frames, rows)
    return found


def run(program: Program, frames: Frames, rows: Rows) -> npt.NDArray[np.bool_]:
    """Return (m,) whether a program keeps any byte of the packets at `rows` (m,).

    Raises ValueError for an instruction that no classic BPF program has.
    """
    machine = _Machine(
        np.frombuffer(frames.data, dtype=np.uint8), frames.at[rows], frames.kept[rows], frames.wire[rows]
    )
    arrived: dict[int, list[Rows]] = {0: [np.arange(len(rows))]}
    for place, step in enumerate(program):
        here = arrived.pop(place, [])
        packets = np.concatenate(here) if here else np.empty(0, dtype=np.int64)
        if not len(packets):
            continue
        for target, going in machine.carry_out(step, packets):
            arrived.setdefault(place + 1 + target, []).append(going)
    return machine.kept_any


@dataclass(slots=True)
class _Machine:
    """The registers of every packet: A and X (n,), sixteen words of memory each (16, n)."""

    data: npt.NDArray[np.uint8]
    at: Rows
    kept: Rows
    wire: Rows
    a: Words = field(init=False)
    x: Words = field(init=False)
    memory: Words = field(init=False)
    kept_any: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.at)
        self.a, self.x = np.zeros(count, np.uint32), np.zeros(count, np.uint32)
        self.memory = np.zeros((16, count), np.uint32)
        self.kept_any = np.zeros(count, dtype=bool)

    def carry_out(self, step: Instruction, rows: Rows) -> Sequence[tuple[int, Rows]]:
        """Do one instruction for some packets; return where they go, counted from the next instruction."""
        kind, constant = step.code & 7, np.uint32(step.constant)
        if kind in (_LD, _LDX):
            return [(0, self._load(step, rows))]
        if kind in (_ST, _STX):
            self.memory[step.constant & 15, rows] = (self.a if kind == _ST else self.x)[rows]
        elif kind == _ALU:
            return [(0, self._compute(step, rows))]
        elif kind == _JMP:
            return self._jump(step, rows)
        elif kind == _RET:
            value = self.a[rows] if step.code & 0x18 == 0x10 else np.full(len(rows), constant)
            self.kept_any[rows] = value > 0
            return []
        elif step.code & 0xF8 == 0x80:
            self.a[rows] = self.x[rows]
        else:
            self.x[rows] = self.a[rows]
        return [(0, rows)]

    def _load(self, step: Instruction, rows: Rows) -> Rows:
        """Load A or X; return the packets that reach so far, the others are dropped."""
        to, mode = (self.a if step.code & 7 == _LD else self.x), step.code & 0xE0
        if mode == _IMM:
            to[rows] = step.constant
        elif mode == _MEM:
            to[rows] = self.memory[step.constant & 15, rows]
        elif mode == _LEN:
            to[rows] = self.wire[rows]
        else:
            size = 1 if mode == _MSH else _SIZES[step.code & 0x18]
            offset = np.full(len(rows), step.constant, dtype=np.int64)
            if mode == _IND:
                offset = (offset + self.x[rows]) & 0xFFFFFFFF
            whole = offset + size <= self.kept[rows]
            rows, offset = rows[whole], offset[whole]
            word = np.zeros(len(rows), np.uint32)
            for place in range(size):
                word = (word << np.uint32(8)) | self.data[self.at[rows] + offset + place]
            to[rows] = (word & np.uint32(15)) << np.uint32(2) if mode == _MSH else word
        return rows

    def _compute(self, step: Instruction, rows: Rows) -> Rows:
        a = self.a[rows].astype(np.uint64)
        b = self.x[rows].astype(np.uint64) if step.code & 8 else np.full(len(rows), step.constant, np.uint64)
        operation = step.code & 0xF0
        if operation in (0x30, 0x90):
            # A division by zero drops the packet.
            rows, a, b = rows[b > 0], a[b > 0], b[b > 0]
        shift = np.minimum(b, np.uint64(32))
        with np.errstate(over="ignore"):
            match operation:
                case 0x00:
                    a = a + b
                case 0x10:
                    a = a - b
                case 0x20:
                    a = a * b
                case 0x30:
                    a = a // b
                case 0x40:
                    a = a | b
                case 0x50:
                    a = a & b
                case 0x60:
                    a = a << shift
                case 0x70:
                    a = a >> shift
                case 0x80:
                    a = np.uint64(0) - a
                case 0x90:
                    a = a % b
                case 0xA0:
                    a = a ^ b
                case _:
                    raise ValueError(f"{step} is no instruction of a classic BPF program")
        self.a[rows] = (a & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        return rows

    def _jump(self, step: Instruction, rows: Rows) -> Sequence[tuple[int, Rows]]:
        operation, a = step.code & 0xF0, self.a[rows]
        b = self.x[rows] if step.code & 8 else np.full(len(rows), step.constant, np.uint32)
        match operation:
            case 0x00:
                return [(step.constant, rows)]
            case 0x10:
                true = a == b
            case 0x20:
                true = a > b
            case 0x30:
                true = a >= b
            case 0x40:
                true = (a & b) != 0
            case _:
                raise ValueError(f"{step} is no instruction of a classic BPF program")
        return [(step.if_true, rows[true]), (step.if_false, rows[~true])]


def checked(expression: str, frames: Frames, labels: Path, file: str) -> npt.NDArray[np.bool_]:
    """Return what `matching` does; an error names the labels file and the capture it is about."""
    try:
        return matching(expression, frames)
    except NettrusionError as problem:
        raise NettrusionError(f"{labels}: attack_bpf of {file}: {problem}") from problem
