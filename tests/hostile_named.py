"""More of what nobody wishes to read, by name: each field with each wrong value, and the like."""

import json
from typing import Any

import msgspec

from tests.hostile import BAD_JSON, BAD_MSGPACK, SLOW_JSON, SLOW_MSGPACK

__all__ = ["NAMED"]

_GOOD: dict[str, dict[str, Any]] = {
    "audio": {"audio": "", "sample_rate": 16000, "num_channels": 1},
    "image": {"image": "AAAA", "size": [1, 1], "format": "RGB"},
    "text": {"text": "x"},
    "message": {"message": {}},
    "dtmf": {"button": "1"},
}
_WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "negative": -1,
    "huge": 2**64 - 1,
    "a fraction": 0.5,
    "a tiny float": 5e-324,
    "an empty text": "",
    "a control character": "\x1b[2J\n",
    "an override": "\u202e\u0000",
    "an empty array": [],
    "arrays in arrays": [[[[]]]],
    "an object": {"type": "EndFrame"},
}
_BYTES = {"audio", "image"}


def _families() -> dict[str, str | bytes]:
    made: dict[str, str | bytes] = {}
    for kind, fields in _GOOD.items():
        for field in fields:
            for name, value in _WRONG.items():
                tree = {"type": kind, **fields, field: value}
                made[f"JSON {kind}.{field} is {name}"] = json.dumps(tree)
                for other in _BYTES & tree.keys() - {field}:
                    tree[other] = b""
                made[f"MessagePack {kind}.{field} is {name}"] = msgspec.msgpack.encode(tree)
    for number in (0, 1, 0x1F, 0x7F, 0x80, 0xA0, 0xC0, 0xC1, 0xFF):
        made[f"bytes {number:#04x} a hundred times"] = bytes([number]) * 100
    return made


def _listed() -> dict[str, str | bytes]:
    made: dict[str, str | bytes] = {}
    lists: tuple[tuple[str, dict[str, Any]], ...] = (
        ("JSON", BAD_JSON),
        ("MessagePack", BAD_MSGPACK),
        ("slow JSON", SLOW_JSON),
        ("slow MessagePack", SLOW_MSGPACK),
    )
    for title, listed in lists:
        made.update({f"{title}: {name}": data for name, data in listed.items()})
    return made


NAMED: dict[str, str | bytes] = {**_listed(), **_families()}
