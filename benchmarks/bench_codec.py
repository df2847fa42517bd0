"""What does a serializer cost beyond the encoding itself?

640 bytes of audio through `serialize` and `deserialize`, in MessagePack and in JSON, against
msgspec's encoder and decoder on a struct of the same fields, which checks and converts nothing.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.data import SAMPLE_RATE, message_audio
from benchmarks.timing import cpu_us
from wsframes import OutputAudioRawFrame
from wsframes.serializers import JsonFrameSerializer, MsgpackFrameSerializer

__all__ = ["benchmark"]

_MESSAGES = {"full": 50_000, "quick": 10_000, "smoke": 50}
_ROUNDS = {"full": 7, "quick": 3, "smoke": 1}


class PlainMessage(msgspec.Struct, tag="audio", tag_field="type"):
    sample_rate: int
    num_channels: int
    audio: bytes


def benchmark(options: Options) -> Benchmark:
    amount = {"messages": _MESSAGES[options.scale]}
    return Benchmark(
        "codec",
        __doc__,
        _ROUNDS[options.scale],
        (
            Contender("msgspec", code_with_msgspec, amount),
            Contender("wsframes", code_with_wsframes, amount, against="msgspec"),
        ),
        (Bar("wsframes", "msgpack_encode_us", 1.5, of="ratio"),),
    )


def code_with_msgspec(messages: int) -> Measurement:
    message = PlainMessage(SAMPLE_RATE, 1, message_audio())
    return Measurement(
        {
            **_costs(
                "msgpack",
                msgspec.msgpack.Encoder().encode,
                msgspec.msgpack.Decoder(PlainMessage).decode,
                message,
                messages,
            ),
            **_costs(
                "json",
                msgspec.json.Encoder().encode,
                msgspec.json.Decoder(PlainMessage).decode,
                message,
                messages,
            ),
        }
    )


def code_with_wsframes(messages: int) -> Measurement:
    frame = OutputAudioRawFrame(message_audio(), SAMPLE_RATE, 1)
    binary, text = MsgpackFrameSerializer(), JsonFrameSerializer()
    return Measurement(
        {
            **_costs("msgpack", binary.serialize, binary.deserialize, frame, messages),
            **_costs("json", text.serialize, text.deserialize, frame, messages),
        }
    )


def _costs(
    wire: str,
    encode: Callable[[Any], Any],
    decode: Callable[[Any], object],
    message: object,
    messages: int,
) -> dict[str, float]:
    encoded = encode(message)

    def encode_all() -> None:
        for _ in range(messages):
            encode(message)

    def decode_all() -> None:
        for _ in range(messages):
            decode(encoded)

    return {
        f"{wire}_encode_us": cpu_us(encode_all, messages),
        f"{wire}_decode_us": cpu_us(decode_all, messages),
    }
