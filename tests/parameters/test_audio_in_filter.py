"""The audio filter, as it is seen from outside."""

from tests.transport.hearing_parts import hearing, say
from tests.transport.test_hearing_filter import Mute
from wsframes.testing import MemoryPeer


async def test_audio_in_filter() -> None:
    """The pipeline, and the detector of voice, get what the filter makes of the audio."""
    session, ear = hearing(audio_in_filter=Mute(enabled=True))
    async with MemoryPeer(session) as peer:
        await say(peer, "v" * 20)
    assert ear.heard == ["."] * 20
