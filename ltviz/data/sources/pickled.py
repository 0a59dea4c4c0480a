"""The pickled dictionary of a python batch of CIFAR, read without running what a pickle may hold.

A python batch is a pickled dictionary (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html; the official ones
were written by Python 2, protocol 2). A pickle is a program for a small stack machine, and one of its instructions
calls whatever function it names. So the machine here knows only the instructions that such a dictionary needs, and of
functions only the names of the six that numpy and Python write for an array and for bytes: they are compared as text
and what they would give is built here. Anything else is refused before anything was looked up.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltviz.errors import DataError

MAX_BATCH = 2**28
"""No batch may be larger; CIFAR-100's training file has 155 MB."""
MAX_STEPS = 2_000_000
"""Instructions of one batch, which bounds the objects that it makes; CIFAR-100's training file has 0.3 million."""
_SHOWN = 60

_TYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8")


def read_pickled_dictionary(data: bytes, where: str) -> dict[str, Any]:
    """The dictionary of text, whole numbers, lists and arrays that a python batch holds; nothing of it is run.

    Text of Python 2 and bytes as keys become str (latin-1); values are int, bool, None, str, bytes, list, tuple,
    dict, or an array of whole numbers that shares memory with `data`.

    Raises:
        DataError: anything that a batch of CIFAR does not hold, or a damaged one; `where` ends the sentence.

    Example:
        >>> read_pickled_dictionary(b"\\x80\\x02}q\\x01U\\x06labelsq\\x02]q\\x03(K\\x06K\\x09es.", "data_batch_1")
        {'labels': [6, 9]}
    """
    if len(data) > MAX_BATCH:
        raise DataError(f"a batch of CIFAR has up to {MAX_BATCH >> 20} MB, got {len(data) / 2**20:,.0f}: {where}")
    machine = _Machine(data, where)
    try:
        found = machine.run()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, struct.error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"a batch of CIFAR must be a whole pickled dictionary, but reading stopped at byte {machine.at}; "
            f"get the official file again: {where}"
        ) from error
    if type(found) is not dict:
        raise DataError(f"a batch of CIFAR must hold a dictionary, but this pickle holds another thing: {where}")
    return {as_text(key): value.array if isinstance(value, _Array) else value for key, value in found.items()}


@dataclass(frozen=True, slots=True)
class _Name:
    """A function or class that the pickle names; it is never looked up."""

    module: str
    name: str


@dataclass(slots=True)
class _Array:
    """An array that is filled by the BUILD after it."""

    array: NDArray | None = None


@dataclass(slots=True)
class _Type:
    code: str
    order: str = "|"

    def dtype(self) -> np.dtype:
        return np.dtype((">" if self.order == ">" else "<") + self.code)


_NDARRAY = _Name("numpy", "ndarray")
_DTYPE = _Name("numpy", "dtype")
_ENCODE = _Name("_codecs", "encode")
# numpy 2 gave its modules another name, and Python 3 the module of its built-ins.
_RECONSTRUCT = {_Name(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")}
_FROM_BUFFER = {_Name(f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")}
_BYTES = {_Name(module, "bytes") for module in ("__builtin__", "builtins")}
_KNOWN = {_NDARRAY, _DTYPE, _ENCODE, *_RECONSTRUCT, *_FROM_BUFFER, *_BYTES}


class _Machine:
    """The stack machine of pickle, protocols 2 to 5, without any instruction that could run something."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.view, self.where = data, memoryview(data), where
        self.at = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.encoded = 0

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            code = self.data[self.at]
            self.at += 1
            if code == _STOP:
                if self.at < len(self.data):
                    raise DataError(
                        f"a batch of CIFAR must end with its dictionary, but goes on after byte {self.at}: {self.where}"
                    )
                return self.stack.pop()
            step = _STEPS.get(code)
            if step is None:
                raise DataError(
                    f"a batch of CIFAR holds text, numbers, lists and an array, but byte {self.at - 1} is the pickle "
                    f"instruction 0x{code:02x}, which none of them needs; nothing was run: {self.where}"
                )
            step(self)
        raise DataError(f"a batch of CIFAR has up to {MAX_STEPS:,} pickle instructions, this one more: {self.where}")

    def take(self, size: int) -> memoryview:
        """The next bytes. A claim beyond the end is refused before memory is taken."""
        if size > len(self.data) - self.at:
            raise ValueError("cut short")
        self.at += size
        return self.view[self.at - size : self.at]

    def number(self, form: str) -> int:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        end = self.data.index(b"\n", self.at, self.at + 256)
        return str(self.take(end - self.at + 1)[:-1], "utf-8")

    def since_mark(self) -> list[Any]:
        mark = self.marks.pop()
        taken = self.stack[mark:]
        del self.stack[mark:]
        return taken

    def push_name(self, module: Any, name: Any) -> None:
        named = _Name(module, name) if isinstance(module, str) and isinstance(name, str) else None
        if named not in _KNOWN:
            asked = f"{module[:_SHOWN]!r}, {name[:_SHOWN]!r}" if named else "something without a name"
            raise DataError(
                f"a batch of CIFAR names no function but numpy's own for its array, but this one asks for {asked}; "
                f"nothing was run: {self.where}"
            )
        self.stack.append(named)

    def call(self) -> None:
        """REDUCE: what the named function would give, built here."""
        given, named = self.stack.pop(), self.stack.pop()
        if type(given) is not tuple:
            raise TypeError("arguments are a tuple")
        if named == _ENCODE and len(given) == 2 and given[1] in ("latin1", b"latin1"):
            self.encoded += len(given[0])
            if self.encoded > len(self.data):  # the same text again and again would fill the memory
                raise ValueError("more text than the file holds")
            made: Any = given[0].encode("latin-1")
        elif named in _BYTES and not given:
            made = b""
        elif named == _DTYPE and as_text(given[0]) in _TYPES:
            made = _Type(as_text(given[0]))
        elif named in _RECONSTRUCT and given[:2] == (_NDARRAY, (0,)):
            made = _Array()
        elif named in _FROM_BUFFER and len(given) == 4:
            raw, kind, shape, order = given
            made = _Array(_as_array(raw, kind, shape, as_text(order)))
        else:
            raise TypeError("arguments of another call")
        self.stack.append(made)

    def build(self) -> None:
        """BUILD: the state of a numpy type or array."""
        state, built = self.stack.pop(), self.stack[-1]
        if isinstance(built, _Type) and as_text(state[1]) in ("|", "<", ">") and state[2:5] == (None, None, None):
            built.order = as_text(state[1])
        elif isinstance(built, _Array) and built.array is None and len(state) == 5:
            _, shape, kind, fortran, raw = state
            built.array = _as_array(raw, kind, shape, "F" if fortran else "C")
        else:
            raise TypeError("a state of another thing")

    def append(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise TypeError("appending to another thing")
        self.stack[-1].extend(values)

    def set_items(self, pairs: list[Any]) -> None:
        if type(self.stack[-1]) is not dict or not all(type(key) in (str, bytes) for key in pairs[::2]):
            raise TypeError("a dictionary has text as keys")
        self.stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))


def _as_array(raw: Any, kind: Any, shape: Any, order: Any) -> NDArray:
    """The array of a buffer that holds exactly it."""
    if not isinstance(kind, _Type) or not isinstance(raw, bytes | memoryview) or order not in ("C", "F"):
        raise TypeError("an array is made of bytes")
    if type(shape) is not tuple or not all(type(length) is int and length >= 0 for length in shape) or len(shape) > 4:
        raise TypeError("a shape is a few whole numbers")
    dtype = kind.dtype()
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise ValueError("another number of bytes than the shape has")
    return np.frombuffer(raw, dtype).reshape(shape, order=order)


def as_text(value: Any) -> Any:
    """Text of Python 2, or bytes, as str; other values as they are."""
    return str(value, "latin-1") if isinstance(value, bytes | memoryview) else value


def _sized(form: str, make: Callable[[memoryview], Any]) -> Callable[[_Machine], None]:
    """An instruction that pushes what `make` gives of the bytes that follow their own number."""
    return lambda machine: machine.stack.append(make(machine.take(machine.number(form))))


def _number(form: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.number(form))


def _constant(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _tuple(size: int) -> Callable[[_Machine], None]:
    def step(machine: _Machine) -> None:
        if len(machine.stack) < size:
            raise IndexError("an empty stack")
        taken = tuple(machine.stack[-size:])
        del machine.stack[-size:]
        machine.stack.append(taken)

    return step


def _put(form: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.memo.__setitem__(machine.number(form), machine.stack[-1])


def _get(form: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.memo[machine.number(form)])


def _protocol(machine: _Machine) -> None:
    if machine.number("<B") not in (2, 3, 4, 5):
        raise ValueError("another protocol")


def _frame(machine: _Machine) -> None:
    """How the bytes were written, not what they are."""
    machine.take(8)


def _long(machine: _Machine) -> None:
    size = machine.number("<B")
    if size > 8:
        raise ValueError("a number beyond 64 bits")
    machine.stack.append(int.from_bytes(machine.take(size), "little", signed=True))


def _large(raw: memoryview) -> bytes | memoryview:
    """The pixels stay where they are; short text becomes bytes, which can be a key."""
    return raw if len(raw) > 2**16 else bytes(raw)


def _utf8(raw: memoryview) -> str:
    return str(raw, "utf-8", "surrogatepass")


_STOP = 0x2E
_STEPS: dict[int, Callable[[_Machine], None]] = {
    0x80: _protocol,
    0x95: _frame,
    0x28: lambda machine: machine.marks.append(len(machine.stack)),  # MARK
    0x4E: _constant(None),
    0x88: _constant(True),
    0x89: _constant(False),
    0x4B: _number("<B"),
    0x4D: _number("<H"),
    0x4A: _number("<i"),
    0x8A: _long,
    0x55: _sized("<B", bytes),  # Python 2's text
    0x54: _sized("<I", _large),
    0x43: _sized("<B", bytes),  # Python 3's bytes
    0x42: _sized("<I", _large),
    0x8E: _sized("<Q", _large),
    0x96: _sized("<Q", _large),  # a bytearray, which holds an array in protocol 5
    0x8C: _sized("<B", _utf8),
    0x58: _sized("<I", _utf8),
    0x8D: _sized("<Q", _utf8),
    0x7D: lambda machine: machine.stack.append({}),
    0x5D: lambda machine: machine.stack.append([]),
    0x29: _constant(()),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    0x74: lambda machine: machine.stack.append(tuple(machine.since_mark())),
    0x61: lambda machine: machine.append([machine.stack.pop()]),
    0x65: lambda machine: machine.append(machine.since_mark()),
    0x73: lambda machine: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    0x75: lambda machine: machine.set_items(machine.since_mark()),
    0x71: _put("<B"),
    0x72: _put("<I"),
    0x94: lambda machine: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    0x68: _get("<B"),
    0x6A: _get("<I"),
    0x63: lambda machine: machine.push_name(machine.line(), machine.line()),
    0x93: lambda machine: machine.push_name(machine.stack.pop(-2), machine.stack.pop()),
    0x52: _Machine.call,
    0x62: _Machine.build,
}
