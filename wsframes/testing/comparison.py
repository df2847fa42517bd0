"""Frames that are the same although they are not one object, and how lists of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wsframes.frames import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Expected", "difference", "matches", "payload", "same_frame"]

Expected = type[Frame] | Frame
"""What a frame can be compared with: a type, or a frame of the same type and payload."""

_SHOWN_BEFORE = 3
_SHOWN_AFTER = 8

_COMMON_FIELDS = frozenset(Frame.__struct_fields__)


def payload(frame: Frame) -> dict[str, Any]:
    """The fields that are of the frame's type alone: no id, pts, metadata or route."""
    fields = (name for name in frame.__struct_fields__ if name not in _COMMON_FIELDS)
    return {name: getattr(frame, name) for name in fields}


def same_frame(one: Frame, other: Frame) -> bool:
    """Whether two frames have one type and equal payloads."""
    return type(one) is type(other) and payload(one) == payload(other)


def matches(frame: Frame, expected: Expected) -> bool:
    """Whether a frame is what was expected: of that type or a subclass, or the same as that one."""
    if isinstance(expected, Frame):
        return same_frame(frame, expected)
    return isinstance(frame, expected)


def difference(expected: Sequence[Expected], got: Sequence[Frame]) -> str | None:
    """How frames differ from what was expected, in lines to be read; None if they do not."""
    longest = max(len(expected), len(got))
    first = next((index for index in range(longest) if not _fits(expected, got, index)), None)
    if first is None:
        return None
    begin = max(0, first - _SHOWN_BEFORE)
    end = min(longest, first + _SHOWN_AFTER)
    rows = [
        (
            index,
            " " if _fits(expected, got, index) else ">",
            _shown(expected[index]) if index < len(expected) else "",
            repr(got[index]) if index < len(got) else "",
        )
        for index in range(begin, end)
    ]
    width = max(len("expected"), *(len(row[2]) for row in rows))
    lines = [
        f"{len(expected)} expected, {len(got)} got, different from number {first} on:",
        f"         {'expected':{width}}  got",
        *(f"  {mark} {index:>4} {left:{width}}  {right}" for index, mark, left, right in rows),
    ]
    if end < longest:
        lines.append(f"    ... and {longest - end} more")
    if first < len(expected) and first < len(got):
        lines += _field_differences(expected[first], got[first])
    return "\n".join(line.rstrip() for line in lines)


def _fits(expected: Sequence[Expected], got: Sequence[Frame], index: int) -> bool:
    return index < len(expected) and index < len(got) and matches(got[index], expected[index])


def _shown(expected: Expected) -> str:
    return repr(expected) if isinstance(expected, Frame) else expected.__name__


def _field_differences(expected: Expected, got: Frame) -> list[str]:
    """What a look at the two frames does not show: bytes and long texts are cut in a repr."""
    if not isinstance(expected, Frame) or type(expected) is not type(got):
        return []
    return [
        f"  {name}: {_value_difference(value, getattr(got, name))}"
        for name, value in payload(expected).items()
        if value != getattr(got, name)
    ]


def _value_difference(expected: Any, got: Any) -> str:
    kinds = (bytes, str)
    if not isinstance(expected, kinds) or type(expected) is not type(got):
        return f"{expected!r} expected, {got!r} got"
    unit = "bytes" if isinstance(expected, bytes) else "characters"
    pairs = enumerate(zip(expected, got, strict=False))
    shorter = min(len(expected), len(got))
    at = next((index for index, (one, other) in pairs if one != other), shorter)
    begin = max(0, at - 8)
    return (
        f"{len(expected)} {unit} expected, {len(got)} got, different from {at} on: "
        f"{expected[begin : at + 16]!r} expected, {got[begin : at + 16]!r} got"
    )
