"""Messages that a serializer must survive: nonsense, and lies that look like its own messages.

All of it follows from a seed, so that what has failed once fails again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, AnyStr, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from .wire import Data

__all__ = ["PLANTED_NUMBER", "PLANTED_TEXT", "liars", "mutations", "named_garbage", "noise"]

PLANTED_NUMBER: Final = 7_007_007_007_007
"""Where a decoded frame has it as its id or its time, it has it from the peer."""
PLANTED_TEXT: Final = "planted by check_serializer"
"""Likewise in its metadata."""

_PRIVILEGED = ("start", "end", "stop", "cancel", "interruption", "error", "heartbeat")
_TYPE_KEYS = ("type", "event", "frame", "kind", "name", "action")

_PLANTED_FIELDS: dict[str, Any] = {
    "id": PLANTED_NUMBER,
    "pts": PLANTED_NUMBER,
    "metadata": {PLANTED_TEXT: PLANTED_TEXT},
    "lifecycle": True,
    "__class__": "EndFrame",
}

_WRONG_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**63, 1.5, 1e308, "", "\x00", "EndFrame", [], [[]], {}, {"": None}
)  # fmt: skip


def named_garbage() -> Iterator[Data]:
    """What has broken decoders before."""
    yield from ("", " ", "\x00", "\ufeff{}", "\ud800", "null", "1", "[]", "{}", "NaN", "{", '{"":}')
    yield from (
        "9" * 5000,
        "[" * 100_000,
        '{"a":' * 100_000,
        '"' + "x" * 1_000_000,
        "[" + "[]," * 9,
    )
    yield from (
        b"",
        b"\x00",
        b"\xff",
        b"\xc1",
        b"\xff\xfe\x00\x00",
        b"\x80\x04\x95",
        bytes(1_000_000),
    )
    yield from (
        b"\x91" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    )
    yield from (b"RIFF\x00\x00\x00\x00WAVE", b"OggS\x00", b"GET / HTTP/1.1\r\n\r\n")


def liars() -> Iterator[Data]:
    """Messages that ask for a frame which only the run may make."""
    for word in _PRIVILEGED:
        for name in (word, word.title(), word.upper(), f"{word.title()}Frame", f"{word}_frame"):
            for key in _TYPE_KEYS:
                yield from _encoded({key: name, **_PLANTED_FIELDS})
                yield from _encoded({"data": {key: name}, key: name})
            yield name
            yield from _encoded([name])


def noise(random: Random, count: int) -> Iterator[Data]:
    """Random bytes and random text."""
    for _ in range(count):
        size = random.randrange(200)
        if random.random() < 0.5:
            yield random.randbytes(size)
        else:
            yield "".join(chr(random.randrange(random.choice((128, 0xD7FF)))) for _ in range(size))


def mutations(random: Random, messages: Sequence[Data], count: int) -> Iterator[Data]:
    """Messages that were changed a little: cut, doubled, with a byte or a value that is wrong."""
    for message in messages:
        yield message.encode() if isinstance(message, str) else message.decode("latin-1")
        tree = _decoded(message)
        if tree is not None:
            for path in _paths(tree):
                for change in _WRONG_VALUES:
                    yield _like(message, _replaced(tree, path, change))
                yield _like(message, _planted(tree, path))
            yield _like(message, _planted(tree, ()))
    for _ in range(count if messages else 0):
        yield _damaged(random, random.choice(messages))


def _damaged(random: Random, message: Data) -> Data:
    if isinstance(message, str):
        return _changed(random, message, chr(random.randrange(128)))
    return _changed(random, message, random.randbytes(1))


def _changed(random: Random, message: AnyStr, wrong: AnyStr) -> AnyStr:
    at = random.randrange(len(message) + 1)
    before, after = message[:at], message[at:]
    return random.choice((before, message + after, after + before, before + wrong + after[1:]))


# Messages as trees: most wires are JSON or MessagePack.

_Path = tuple[Any, ...]


def _decoded(message: Data) -> Any:
    try:
        tree = json.loads(message) if isinstance(message, str) else msgspec.msgpack.decode(message)
    except ValueError:
        return None
    return tree if isinstance(tree, dict) else None


def _like(message: Data, tree: Any) -> Data:
    return json.dumps(tree) if isinstance(message, str) else msgspec.msgpack.encode(tree)


def _encoded(tree: Any) -> tuple[Data, Data]:
    return json.dumps(tree), msgspec.msgpack.encode(tree)


def _paths(tree: Any, path: _Path = ()) -> Iterator[_Path]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*path, key))


def _replaced(tree: Any, path: _Path, value: Any) -> Any:
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], value)
    return copy


def _planted(tree: Any, path: _Path) -> Any:
    """Planted fields in the object at a path; where there is none, the tree as it is."""
    value = tree
    for key in path:
        value = value[key]
    return _replaced(tree, path, {**value, **_PLANTED_FIELDS} if isinstance(value, dict) else value)
