"""`wsframes.frames.payload`."""

from enum import IntEnum, StrEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import json_like
from wsframes.frames import payload
from wsframes.frames.payload import (
    MAX_DEPTH,
    MAX_NUMBER_CHARS,
    MAX_VALUES,
    content_problem,
    cost_problem_of_json,
    cost_problem_of_msgpack,
)

DEEP = f"message is nested deeper than {MAX_DEPTH} levels"
MANY = f"message has more than {MAX_VALUES} values"
KEY = "message holds an object with a key that is not text"
BINARY = "message holds bytes or an extension type, which JSON cannot express"


class Word(StrEnum):
    HELLO = "hello"


class Number(IntEnum):
    ONE = 1


def nested(levels: int, innermost: Any) -> Any:
    for level in range(levels):
        innermost = [innermost] if level % 2 else {"": innermost}
    return innermost


def problems(message: Any) -> list[str | None]:
    """Of the value, and of its two encodings."""
    return [
        content_problem(message),
        cost_problem_of_json(msgspec.json.encode(message)),
        cost_problem_of_msgpack(msgspec.msgpack.encode(message)),
    ]


# --- content ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        None,
        True,
        0,
        -(2**63),
        2**64 - 1,
        1.5,
        -0.0,
        "",
        "text",
        [],
        {},
        (1, 2),
        {"a": [1, {"b": (None, "c")}]},
        Word.HELLO,
        Number.ONE,
        nested(MAX_DEPTH, 1),
        nested(MAX_DEPTH - 1, []),
    ],
)
def test_what_a_message_may_be(message: Any) -> None:
    assert problems(message) == [None, None, None]


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (float("nan"), "message holds nan, which JSON cannot express"),
        ([float("inf")], "message holds inf, which JSON cannot express"),
        ({"a": -float("inf")}, "message holds -inf, which JSON cannot express"),
        (2**64, "message holds an integer of more than 64 bits"),
        (-(2**63) - 1, "message holds an integer of more than 64 bits"),
        ({1: 2}, KEY),
        ({"a": 1, None: 2}, KEY),
        (nested(MAX_DEPTH + 1, 1), DEEP),
        (nested(MAX_DEPTH, []), DEEP),
        ([0] * MAX_VALUES, MANY),
    ],
)
def test_what_a_message_may_not_be(message: Any, problem: str) -> None:
    assert content_problem(message) == problem


@pytest.mark.parametrize("value", [b"x", bytearray(), {1}, object(), 1j, print])
def test_the_type_that_does_not_belong_is_named(value: object) -> None:
    assert content_problem({"a": [value]}) == (
        f"message holds {type(value).__name__}, but is made of dict, list, str, int, float, "
        f"bool and None"
    )


def test_a_value_that_contains_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert content_problem(loop) == DEEP
    wide: list[Any] = []
    wide += [wide] * 1000
    assert content_problem(wide) == MANY
    ring: dict[str, Any] = {}
    ring["a"] = ring
    assert content_problem(ring) == DEEP


# --- cost -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        [0] * (MAX_VALUES - 1),
        [""] * (MAX_VALUES - 1),
        {str(n): n for n in range((MAX_VALUES - 1) // 2)},
        [[]] * ((MAX_VALUES - 1) // 2),
        [{}] * ((MAX_VALUES - 1) // 2),
        ['[{,:"\\'] * (MAX_VALUES - 1),
    ],
)
def test_the_number_of_values(message: Any) -> None:
    """Just below the limit it is a message, just above none, for the value and both encodings."""
    assert problems(message) == [None, None, None]
    more = [message, 1] if isinstance(message, dict) else [*message, [], []]
    assert problems(more) == [MANY, MANY, MANY]


@given(message=json_like(max_leaves=40), limit=st.integers(1, 40))
def test_all_three_count_alike(message: Any, limit: int) -> None:
    """The value, its JSON and its MessagePack have the same number of values."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payload, "MAX_VALUES", limit)
        too_many = [problem is not None for problem in problems(message)]
    assert too_many in ([False] * 3, [True] * 3)


@given(message=json_like(max_leaves=60))
def test_a_message_passes(message: Any) -> None:
    """What is JSON-like and small has no problem, in any encoding."""
    assert problems(message) == [None, None, None]


def test_the_length_of_a_number_in_json() -> None:
    assert cost_problem_of_json(b"[" + b"1" * MAX_NUMBER_CHARS + b"]") is None
    assert cost_problem_of_json(b"[" + b"1" * (MAX_NUMBER_CHARS + 1) + b"]") == (
        f"message holds a number of more than {MAX_NUMBER_CHARS} characters"
    )
    assert cost_problem_of_json(b'["' + b"1" * 1000 + b'"]') is None


def test_many_texts_are_many_values_even_without_commas() -> None:
    assert cost_problem_of_json(b'""' * (MAX_VALUES + 1)) == MANY


@pytest.mark.parametrize(
    ("encoded", "problem"),
    [
        (b"\xc4\x01x", BINARY),
        (b"\xc5\x00\x01x", BINARY),
        (b"\xc6\x00\x00\x00\x01x", BINARY),
        (b"\xc7\x01\x05x", BINARY),
        (b"\xd4\x05x", BINARY),
        (b"\xd6\xff\x00\x00\x00\x00", BINARY),
        (b"\x81\x01\x01", KEY),
        (b"\x81\xc0\x01", KEY),
        (b"\x82\xa1a\x01\x90\x01", KEY),
        (b"\x81\xc4\x01x\x01", KEY),
        (b"\x91" * (MAX_DEPTH + 1) + b"\x01", DEEP),
        (b"\x81\xa0" * MAX_DEPTH + b"\x80", DEEP),
        (b"\xdf\xff\xff\xff\xff\x01", KEY),
        (b"\xdd\xff\xff\xff\xff" + bytes(MAX_VALUES), MANY),
        (b"\xdc\x20\x00" + bytes(MAX_VALUES), MANY),
        (b"\xdc\x1f\xff" + bytes(MAX_VALUES - 2) + b"\x90", MANY),
    ],
)
def test_messagepack_that_is_not_decoded(encoded: bytes, problem: str) -> None:
    assert cost_problem_of_msgpack(encoded) == problem


@pytest.mark.parametrize(
    "scalar",
    [
        b"\x00",
        b"\x7f",
        b"\xe0",
        b"\xff",
        b"\xc0",
        b"\xc2",
        b"\xc3",
        b"\xcc\xff",
        b"\xcd\xff\xff",
        b"\xce" + b"\xff" * 4,
        b"\xcf" + b"\xff" * 8,
        b"\xd0\xff",
        b"\xd1\xff\xff",
        b"\xd2" + b"\xff" * 4,
        b"\xd3" + b"\xff" * 8,
        b"\xca" + bytes(4),
        b"\xcb" + bytes(8),
        b"\xa0",
        b"\xbf" + b"x" * 31,
        b"\xd9\x02xx",
        b"\xda\x00\x02xx",
        b"\xdb\x00\x00\x00\x02xx",
    ],
)
def test_every_scalar_of_messagepack_is_passed_over(scalar: bytes) -> None:
    """What follows it is read where it begins: a key that is none is found there."""
    msgspec.msgpack.decode(scalar)
    for head in (b"\x92", b"\xdc\x00\x02", b"\xdd\x00\x00\x00\x02"):
        assert cost_problem_of_msgpack(head + scalar + b"\x80") is None
        assert cost_problem_of_msgpack(head + scalar + b"\x81\x01\x01") == KEY
    for head in (b"\x81\xa0", b"\xde\x00\x01\xa0", b"\xdf\x00\x00\x00\x01\xa0"):
        assert cost_problem_of_msgpack(b"\x92" + head + scalar + b"\x81\x01\x01") == KEY


@pytest.mark.parametrize(
    "key", [b"\xa0", b"\xbf" + b"x" * 31, b"\xd9\x00", b"\xda\x00\x00", b"\xdb" + bytes(4)]
)
def test_every_text_of_messagepack_may_be_a_key(key: bytes) -> None:
    assert cost_problem_of_msgpack(b"\x81" + key + b"\x01") is None


def test_the_limits_are_what_the_promises_say() -> None:
    assert (MAX_DEPTH, MAX_VALUES, MAX_NUMBER_CHARS) == (32, 8192, 100)
