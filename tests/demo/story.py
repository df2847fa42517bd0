"""A session that nobody held: what the client and the server would have noted."""

import math
from array import array

import msgspec

from wsframes.demo.clip import MESSAGE_MS, SAMPLE_RATE, Clip, make_clip
from wsframes.demo.notes import Arrival, Cleared, Heard, Served

LEAD_MS = 200
CHUNK_SAMPLES = SAMPLE_RATE * 40 // 1000
LATE_S = 0.0012
ECHO_S = 0.0007


def tone(seconds: float, amplitude: float = 0.5) -> bytes:
    """A loud sound, as PCM."""
    count = round(seconds * SAMPLE_RATE)
    top = 32767 * amplitude
    return array("h", [round(top * math.sin(0.2 * n + 1)) for n in range(count)]).tobytes()


def two_phrases() -> Clip:
    return make_clip([("one", tone(0.41)), ("two", tone(0.5))])


def as_heard(clip: Clip) -> Heard:
    """All went well, and each piece of the answer came `LATE_S` after its time."""
    messages = len(clip.messages())
    sent_s = [number * MESSAGE_MS / 1000 for number in range(1, messages + 1)]
    arrivals = []
    for phrase in clip.answers():
        begins_s = phrase.found_at / SAMPLE_RATE  # when its last message was sent
        for at in range(0, phrase.samples, CHUNK_SAMPLES):
            due_s = begins_s + max(0.0, at / SAMPLE_RATE - LEAD_MS / 1000)
            audio = phrase.audio[2 * at : 2 * (at + CHUNK_SAMPLES)]
            arrivals.append(Arrival(due_s + LATE_S, audio))
    return Heard(
        sent_s=sent_s,
        arrivals=arrivals,
        cleared=[],
        audio=bytes(2 * round(sent_s[-1] * SAMPLE_RATE)),
        pings=3,
        round_trips_s=[(0.1, ECHO_S), (0.2, ECHO_S), (0.3, 10 * ECHO_S)],
        messages_sent=messages + 4,
        messages_received=len(arrivals) + 3,
        close_code=1000,
        close_reason="ended",
    )


def interrupted() -> tuple[Clip, Heard, Served]:
    """The second phrase barges in: half a second of the answer to the first has been heard."""
    clip = make_clip([("one", tone(0.8)), ("two", tone(0.5))], barges_in=True)
    whole = as_heard(clip)
    first = clip.answers()[0]
    pieces = 17  # of 40 ms, 200 ms of them ahead
    at_s = whole.arrivals[0].at_s + pieces * 0.04 - LEAD_MS / 1000 + 0.02
    arrivals = [
        *whole.arrivals[:pieces],
        *(each for each in whole.arrivals if each.at_s > first.found_at / SAMPLE_RATE + 0.9),
    ]
    heard = msgspec.structs.replace(
        whole,
        arrivals=arrivals,
        cleared=[Cleared(0.1, 0), Cleared(at_s, pieces)],
        messages_received=len(arrivals) + 5,
    )
    served = msgspec.structs.replace(as_served(heard, clip), interrupted=1600)
    return clip, heard, served


def as_served(heard: Heard, clip: Clip | None = None) -> Served:
    clip = clip or two_phrases()
    return Served(
        received=heard.messages_sent,
        sent=heard.messages_received,
        dropped={},
        speech=[(said.start / SAMPLE_RATE, said.end / SAMPLE_RATE) for said in clip.spoken],
        interrupted=0,
        lead_ms=LEAD_MS,
        reason="ended",
        close_code=1000,
        error=None,
    )
