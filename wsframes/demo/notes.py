"""What the processes of the demo tell each other: one JSON object a line, on standard output.

Times are seconds since the client began to speak.
"""

from collections.abc import Callable

import msgspec

__all__ = [
    "Arrival",
    "Cleared",
    "Heard",
    "Progress",
    "Ready",
    "Served",
    "read_client",
    "read_ready",
    "read_served",
    "tell",
]


class _Note(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    pass


class Ready(_Note, frozen=True, kw_only=True):
    """The server takes connections.

    Attributes:
        port: on the loopback interface.
    """

    port: int


class Served(_Note, frozen=True, kw_only=True):
    """The server's session is over.

    Attributes:
        received: messages from the client.
        sent: messages to the client.
        dropped: what was lost anywhere, by place and reason.
        lead_ms: how far ahead of its playing audio was sent.
        reason: why the run ended.
        close_code: of the websocket.
        error: what failed, if anything.
        speech: when the user spoke, from and until, by what was heard.
        interrupted: samples that were not sent since the user spoke.
    """

    received: int
    sent: int
    dropped: dict[str, int]
    speech: list[tuple[float, float]]
    interrupted: int
    lead_ms: int
    reason: str
    close_code: int | None
    error: str | None


class Progress(_Note, frozen=True, kw_only=True):
    """How far the client is.

    Attributes:
        at_s: now.
        said: phrases, in all.
        answered: answers that have begun.
        level_in: RMS of what is being said, where full scale is 1.
        level_out: RMS of what is being heard.
    """

    at_s: float
    said: int
    answered: int
    level_in: float
    level_out: float


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """A piece of the answer.

    Attributes:
        at_s: when it came.
        audio: PCM, without the background.
        waits_s: for how long the client had still background to play then.
    """

    at_s: float
    audio: bytes
    waits_s: float = 0.0


class Cleared(msgspec.Struct, frozen=True, array_like=True):
    """The server interrupted itself: what had not been heard then was not to be heard.

    Attributes:
        at_s: when that came.
        arrivals: pieces of the answer before it.
    """

    at_s: float
    arrivals: int


class Heard(_Note, frozen=True, kw_only=True):
    """The client's session is over.

    Attributes:
        sent_s: when each message of audio was sent, in order.
        arrivals: the answer.
        cleared: the interruptions.
        audio: all that was heard, the background with it.
        pings: messages sent to be echoed.
        round_trips_s: for each echo, when it was asked for and how long it took.
        messages_sent: of every kind.
        messages_received: of every kind.
        close_code: with which the server closed.
        close_reason: the server's text for it.
    """

    sent_s: list[float]
    arrivals: list[Arrival]
    cleared: list[Cleared]
    audio: bytes
    pings: int
    round_trips_s: list[tuple[float, float]]
    messages_sent: int
    messages_received: int
    close_code: int | None
    close_reason: str


# What the demo expects at each moment; anything else is a `msgspec.MsgspecError`.
read_ready: Callable[[bytes], Ready] = msgspec.json.Decoder(Ready).decode
read_served: Callable[[bytes], Served] = msgspec.json.Decoder(Served).decode
read_client: Callable[[bytes], Progress | Heard] = msgspec.json.Decoder(Progress | Heard).decode


def tell(note: Ready | Served | Progress | Heard) -> None:
    """Write a note where the demo reads it."""
    print(msgspec.json.encode(note).decode(), flush=True)
