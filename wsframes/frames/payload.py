"""What an application's message may be made of, and how much of it.

A message is JSON-like on every wire: objects with text keys, arrays, text, integers of 64 bits,
finite floats, true, false and null. What JSON cannot say (bytes, dates, NaN) does not cross a
binary wire either, so that an application behaves alike whichever serializer it is given.

Two kinds of check. `content_problem` looks at a value. The `cost_problem_of_*` functions look at
an encoded value *before* it is decoded: a megabyte of empty arrays becomes a million objects,
which takes five times as long as a message may take, keys that are arrays can be chosen to have
all the same hash value, and numbers of hundreds of digits are slow to read.

Each returns what is wrong in words, without any of the peer's bytes, or None.
"""

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "MAX_DEPTH",
    "MAX_NUMBER_CHARS",
    "MAX_VALUES",
    "content_problem",
    "cost_problem_of_json",
    "cost_problem_of_msgpack",
]

MAX_DEPTH: Final = 32
"""Containers within each other."""
MAX_VALUES: Final = 8192
"""Containers, keys and scalars of one message, together; an empty container counts twice."""
MAX_NUMBER_CHARS: Final = 100
"""One number in JSON; 25 are enough for every float."""

_TOO_DEEP: Final = f"message is nested deeper than {MAX_DEPTH} levels"
_TOO_MANY: Final = f"message has more than {MAX_VALUES} values"
_BAD_KEY: Final = "message holds an object with a key that is not text"
_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**64 - 1


def content_problem(message: object) -> str | None:
    """Say why a value is not a message, or None if it is one.

    Tuples pass as arrays. A value that contains itself is too deep.
    """
    depth = 0
    values = 1
    level = [message]
    while level:
        below: list[object] = []
        for value in level:
            if isinstance(value, str) or value is None or isinstance(value, bool):
                continue
            items: Collection[object]
            if isinstance(value, dict):
                items = value.values()
                values += len(items)
                for key in value:
                    if not isinstance(key, str):
                        return _BAD_KEY
            elif isinstance(value, list) or isinstance(value, tuple):
                items = value
            elif isinstance(value, int):
                if not _MIN_INT <= value <= _MAX_INT:
                    return "message holds an integer of more than 64 bits"
                continue
            elif isinstance(value, float):
                if not math.isfinite(value):
                    return f"message holds {value}, which JSON cannot express"
                continue
            else:
                return (
                    f"message holds {type(value).__name__}, but is made of dict, list, str, int, "
                    f"float, bool and None"
                )
            if depth == MAX_DEPTH:
                return _TOO_DEEP
            values += len(items) or 1
            if values > MAX_VALUES:  # before the items are gathered: they may be the value itself
                return _TOO_MANY
            below += items
        level = below
        depth += 1
    return None


def cost_problem_of_json(encoded: bytes) -> str | None:
    """Say why JSON, well-formed or not, must not be decoded, or None if it may."""
    # Without its escapes, a text ends at the next quotation mark. What is between the texts is
    # structure, where every value but the first, and the nothing in an empty container, has a
    # comma, a colon or an opening bracket before it.
    plain = encoded.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 2 * MAX_VALUES:
        return _TOO_MANY
    structure = b"".join(plain.split(b'"')[::2])
    if 1 + sum(map(structure.count, (b",", b":", b"[", b"{"))) > MAX_VALUES:
        return _TOO_MANY
    if _LONG_NUMBER in structure.translate(_DIGITS_OF_NUMBERS):
        return f"message holds a number of more than {MAX_NUMBER_CHARS} characters"
    return None


def cost_problem_of_msgpack(encoded: bytes) -> str | None:
    """Say why well-formed MessagePack must not be decoded, or None if it may."""
    at = 0
    values = 0
    left = 1  # items to come in the container at hand;
    keyed = False  # if it is a map, keys and values by turns, a value last
    outer: list[tuple[int, bool]] = []
    while True:
        while not left:
            if not outer:
                return _TOO_MANY if values > MAX_VALUES else None
            left, keyed = outer.pop()
        values += 1
        if values > MAX_VALUES:
            return _TOO_MANY
        head = encoded[at]
        if keyed and not left % 2 and head not in _TEXT_HEADS:
            return _BAD_KEY
        left -= 1
        if size := _SCALAR_BYTES.get(head):
            at += size
            continue
        if head in _OTHER_HEADS:
            return "message holds bytes or an extension type, which JSON cannot express"
        if head < _FIRST_LONG_HEAD:  # the length is in the low bits of the head
            length = head & 0x0F
            at += 1
        else:
            width = _LENGTH_BYTES[head]
            length = int.from_bytes(encoded[at + 1 : at + 1 + width], "big")
            at += 1 + width
        if head in _TEXT_HEADS:
            at += length
            continue
        if len(outer) == MAX_DEPTH:
            return _TOO_DEEP
        if not length:
            values += 1
            continue
        outer.append((left, keyed))
        keyed = head in _MAP_HEADS
        left = 2 * length if keyed else length


_LONG_NUMBER: Final = b"0" * (MAX_NUMBER_CHARS + 1)
_DIGITS_OF_NUMBERS: Final = bytes(
    b"0"[0] if char in b"0123456789+-.eE" else b" "[0] for char in range(256)
)

# The first byte of a value, after the table in the MessagePack specification, "Formats".
_MAP_HEADS: Final = frozenset([*range(0x80, 0x90), 0xDE, 0xDF])
_TEXT_HEADS: Final = frozenset([*range(0xA0, 0xC0), 0xD9, 0xDA, 0xDB])
_OTHER_HEADS: Final = frozenset([*range(0xC4, 0xCA), *range(0xD4, 0xD9)])
_FIRST_LONG_HEAD: Final = 0xA0
_LENGTH_BYTES: Final = {0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_SCALAR_BYTES: Final = {
    **dict.fromkeys([*range(0x80), *range(0xC0, 0xC4), *range(0xE0, 0x100)], 1),
    **{0xA0 + length: 1 + length for length in range(0x20)},
    **dict.fromkeys([0xCC, 0xD0], 2),
    **dict.fromkeys([0xCD, 0xD1], 3),
    **dict.fromkeys([0xCA, 0xCE, 0xD2], 5),
    **dict.fromkeys([0xCB, 0xCF, 0xD3], 9),
}
