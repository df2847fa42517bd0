"""Bad messages: wsframes.testing.garbage."""

import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.testing.garbage import (
    PLANTED_NUMBER,
    PLANTED_TEXT,
    liars,
    mutations,
    named_garbage,
    noise,
)

OBJECT: dict[str, Any] = {"event": "media", "media": {"payload": "AAAA", "tags": [{"a": 1}]}}
MESSAGES: list[str | bytes] = [
    json.dumps(OBJECT),
    msgspec.msgpack.encode(OBJECT),
    b"\x00\x01\x02",
    "[1]",
    "",
]


def test_named_garbage_is_of_both_kinds() -> None:
    kinds = {type(message) for message in named_garbage()}
    assert kinds == {str, bytes}


def test_liars_name_every_frame_of_the_run_in_json_and_msgpack() -> None:
    told = list(liars())
    assert json.dumps({"type": "EndFrame"})[:-1] in {
        message[: len('{"type": "EndFrame"')] for message in told if isinstance(message, str)
    }
    decoded = [msgspec.msgpack.decode(message) for message in told if isinstance(message, bytes)]
    assert ["cancel"] in decoded
    assert any(isinstance(tree, dict) and tree.get("event") == "START" for tree in decoded)


@given(seed=st.integers(), count=st.integers(0, 50))
def test_what_is_made_follows_from_the_seed(seed: int, count: int) -> None:
    """Invariant: the same seed makes the same messages, as many as were asked for."""
    assert len(list(noise(Random(seed), count))) == count
    assert list(noise(Random(seed), count)) == list(noise(Random(seed), count))
    assert list(mutations(Random(seed), MESSAGES, count)) == list(
        mutations(Random(seed), MESSAGES, count)
    )


def parsed(message: str | bytes) -> Any:
    return json.loads(message) if isinstance(message, str) else msgspec.msgpack.decode(message)


@pytest.mark.parametrize("message", MESSAGES[:2], ids=["json", "msgpack"])
def test_mutations_of_an_object_are_wrong_in_every_place(message: str | bytes) -> None:
    made = mutations(Random(0), [message], 0)
    trees = [parsed(changed) for changed in made if type(changed) is type(message)]
    media = OBJECT["media"]
    assert {"event": None, "media": media} in trees
    assert {"event": "media", "media": []} in trees
    assert {"event": "media", "media": {**media, "tags": [{"a": "EndFrame"}]}} in trees
    # Planted at the top, and in an object within.
    assert any(tree.get("id") == PLANTED_NUMBER for tree in trees)
    inner = [tree["media"] for tree in trees if isinstance(tree["media"], dict)]
    assert any(media.get("metadata") == {PLANTED_TEXT: PLANTED_TEXT} for media in inner)


def test_every_message_is_given_as_the_other_kind_too() -> None:
    made = list(mutations(Random(0), MESSAGES, 0))
    assert json.dumps(OBJECT).encode() in made
    assert "\x00\x01\x02" in made


def test_without_messages_there_are_no_mutations() -> None:
    assert list(mutations(Random(0), [], 100)) == []
