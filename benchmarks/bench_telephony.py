"""What does a telephone call's wire cost beyond a loop that is written for it?

20 ms of speech into a message of Twilio's and back: JSON around base64 around mu-law. Against the
best of three ways to write just that by hand: a comprehension over the samples, `map` with all that
the standard library has to offer, and numpy. They check nothing. wsframes is measured as it is
where something else has imported numpy, as all do that resample or hear, and where nothing has.
"""

import base64
import binascii
import json
import struct
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from benchmarks.contest import Bar, Benchmark, Contender, Measurement, Options
from benchmarks.data import message_audio
from benchmarks.timing import cpu_us
from wsframes import OutputAudioRawFrame
from wsframes.audio import mulaw_to_pcm, pcm_to_mulaw
from wsframes.serializers import TwilioFrameSerializer

__all__ = ["benchmark"]

_MESSAGES = {"full": 10_000, "quick": 3_000, "smoke": 50}
_ROUNDS = {"full": 5, "quick": 3, "smoke": 1}

_SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
_SPEECH = message_audio()[:320]
_RATE = 8000

# By the sample as an unsigned number, and by the code.
_CODES = pcm_to_mulaw(b"".join(struct.pack("<H", sample) for sample in range(65536)))
_SAMPLES = struct.unpack("<256h", mulaw_to_pcm(bytes(range(256))))


def benchmark(options: Options) -> Benchmark:
    amount = {"messages": _MESSAGES[options.scale]}
    loops = "best of three loops"
    return Benchmark(
        "telephony",
        __doc__,
        _ROUNDS[options.scale],
        (
            Contender(loops, code_with_loops, amount),
            Contender("wsframes", code_with_wsframes, amount, against=loops),
            Contender("wsframes, no numpy", code_without_numpy, amount, against=loops),
        ),
        tuple(
            Bar("wsframes", figure, 2.0, of="ratio")
            for figure in ("twilio_encode_us", "twilio_decode_us")
        ),
    )


class Way(NamedTuple):
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


def code_with_loops(messages: int) -> Measurement:
    ways = {"comprehension": _COMPREHENSION, "map": _MAP, "numpy": _with_numpy()}
    costs = {name: _costs(way, _SPEECH, messages) for name, way in ways.items()}
    best = {figure: min(each[figure] for each in costs.values()) for figure in costs["map"]}
    return Measurement(best, details=costs)


def code_with_wsframes(messages: int) -> Measurement:
    import numpy  # noqa: F401  # so that it is there

    return code_without_numpy(messages)


def code_without_numpy(messages: int) -> Measurement:
    serializer = TwilioFrameSerializer(_SID)
    way = Way(serializer.serialize, serializer.deserialize)
    return Measurement(_costs(way, OutputAudioRawFrame(_SPEECH, _RATE, 1), messages))


def _costs(way: Way, speech: object, messages: int) -> dict[str, float]:
    message = way.encode(speech)

    def encode() -> None:
        for _ in range(messages):
            way.encode(speech)

    def decode() -> None:
        for _ in range(messages):
            way.decode(message)

    return {
        "twilio_encode_us": cpu_us(encode, messages),
        "twilio_decode_us": cpu_us(decode, messages),
    }


# The ways.


def _encode_by_comprehension(speech: bytes) -> str:
    samples = struct.unpack(f"<{len(speech) // 2}H", speech)
    payload = base64.b64encode(bytes([_CODES[sample] for sample in samples])).decode()
    return json.dumps({"event": "media", "streamSid": _SID, "media": {"payload": payload}})


def _decode_by_comprehension(message: str) -> bytes:
    coded = base64.b64decode(json.loads(message)["media"]["payload"])
    return struct.pack(f"<{len(coded)}h", *[_SAMPLES[code] for code in coded])


def _encode_by_map(speech: bytes) -> str:
    coded = bytes(map(_CODES.__getitem__, array("H", speech)))
    payload = binascii.b2a_base64(coded, newline=False).decode()
    return f'{{"event":"media","streamSid":"{_SID}","media":{{"payload":"{payload}"}}}}'


def _decode_by_map(message: str) -> bytes:
    coded = binascii.a2b_base64(json.loads(message)["media"]["payload"])
    return array("h", map(_SAMPLES.__getitem__, coded)).tobytes()


_COMPREHENSION = Way(_encode_by_comprehension, _decode_by_comprehension)
_MAP = Way(_encode_by_map, _decode_by_map)


def _with_numpy() -> Way:
    import numpy as np

    codes, samples = np.frombuffer(_CODES, np.uint8), np.array(_SAMPLES, "<i2")

    def encode(speech: bytes) -> str:
        coded = codes[np.frombuffer(speech, "<u2")].tobytes()
        payload = binascii.b2a_base64(coded, newline=False).decode()
        return f'{{"event":"media","streamSid":"{_SID}","media":{{"payload":"{payload}"}}}}'

    def decode(message: str) -> bytes:
        coded = binascii.a2b_base64(msgspec.json.decode(message)["media"]["payload"])
        return samples[np.frombuffer(coded, np.uint8)].tobytes()

    return Way(encode, decode)
