"""`wsframes.transport.hearing.filter_stage`."""

import asyncio
import threading
from typing import Any

import anyio
import pytest

from wsframes import FilterEnableFrame, FilterUpdateSettingsFrame
from wsframes.audio import BaseAudioFilter
from wsframes.transport.hearing.filter_stage import FilterStage

RATE, CHANNELS = 16000, 2
AUDIO = bytes(range(64))
FILTERED = AUDIO[::-1]


class Quick(BaseAudioFilter):
    """Turns every byte round; each call is noted; `fails` and `gives` say what goes wrong."""

    runs_inline = True

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.threads: set[int] = set()
        self.fails: dict[str, BaseException] = {}
        self.gives: Any = None

    def note(self, method: str, argument: Any = None) -> None:
        self.calls.append((method, argument))
        self.threads.add(threading.get_ident())
        if method in self.fails:
            raise self.fails[method]

    def start(self, sample_rate: int) -> None:
        self.note("start", (sample_rate, self.num_channels))

    def stop(self) -> None:
        self.note("stop")

    def filter(self, audio: bytes) -> bytes:
        self.note("filter", audio)
        return audio[::-1] if self.gives is None else self.gives

    def process_frame(self, frame: FilterUpdateSettingsFrame | FilterEnableFrame) -> None:
        self.note("process_frame", frame)


class Threaded(Quick):
    """The same in worker threads; `hangs` names the methods that do not return until `go_on`."""

    runs_inline = False

    def __init__(self) -> None:
        super().__init__()
        self.hangs: set[str] = set()
        self.go_on = threading.Event()

    def note(self, method: str, argument: Any = None) -> None:
        super().note(method, argument)
        if method in self.hangs:
            self.go_on.wait(20)


class Async(Quick):
    """The same with `async def`, whether it says that it runs inline or not."""

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

    async def filter(self, audio: bytes) -> bytes:  # type: ignore[override]
        await self.wait("filter")
        return super().filter(audio)

    async def process_frame(self, frame: Any) -> None:  # type: ignore[override]
        await self.wait("process_frame")
        super().process_frame(frame)


class Bench:
    def __init__(self, audio_filter: Any) -> None:
        self.errors: list[tuple[str, BaseException | None]] = []
        self.filter = audio_filter
        self.stage = FilterStage(audio_filter, lambda text, exc: self.errors.append((text, exc)))

    async def feed(self, audio: bytes = AUDIO, rate: int = RATE) -> bytes:
        return await self.stage.feed(audio, rate, CHANNELS)

    def feed_nowait(self, audio: bytes = AUDIO, rate: int = RATE) -> bytes | None:
        return self.stage.feed_nowait(audio, rate, CHANNELS)

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.filter.calls]

    async def check_left_out(self, why: str) -> None:
        """It is told of once, not asked again, stopped in the end, and no audio is changed."""
        ((text, _),) = self.errors
        assert text.startswith(type(self.filter).__name__)
        assert "left out" in text
        assert why in text
        calls = self.filter.calls.copy()
        assert await self.feed() == AUDIO
        assert await self.feed(rate=8000) == AUDIO
        assert self.feed_nowait() == AUDIO
        await self.stage.control(FilterEnableFrame(True))
        assert self.filter.calls == calls
        self.filter.fails["stop"] = ValueError("again")
        await self.stage.close()
        assert self.methods.count("stop") == 1
        assert len(self.errors) == 1


every_kind = pytest.mark.parametrize("kind", [Quick, Threaded, Async])


@every_kind
async def test_a_filter_is_asked(kind: type[Quick]) -> None:
    b = Bench(kind())
    assert await b.feed() == FILTERED
    assert await b.feed(b"") == b""
    await b.stage.close()
    assert b.filter.calls == [
        ("start", (RATE, CHANNELS)),
        ("filter", AUDIO),
        ("filter", b""),
        ("stop", None),
    ]
    assert not b.errors
    assert await b.feed() == AUDIO
    assert b.feed_nowait() == AUDIO
    await b.stage.control(FilterEnableFrame(True))
    await b.stage.close()
    assert len(b.filter.calls) == 4


async def test_a_quick_one_does_it_at_once_when_it_has_started() -> None:
    b = Bench(Quick())
    assert b.feed_nowait() is None
    await b.feed()
    assert b.feed_nowait() == FILTERED
    assert b.feed_nowait(rate=8000) is None
    assert b.filter.threads == {threading.get_ident()}


@pytest.mark.parametrize("kind", [Threaded, Async])
async def test_any_other_has_to_be_awaited(kind: type[Quick]) -> None:
    b = Bench(kind())
    await b.feed()
    assert b.feed_nowait() is None


async def test_what_does_not_run_inline_runs_in_a_thread() -> None:
    b = Bench(Threaded())
    await b.feed()
    await b.stage.control(FilterEnableFrame(True))
    await b.stage.close()
    assert len(b.filter.calls) == 4
    assert threading.get_ident() not in b.filter.threads


@every_kind
async def test_where_the_audio_changes_it_is_started_again(kind: type[Quick]) -> None:
    b = Bench(kind())
    await b.feed()
    await b.feed(rate=8000)
    await b.stage.feed(AUDIO, 8000, 1)
    assert [call for call in b.filter.calls if call[0] != "filter"] == [
        ("start", (RATE, CHANNELS)),
        ("stop", None),
        ("start", (8000, CHANNELS)),
        ("stop", None),
        ("start", (8000, 1)),
    ]


@every_kind
async def test_it_is_told_of_settings_in_turn_and_before_it_starts(kind: type[Quick]) -> None:
    b = Bench(kind())
    early, late = FilterUpdateSettingsFrame({"level": 1}), FilterEnableFrame(False)
    await b.stage.control(early)
    await b.feed()
    await b.stage.control(late)
    assert [argument for name, argument in b.filter.calls if name == "process_frame"] == [
        early,
        late,
    ]
    assert b.methods == ["process_frame", "start", "filter", "process_frame"]


@every_kind
async def test_a_setting_that_is_refused_costs_only_itself(kind: type[Quick]) -> None:
    b = Bench(kind())
    refusal = b.filter.fails["process_frame"] = ValueError("no such setting")
    for number in (1, 2):
        await b.stage.control(FilterUpdateSettingsFrame({"x": 1}))
        text, exc = b.errors[-1]
        assert "refused FilterUpdateSettingsFrame" in text
        assert "no such setting" in text
        assert exc is refusal
        assert len(b.errors) == number
    assert await b.feed() == FILTERED


@every_kind
@pytest.mark.parametrize("method", ["start", "filter"])
async def test_one_that_raises_is_left_out(kind: type[Quick], method: str) -> None:
    b = Bench(kind())
    b.filter.fails[method] = ValueError("broken")
    assert await b.feed() == AUDIO
    assert b.errors[0][1] is b.filter.fails[method]
    await b.check_left_out("broken")


async def test_one_that_raises_at_once_is_left_out() -> None:
    b = Bench(Quick())
    await b.feed()
    b.filter.fails["filter"] = ValueError("broken")
    assert b.feed_nowait() == AUDIO
    await b.check_left_out("broken")


@every_kind
async def test_one_that_cannot_stop_for_a_new_rate_is_left_out(kind: type[Quick]) -> None:
    b = Bench(kind())
    await b.feed()
    b.filter.fails["stop"] = ValueError("broken")
    assert await b.feed(rate=8000) == AUDIO
    await b.check_left_out("broken")


@every_kind
@pytest.mark.parametrize(
    ("given", "why"), [(AUDIO[1:], "63 bytes"), (3, "returned 3"), (bytearray(4), "bytearray")]
)
async def test_one_that_gives_nonsense_is_left_out(
    kind: type[Quick], given: object, why: str
) -> None:
    b = Bench(kind())
    b.filter.gives = given
    assert await b.feed() == AUDIO
    await b.check_left_out(why)


@pytest.mark.parametrize(
    ("kind", "method", "deadline_s"),
    [
        (Async, "start", 5.0),
        (Async, "filter", 0.5),
        (Async, "process_frame", 0.5),
        (Threaded, "filter", 0.5),
    ],
)
async def test_one_that_hangs_is_left_out(
    kind: type[Async | Threaded], method: str, deadline_s: float
) -> None:
    b = Bench(kind())
    if method != "start":
        await b.feed()
    begun_s = anyio.current_time()
    b.filter.hangs.add(method)
    if method == "process_frame":
        await b.stage.control(FilterEnableFrame(True))
    else:
        assert await b.feed() == AUDIO
    took_s = anyio.current_time() - begun_s
    if isinstance(b.filter, Threaded):
        b.filter.go_on.set()
    assert took_s >= deadline_s
    await b.check_left_out(f"{method} took more than {deadline_s:g} s")


@every_kind
async def test_one_that_does_not_stop_is_reported(kind: type[Quick]) -> None:
    b = Bench(kind())
    await b.feed()
    b.filter.fails["stop"] = ValueError("broken")
    await b.stage.close()
    ((text, exc),) = b.errors
    assert "did not stop" in text
    assert exc is b.filter.fails["stop"]


async def test_the_end_does_not_wait_for_one_that_hangs() -> None:
    b = Bench(Async())
    await b.feed()
    b.filter.hangs.add("stop")
    begun_s = anyio.current_time()
    await b.stage.close()
    assert anyio.current_time() - begun_s == pytest.approx(0.3)
    assert "stop took more than 0.3 s" in b.errors[0][0]


async def test_one_that_was_never_started_is_not_stopped() -> None:
    b = Bench(Quick())
    await b.stage.close()
    assert b.filter.calls == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_cancellation_of_its_own_is_a_failure(anyio_backend: object) -> None:
    b = Bench(Async())
    b.filter.fails["filter"] = asyncio.CancelledError()
    assert await b.feed() == AUDIO
    await b.check_left_out("filter raised CancelledError")


async def test_a_cancellation_of_the_session_passes_through() -> None:
    b = Bench(Async())
    b.filter.hangs.add("filter")
    with anyio.move_on_after(0.1) as scope:
        await b.feed()
    assert scope.cancelled_caught
    assert not b.errors
