"""Whether the session went as it should, and its figures. Pure; times as in `notes`.

A piece of the answer is *late* by how long after its due time it came to the client. It is due when
the server may send it: when the client has sent the message that told the server's gate that the
phrase was over, and later by so much as the audio before it lasts, less the lead. So the way to the
server and back is part of it, and so is everything that happens on the way. Before an answer there
is background, which the client plays to its end first.
"""

import math
from collections.abc import Sequence

import msgspec

from wsframes.demo.clip import MESSAGE_MS, SAMPLE_RATE, Clip
from wsframes.demo.gate import Phrase
from wsframes.demo.notes import Heard, Served
from wsframes.demo.playout import PlayOut

__all__ = ["Answer", "Figures", "Piece", "find_problem", "measure", "percentile"]

_MESSAGE_SAMPLES = SAMPLE_RATE * MESSAGE_MS // 1000
_NORMAL_CLOSE = 1000
# Of the call: what the server takes to begin, and the client to hear it.
_MAX_SILENCE_S = 0.5
# Of where speech begins and ends.
_MAX_OFF_S = 0.2


class Piece(msgspec.Struct, frozen=True):
    """A message of audio from the server.

    Attributes:
        at_s: when it came.
        late_ms: by how much.
        heard_s: when a player that is never early plays it.
        samples: of it that were played: all, if nobody interrupted.
    """

    at_s: float
    late_ms: float
    heard_s: float
    samples: int


class Answer(msgspec.Struct, frozen=True):
    """One of the phrases, said and answered.

    Attributes:
        words: of the phrase.
        said_s: when the client began to say it.
        until_s: when its last sample was sent.
        begins_s: when the first piece of the answer came.
        ends_s: when the last one has been played.
        interrupted: whether it ends there since the user spoke.
    """

    words: str
    said_s: float
    until_s: float
    begins_s: float
    ends_s: float
    interrupted: bool

    @property
    def after_ms(self) -> float:
        """From the last word to the first of the answer."""
        return 1000 * (self.begins_s - self.until_s)


class Figures(msgspec.Struct, frozen=True):
    """What was measured.

    Attributes:
        answers: one for each phrase.
        pieces: of all of the answers.
        gaps: how often a player would have run dry within an answer.
        round_trips_ms: of messages through the pipeline and back.
        send_late_ms: by how much the client's own messages were late: what this machine's timers
            are worth.
    """

    answers: list[Answer]
    pieces: list[Piece]
    gaps: int
    round_trips_ms: list[float]
    send_late_ms: list[float]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all values do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(0, rank - 1)]


def find_problem(clip: Clip, heard: Heard, served: Served) -> str | None:
    """What is wrong with a session, or None if nothing is."""
    messages = len(clip.messages())
    if (served.reason, served.close_code) != ("ended", _NORMAL_CLOSE) or served.error is not None:
        told = f" ({served.error})" if served.error is not None else ""
        return f"the session ended with {served.reason}, close code {served.close_code}{told}"
    if heard.close_code != _NORMAL_CLOSE:
        return f"the client saw close code {heard.close_code}, and {_NORMAL_CLOSE} was sent"
    if len(heard.sent_s) != messages:
        return f"the client could send {len(heard.sent_s)} of {messages} messages of audio"
    if served.dropped:
        lost = ", ".join(f"{count} ({reason})" for reason, count in served.dropped.items())
        return f"the server dropped frames: {lost}"
    for way, sent, received in (
        ("to the server", heard.messages_sent, served.received),
        ("to the client", served.sent, heard.messages_received),
        ("echoed", heard.pings, len(heard.round_trips_s)),
    ):
        if sent != received:
            return f"{sent} messages were sent and {received} arrived {way}"
    missing_s = heard.sent_s[-1] - len(heard.audio) / 2 / SAMPLE_RATE
    if missing_s > _MAX_SILENCE_S:
        return f"the client heard nothing for {missing_s:.2f} s, not even the background"
    return _find_difference(clip, heard) or _find_deafness(clip, served)


def _find_deafness(clip: Clip, served: Served) -> str | None:
    if len(served.speech) != len(clip.spoken):
        return f"{len(clip.spoken)} phrases were said, and speech was heard {len(served.speech)} x"
    for said, (from_s, until_s) in zip(clip.spoken, served.speech, strict=True):
        off_s = max(abs(from_s - said.start / SAMPLE_RATE), abs(until_s - said.end / SAMPLE_RATE))
        if off_s > _MAX_OFF_S:
            return f"{said.words!r} was heard from {from_s:.2f} s to {until_s:.2f} s"
    return None


def _find_difference(clip: Clip, heard: Heard) -> str | None:
    phrases = clip.answers()
    if len(phrases) != len(clip.spoken):
        return f"{len(clip.spoken)} phrases were said and {len(phrases)} answered"
    for said, phrase in zip(clip.spoken, phrases, strict=True):
        if not phrase.start <= said.start <= said.end <= phrase.end:
            return f"the answer to {said.words!r} is not all of it"
    parts = [phrase.audio for phrase in phrases]
    if clip.interrupted is not None:
        came = _came(phrases, heard)[clip.interrupted]
        if came == len(parts[clip.interrupted]):
            return f"the answer to {clip.spoken[clip.interrupted].words!r} was not interrupted"
        parts[clip.interrupted] = parts[clip.interrupted][:came]
    expected, answer = b"".join(parts), b"".join(arrival.audio for arrival in heard.arrivals)
    if len(answer) != len(expected):
        return f"the answer has {len(answer) // 2} samples and the phrases {len(expected) // 2}"
    if answer != expected:
        at = next(i for i, (a, b) in enumerate(zip(answer, expected, strict=True)) if a != b)
        return f"the answer differs from the phrases from sample {at // 2} on"
    return None


def _came(phrases: Sequence[Phrase], heard: Heard) -> list[int]:
    """How many bytes of each answer came, if each but those that were interrupted came whole."""
    cut_at = {cleared.arrivals for cleared in heard.cleared}
    came, number, rest = [], 0, 0
    for phrase in phrases:
        while rest < len(phrase.audio) and number < len(heard.arrivals):
            if rest and number in cut_at:
                break
            rest += len(heard.arrivals[number].audio)
            number += 1
        came.append(min(rest, len(phrase.audio)))
        rest -= came[-1]
    return came


def measure(clip: Clip, heard: Heard, served: Served) -> Figures:
    """The figures of a session in which `find_problem` has found nothing."""
    schedule = _Schedule(served.lead_ms / 1000)
    player = PlayOut(SAMPLE_RATE)
    cut_s = {cleared.arrivals: cleared.at_s for cleared in heard.cleared}
    answers: list[Answer] = []
    pieces: list[Piece] = []
    gaps = came = 0
    for said, phrase in zip(clip.spoken, clip.answers(), strict=True):
        schedule.begin(heard.sent_s[_message_with(phrase.found_at - 1)])
        first = len(pieces)
        is_cut = False
        while came < phrase.samples and not is_cut:
            arrival = heard.arrivals[len(pieces)]
            samples = len(arrival.audio) // 2
            late_ms = 1000 * (arrival.at_s - schedule.due_s)
            gaps += len(pieces) > first and player.ends_s < arrival.at_s
            if arrival.waits_s:
                schedule.wait(arrival.at_s + arrival.waits_s)
                player.wait(arrival.at_s + arrival.waits_s)
            heard_s = player.take(samples, arrival.at_s)
            pieces.append(Piece(arrival.at_s, late_ms, heard_s, samples))
            schedule.sent(samples)
            came += samples
            is_cut = came < phrase.samples and len(pieces) in cut_s
        if is_cut:
            at_s = cut_s[len(pieces)]
            player.clear(at_s)
            schedule.clear(at_s)
            pieces[first:] = [_until(piece, at_s) for piece in pieces[first:]]
        came = max(0, came - phrase.samples)
        answers.append(
            Answer(
                words=said.words,
                said_s=said.start / SAMPLE_RATE,
                until_s=heard.sent_s[_message_with(said.end - 1)],
                begins_s=pieces[first].at_s,
                ends_s=player.ends_s,
                interrupted=is_cut,
            )
        )
    return Figures(
        answers=answers,
        pieces=pieces,
        gaps=gaps,
        round_trips_ms=[1000 * trip_s for _, trip_s in heard.round_trips_s],
        send_late_ms=[
            1000 * at_s - number * MESSAGE_MS for number, at_s in enumerate(heard.sent_s, 1)
        ],
    )


class _Schedule:
    """When the server may send the next piece."""

    def __init__(self, lead_s: float) -> None:
        self._lead_s = lead_s
        self._begins_s = 0.0
        self._ends_s = 0.0

    def begin(self, at_s: float) -> None:
        """An answer can begin now; it follows the one before if that is still being played."""
        self._begins_s = at_s
        self._ends_s = max(at_s, self._ends_s)

    def wait(self, until_s: float) -> None:
        """What follows is played after the background that the client has already."""
        self._ends_s = max(self._ends_s, until_s)

    def clear(self, at_s: float) -> None:
        """Nothing more of what was sent is played."""
        self._ends_s = min(self._ends_s, at_s)

    @property
    def due_s(self) -> float:
        return max(self._begins_s, self._ends_s - self._lead_s)

    def sent(self, samples: int) -> None:
        self._ends_s += samples / SAMPLE_RATE


def _until(piece: Piece, at_s: float) -> Piece:
    played = round((at_s - piece.heard_s) * SAMPLE_RATE)
    return msgspec.structs.replace(piece, samples=max(0, min(piece.samples, played)))


def _message_with(sample: int) -> int:
    return sample // _MESSAGE_SAMPLES
