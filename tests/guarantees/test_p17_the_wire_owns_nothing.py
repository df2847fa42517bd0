"""P17: a peer creates only listed frame types; ids, times and users never come from it."""

from collections.abc import Callable

import pytest

from fuzzing.targets import TARGETS
from tests.transport.sessions import Session
from wsframes import (
    InputAudioRawFrame,
    InputDTMFFrame,
    InputImageRawFrame,
    InputTransportMessageFrame,
    TextFrame,
)
from wsframes.testing import MemoryPeer, settle
from wsframes.testing.garbage import PLANTED_NUMBER, PLANTED_TEXT, liars

LISTED = (
    InputAudioRawFrame,
    InputImageRawFrame,
    InputTransportMessageFrame,
    InputDTMFFrame,
    TextFrame,
)


@pytest.mark.parametrize("name", ["msgpack", "json", "raw", "twilio"])
async def test_nobody_is_given_a_frame_of_the_run(
    name: str, figure: Callable[[str, str], None]
) -> None:
    """P17: messages that ask for lifecycle frames, ids, times and users, in a whole session."""
    session = Session(
        serializer=TARGETS[name](),
        max_bad_messages=10**9,
        max_messages_per_s=None,
        video_in_enabled=True,
        observe=True,
    )
    asked = list(liars())
    async with MemoryPeer(session, receive_buffer_messages=len(asked)) as peer:
        for message in asked:
            await peer.send(message)
        await settle()
        assert session.results == []
        given = [frame for frame in session.read if not frame.lifecycle]
        assert session.transport.input().statistics().taken == len(asked)
        assert all(isinstance(frame, LISTED) for frame in given)
        for frame in given:
            assert frame.id != PLANTED_NUMBER
            assert frame.pts is None
            assert PLANTED_TEXT not in str(frame.metadata)
            assert frame.transport_source is None
    figure("P17", f"{name}: {len(asked)} messages asked for it, {len(given)} listed frames came")
