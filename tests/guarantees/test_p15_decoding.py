"""P15: decoding is total. Whatever comes is a frame, None or a `DecodeError`, in time; and counted.

The fuzzer of `make fuzz` looks for more; what it has found is among the messages here.
"""

import random
from collections.abc import Callable, Iterator

import anyio
import pytest

import wsframes.serializers
from fuzzing.targets import TARGETS, check, corpus, seeds
from tests.guarantees.scale import scaled
from tests.hostile import allowed_s, best_time_s, fuzz, mutations
from tests.hostile_named import NAMED
from tests.transport.sessions import Session
from wsframes import Frame, TextFrame
from wsframes.graph import EndReason
from wsframes.serializers import (
    FrameSerializer,
    JsonFrameSerializer,
    MsgpackFrameSerializer,
    RawAudioSerializer,
    TwilioFrameSerializer,
)
from wsframes.testing import MemoryPeer, settle

Figure = Callable[[str, str], None]

GENERATED = scaled(100_000, 1_000_000)


def generated(name: str) -> Iterator[bytes]:
    """Valid messages that were changed a little; each twentieth is noise."""
    rng = random.Random(15)
    for changed in mutations(seeds(name), GENERATED, seed=15):
        yield changed if rng.random() < 0.95 else rng.randbytes(rng.randrange(100))


@pytest.mark.parametrize("name", TARGETS)
def test_generated_messages(name: str, figure: Figure) -> None:
    """P15: 1e5 for each serializer, 1e6 in `make soak`."""
    serializer = TARGETS[name]()

    def decode(data: bytes) -> Frame | None:
        return serializer.deserialize(data.decode("latin-1") if data[:1] == b"{" else data)  # type: ignore[return-value]

    accepted, refused = fuzz(decode, generated(name))
    assert accepted + refused == GENERATED
    assert refused > 0
    figure("P15", f"{name}: {accepted:,} generated messages read, {refused:,} refused")


@pytest.mark.parametrize("name", TARGETS)
def test_named_messages(name: str, figure: Figure) -> None:
    """P15: each alone, in 10 ms and 20 ns a byte."""
    assert len(NAMED) >= 200
    serializer = TARGETS[name]()
    share = 0.0
    for title, data in NAMED.items():
        encoded = data if isinstance(data, bytes) else data.encode(errors="surrogatepass")
        check(serializer, encoded)
        took_s = _took_s(serializer, data)
        assert took_s <= allowed_s(data), title
        share = max(share, took_s / allowed_s(data))
    figure("P15", f"{name}: {len(NAMED)} named messages, the slowest took {share:.0%} of its time")


def _took_s(serializer: FrameSerializer, data: str | bytes) -> float:
    took_s = best_time_s(lambda: serializer.deserialize(data), rounds=1)
    if took_s > allowed_s(data) / 2:  # others use this machine too
        took_s = best_time_s(lambda: serializer.deserialize(data))
    return took_s


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_fuzzer_has_kept(name: str, figure: Figure) -> None:
    """P15: for every serializer, whichever it was kept for."""
    kept = corpus(name)
    for make in TARGETS.values():
        serializer = make()
        for data in kept:
            assert check(serializer, data) in ("frame", "refused")
    figure("P15", f"{len(kept)} messages that the fuzzer has kept of {name} hold")


def test_every_serializer_is_fuzzed() -> None:
    """P15: one that is added has to be put into `fuzzing.targets`, with a corpus."""
    exported = [getattr(wsframes.serializers, name) for name in wsframes.serializers.__all__]
    kinds = {kind for kind in exported if isinstance(kind, type)}
    fuzzed = {type(make()) for make in TARGETS.values()}
    assert {kind for kind in kinds if issubclass(kind, FrameSerializer)} - fuzzed == {
        FrameSerializer
    }


GOOD: dict[type[FrameSerializer], str | bytes] = {
    MsgpackFrameSerializer: MsgpackFrameSerializer().serialize(TextFrame("good")) or b"",
    JsonFrameSerializer: JsonFrameSerializer().serialize(TextFrame("good")) or "",
    RawAudioSerializer: '"good"',
    TwilioFrameSerializer: '{"event":"dtmf","dtmf":{"digit":"1"}}',
}


@pytest.mark.parametrize("kind", GOOD)
async def test_named_messages_between_good_ones(
    kind: type[FrameSerializer], figure: Figure
) -> None:
    """P15: through a whole session. Each is counted, and the next good one is read."""
    session = Session(
        serializer=kind(),
        max_bad_messages=10_000,
        max_message_bytes=1 << 25,
        max_messages_per_s=None,
        max_bytes_per_s=None,
        observe=True,
    )
    good = GOOD[kind]
    async with MemoryPeer(session, receive_buffer_messages=10_000) as peer:
        await session.started.wait()
        before = len([frame for frame in session.read if not frame.lifecycle])
        read_good = 0
        for data in NAMED.values():
            for message in (data, good):
                key = "text" if isinstance(message, str) else "bytes"
                peer.send_raw_event({"type": "websocket.receive", key: message})
            await settle()
            assert session.results == []
            read_good += 1
        statistics = session.transport.statistics().input
        assert statistics.taken == 2 * len(NAMED)
        dropped = sum(statistics.dropped.values())
        assert statistics.delivered + statistics.ignored + dropped == statistics.taken
        assert statistics.delivered >= read_good
        frames = [frame for frame in session.read if not frame.lifecycle][before:]
        assert len(frames) <= statistics.delivered
    figure(
        "P15",
        f"{kind.__name__}: {len(NAMED)} named messages between good ones, {read_good} of "
        f"{len(NAMED)} good ones read after them",
    )


@pytest.mark.parametrize(("pause_s", "ends"), [(1.1, True), (1.2, False)])
async def test_ten_bad_messages_in_ten_seconds_are_the_end(pause_s: float, ends: bool) -> None:
    """P15: 1007; nine, or ten in more than ten seconds, are not."""
    session = Session(serializer=JsonFrameSerializer())
    async with MemoryPeer(session) as peer:
        for number in range(10):
            assert session.results == []
            await peer.send("{")
            await settle()
            if number < 9:
                await anyio.sleep(pause_s)
        if ends:
            assert await peer.wait_closed() == (1007, "bad_input")
        else:
            assert session.results == []
        assert session.transport.input().dropped == {"bad_message": 10}
    if ends:
        assert session.result.reason is EndReason.BAD_INPUT
