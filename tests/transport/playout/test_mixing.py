"""`wsframes.transport.playout.mixing`."""

from typing import Any

import anyio
import pytest

from wsframes import MixerEnableFrame, MixerUpdateSettingsFrame
from wsframes.audio.mixer import BaseAudioMixer
from wsframes.transport.playout.mixing import Mixing


class Sync(BaseAudioMixer):
    """Turns every byte round; each call is noted; `fails` and `gives` say what goes wrong."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.fails: dict[str, Exception] = {}
        self.gives: Any = None

    def note(self, method: str, argument: Any = None) -> None:
        self.calls.append((method, argument))
        if method in self.fails:
            raise self.fails[method]

    def start(self, sample_rate: int) -> None:
        self.note("start", (sample_rate, self.num_channels))

    def stop(self) -> None:
        self.note("stop")

    def mix(self, audio: bytes) -> bytes:
        self.note("mix", audio)
        return audio[::-1] if self.gives is None else self.gives

    def process_frame(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        self.note("process_frame", frame)


class Async(Sync):
    """The same with `async def`; `hangs` names the methods that do not return."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs: set[str] = set()

    async def wait(self, method: str) -> None:
        await anyio.sleep(1e6 if method in self.hangs else 0.01)

    async def start(self, sample_rate: int) -> None:  # type: ignore[override]
        await self.wait("start")
        super().start(sample_rate)

    async def stop(self) -> None:  # type: ignore[override]
        await self.wait("stop")
        super().stop()

    async def mix(self, audio: bytes) -> bytes:  # type: ignore[override]
        await self.wait("mix")
        return super().mix(audio)

    async def process_frame(self, frame: Any) -> None:  # type: ignore[override]
        await self.wait("process_frame")
        super().process_frame(frame)


class Bench:
    def __init__(self, mixer: Sync) -> None:
        self.errors: list[tuple[str, Exception | None]] = []
        self.mixer = mixer
        self.mixing = Mixing(mixer, 2, lambda text, exc: self.errors.append((text, exc)))


every_kind = pytest.mark.parametrize("kind", [Sync, Async])


@every_kind
async def test_a_mixer_is_asked(kind: type[Sync]) -> None:
    b = Bench(kind())
    assert not b.mixing.is_on
    assert await b.mixing.mix(b"abcd") == b"abcd"
    await b.mixing.start(16000)
    await b.mixing.start(16000)
    assert b.mixing.is_on
    assert await b.mixing.mix(b"abcd") == b"dcba"
    frame = MixerEnableFrame(False)
    await b.mixing.control(frame)
    await b.mixing.stop()
    await b.mixing.stop()
    assert not b.mixing.is_on
    assert b.mixer.calls == [
        ("start", (16000, 2)),
        ("mix", b"abcd"),
        ("process_frame", frame),
        ("stop", None),
    ]
    assert b.errors == []


@every_kind
@pytest.mark.parametrize("method", ["start", "mix"])
async def test_one_that_raises_is_left_out_and_reported_once(kind: type[Sync], method: str) -> None:
    b = Bench(kind())
    error = OSError("no such file")
    b.mixer.fails = {method: error, "stop": OSError("again")}
    await b.mixing.start(16000)
    for _ in range(3):
        assert await b.mixing.mix(b"abcd") == b"abcd"
        await b.mixing.control(MixerEnableFrame(True))
    await b.mixing.stop()
    ((text, exc),) = b.errors
    assert f"{kind.__name__} is left out from now on: {method} raised OSError('no such" in text
    assert exc is error
    assert not b.mixing.is_on
    assert b.mixer.calls[-1] == ("stop", None)


@pytest.mark.parametrize(("method", "limit_s"), [("start", 5.0), ("mix", 0.5)])
async def test_one_that_hangs_is_left_out(method: str, limit_s: float) -> None:
    mixer = Async()
    mixer.hangs = {method}
    b = Bench(mixer)
    begun_s = anyio.current_time()
    await b.mixing.start(16000)
    assert await b.mixing.mix(b"abcd") == b"abcd"
    waited_s = anyio.current_time() - begun_s
    assert waited_s == pytest.approx(limit_s, abs=0.02)
    assert await b.mixing.mix(b"abcd") == b"abcd"
    assert anyio.current_time() - begun_s == waited_s
    ((text, _),) = b.errors
    assert f"{method} took more than {limit_s} s" in text


@every_kind
@pytest.mark.parametrize("given", [b"abc", "abcd", 4, bytearray(b"abcd")])
async def test_what_is_no_audio_is_not_sent(kind: type[Sync], given: Any) -> None:
    b = Bench(kind())
    await b.mixing.start(16000)
    b.mixer.gives = given
    assert await b.mixing.mix(b"abcd") == b"abcd"
    ((text, _),) = b.errors
    said = "3 bytes" if given == b"abc" else type(given).__name__
    assert f"mix returned {said} for 4 bytes" in text


@every_kind
async def test_a_control_frame_that_is_refused_costs_nothing_else(kind: type[Sync]) -> None:
    b = Bench(kind())
    await b.mixing.start(16000)
    b.mixer.fails = {"process_frame": ValueError("no setting is called 'loudness'")}
    await b.mixing.control(MixerUpdateSettingsFrame({"loudness": 2}))
    assert await b.mixing.mix(b"abcd") == b"dcba"
    ((text, _),) = b.errors
    assert "refused MixerUpdateSettingsFrame#" in text
    assert "no setting is called 'loudness'" in text


async def test_a_control_frame_that_hangs() -> None:
    mixer = Async()
    mixer.hangs = {"process_frame"}
    b = Bench(mixer)
    await b.mixing.start(16000)
    await b.mixing.control(MixerEnableFrame(True))
    assert not b.mixing.is_on
    assert "process_frame took more than 0.5 s" in b.errors[0][0]


async def test_one_that_does_not_stop() -> None:
    mixer = Async()
    mixer.hangs = {"stop"}
    b = Bench(mixer)
    await b.mixing.start(16000)
    begun_s = anyio.current_time()
    await b.mixing.stop()
    assert anyio.current_time() - begun_s == pytest.approx(0.3)
    assert "Async did not stop: TimeoutError" in b.errors[0][0]


async def test_one_that_was_not_started_is_not_stopped() -> None:
    b = Bench(Sync())
    await b.mixing.stop()
    assert b.mixer.calls == []
