"""What peers may send that nobody wishes to read, by name; and ways to make more of it."""

import random
import sys
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from wsframes.exceptions import DecodeError
from wsframes.frames import Frame

MIB = 1 << 20


def json_message(value: str) -> str:
    return '{"type":"message","message":' + value + "}"


def msgpack_message(value: bytes) -> bytes:
    return b"\x82\xa4type\xa7message\xa7message" + value


def json_audio(fields: str) -> str:
    return '{"type":"audio",' + fields + "}"


def _array32(item: bytes, count: int) -> bytes:
    return msgpack_message(b"\xdd" + count.to_bytes(4, "big") + item * count)


def _array(item: str, size: int = MIB) -> str:
    count = (size - 64) // (len(item) + 1)
    return json_message("[" + ",".join([item] * count) + "]")


BAD_JSON: dict[str, str | bytes] = {
    "nothing": "",
    "space": " " * 100,
    "null": "null",
    "number": "1",
    "array": "[]",
    "array of messages": '[{"type":"text","text":""}]',
    "empty object": "{}",
    "half an object": '{"type":"text"',
    "two messages": '{"type":"text","text":""}{"type":"text","text":""}',
    "trailing garbage": '{"type":"text","text":""} x',
    "byte order mark": '\ufeff{"type":"text","text":""}',
    "single quotes": "{'type':'text','text':''}",
    "unknown type": '{"type":"start"}',
    "lifecycle by class name": '{"type":"EndFrame"}',
    "interruption from a client": '{"type":"interruption"}',
    "type is a number": '{"type":1}',
    "type is null": '{"type":null,"message":1}',
    "type is a megabyte": '{"type":"' + "x" * MIB + '"}',
    "type is control characters": '{"type":"\\n\\u001b[31m\\u0000"}',
    "type told twice": '{"type":"text","text":"","type":"audio"}',
    "text missing": '{"type":"text"}',
    "text is null": '{"type":"text","text":null}',
    "text is an object": '{"type":"text","text":{}}',
    "lone surrogate": '{"type":"text","text":"\ud800"}',
    "escaped lone surrogate": '{"type":"text","text":"\\ud800"}',
    "invalid UTF-8": b'{"type":"text","text":"\xff\xfe"}',
    "overlong UTF-8": b'{"type":"text","text":"\xc0\x80"}',
    "raw newline in text": '{"type":"text","text":"\n"}',
    "audio missing": json_audio('"sample_rate":16000'),
    "rate missing": json_audio('"audio":""'),
    "rate is text": json_audio('"audio":"","sample_rate":"16000"'),
    "rate is true": json_audio('"audio":"","sample_rate":true'),
    "rate is a fraction": json_audio('"audio":"","sample_rate":16000.5'),
    "rate is 0": json_audio('"audio":"","sample_rate":0'),
    "rate is negative": json_audio('"audio":"","sample_rate":-16000'),
    "rate just too low": json_audio('"audio":"","sample_rate":7999'),
    "rate just too high": json_audio('"audio":"","sample_rate":192001'),
    "rate of 5,000 digits": json_audio('"audio":"","sample_rate":' + "9" * 5000),
    "rate of a million digits": json_audio('"audio":"","sample_rate":' + "9" * MIB),
    "rate is NaN": json_audio('"audio":"","sample_rate":NaN'),
    "no channels": json_audio('"audio":"","sample_rate":16000,"num_channels":0'),
    "nine channels": json_audio('"audio":"","sample_rate":16000,"num_channels":9'),
    "channels are null": json_audio('"audio":"","sample_rate":16000,"num_channels":null'),
    "audio too long": json_audio('"sample_rate":8000,"audio":"' + "A" * 42672 + '"'),
    "audio is a number": json_audio('"audio":1,"sample_rate":16000'),
    "bad base64": json_audio('"audio":"!!!!","sample_rate":16000'),
    "unpadded base64": json_audio('"audio":"AAA","sample_rate":16000'),
    "base64 with newline": json_audio('"audio":"AAA=\\n","sample_rate":16000'),
    "image without pixels": '{"type":"image","image":"","size":[0,0],"format":"RGB"}',
    "image of negative size": '{"type":"image","image":"","size":[-1,-1],"format":"RGB"}',
    "image too wide": '{"type":"image","image":"","size":[8193,1]}',
    "image that lies": '{"type":"image","image":"AAAA","size":[8192,8192],"format":"RGB"}',
    "image in three dimensions": '{"type":"image","image":"AAAA","size":[1,1,1],"format":"RGB"}',
    "image of unknown format": '{"type":"image","image":"AA==","size":[1,1],"format":"\\n"}',
    "unknown button": '{"type":"dtmf","button":"x"}',
    "two buttons": '{"type":"dtmf","button":"12"}',
    "button is a number": '{"type":"dtmf","button":1}',
    "message missing": '{"type":"message"}',
    "message cut off": '{"type":"message","message":[',
    "message is not JSON": json_message("nonsense"),
    "NaN": json_message("NaN"),
    "infinity": json_message("-Infinity"),
    "too large a float": json_message("1e999"),
    "integer of 65 bits": json_message("18446744073709551616"),
    "number of 5,000 digits": json_message("9" * 5000),
    "number of a million digits": json_message("9" * MIB),
    "numbers of 4,000 digits": _array("9" * 4000),
    "a megabyte of floats next to 0": _array("5e-324"),
    "numbers of 800 digits": _array("2.2250738585072011" + "1" * 750 + "e-308"),
    "surrogate in message": json_message('"\\ud800"'),
    "invalid UTF-8 in message": b'{"type":"message","message":"\xff"}',
    "33 levels": json_message("[" * 33 + "]" * 33),
    "33 levels of objects": json_message('{"":' * 33 + "1" + "}" * 33),
    "500 levels": json_message("[" * 500 + "]" * 500),
    "100,000 levels": json_message("[" * 100_000 + "]" * 100_000),
    "100,000 levels of objects": json_message('{"":' * 100_000 + "1" + "}" * 100_000),
    "100,000 levels before the type": '{"x":' + "[" * 100_000,
    "100,000 levels and nothing else": "[" * 100_000,
    "too many values": json_message("[" + "1," * 8191 + "1]"),
    "a megabyte of arrays": _array("[]"),
    "a megabyte of objects": _array("{}"),
    "a megabyte of full arrays": _array("[1]"),
    "a megabyte of full objects": _array('{"":1}'),
    "a megabyte of integers": _array("1"),
    "a megabyte of texts": _array('""'),
    "a megabyte of backslashes": _array('"\\\\"'),
    "a megabyte of quotation marks": _array('"\\""'),
    "a megabyte of keys": "{" + '"a":[],' * (MIB // 7) + '"type":"x"}',
}

BAD_MSGPACK: dict[str, bytes] = {
    "nothing": b"",
    "nil": b"\xc0",
    "number": b"\x01",
    "empty map": b"\x80",
    "array": b"\x90",
    "never used byte": b"\xc1",
    "a megabyte of it": b"\xc1" * MIB,
    "zeros": bytes(100),
    "PCM": bytes(range(256)) * 5,
    "trailing garbage": msgpack_message(b"\x01") + b"junk",
    "cut off": b"\x82\xa4type\xa4text\xa4tex",
    "unknown type": b"\x81\xa4type\xa5start",
    "interruption from a client": b"\x81\xa4type\xacinterruption",
    "type is bytes": b"\x81\xa4type\xc4\x04text",
    "type is a map": b"\x81\xa4type\x80",
    "type is a megabyte": b"\x81\xa4type\xdb\x00\x10\x00\x00" + b"x" * MIB,
    "keys are numbers": b"\x82\x01\xa4text\x02\xa0",
    "invalid UTF-8": b"\x82\xa4type\xa4text\xa4text\xa1\xff",
    "surrogate": b"\x82\xa4type\xa4text\xa4text\xa3\xed\xa0\x80",
    "rate is NaN": b"\x83\xa4type\xa5audio\xa5audio\xc4\x00\xabsample_rate\xcb\x7f\xf8" + bytes(6),
    "rate is an ext": b"\x83\xa4type\xa5audio\xa5audio\xc4\x00\xabsample_rate\xd4\x01\x00",
    "message of the never used byte": msgpack_message(b"\xc1"),
    "NaN": msgpack_message(b"\xcb\x7f\xf8" + bytes(6)),
    "small NaN": msgpack_message(b"\xca\x7f\xc0\x00\x00"),
    "infinity": msgpack_message(b"\x91\xcb\xff\xf0" + bytes(6)),
    "bytes": msgpack_message(b"\xc4\x01x"),
    "ext": msgpack_message(b"\xd6\x05abcd"),
    "long ext": msgpack_message(b"\xc7\x03\x05abc"),
    "timestamp": msgpack_message(b"\xd6\xff" + bytes(4)),
    "bad timestamp": msgpack_message(b"\xd7\xff" + b"\xff" * 8),
    "key is a number": msgpack_message(b"\x81\x01\x01"),
    "key is nil": msgpack_message(b"\x81\xc0\x01"),
    "key is bytes": msgpack_message(b"\x81\xc4\x01x\x01"),
    "key is an array": msgpack_message(b"\x81\x91\x01\x01"),
    "key is a map": msgpack_message(b"\x81\x80\x01"),
    "second key is a number": msgpack_message(b"\x82\xa1a\x01\x01\x01"),
    "a megabyte of array keys": msgpack_message(
        b"\xdf" + (MIB // 3).to_bytes(4, "big") + b"\x91\x01\x01" * (MIB // 3)
    ),
    "array that lies": msgpack_message(b"\xdd\xff\xff\xff\xff"),
    "map that lies": msgpack_message(b"\xdf\xff\xff\xff\xff"),
    "bytes that lie": msgpack_message(b"\xc6\xff\xff\xff\xff"),
    "text that lies": msgpack_message(b"\xdb\xff\xff\xff\xff"),
    "ext that lies": msgpack_message(b"\xc9\xff\xff\xff\xff"),
    "arrays that all lie": msgpack_message(b"\xdd\x10\x00\x00\x00" * 500),
    "message that lies": b"\xdf\xff\xff\xff\xff\xa4type\xa4text\xa4text\xa0",
    "33 levels": msgpack_message(b"\x91" * 32 + b"\x90"),
    "33 levels of maps": msgpack_message(b"\x81\xa0" * 32 + b"\x80"),
    "100,000 levels": msgpack_message(b"\x91" * 100_000 + b"\xc0"),
    "100,000 levels of maps": msgpack_message(b"\x81\xa0" * 100_000 + b"\xc0"),
    "100,000 levels of keys": msgpack_message(b"\x81" * 100_000 + b"\xc0"),
    "100,000 levels in a field to ignore": b"\x83\xa1x" + b"\x91" * 100_000,
    "too many values": _array32(b"\x01", 8192),
    "too many values, the last one empty": msgpack_message(
        b"\xdc\x1f\xff" + b"\x01" * 8190 + b"\x90"
    ),
    "a megabyte of arrays": _array32(b"\x90", MIB),
    "a megabyte of maps": _array32(b"\x80", MIB),
    "a megabyte of full arrays": _array32(b"\x91\x01", MIB // 2),
    "a megabyte of full maps": _array32(b"\x81\xa0\x01", MIB // 3),
    "a megabyte of integers": _array32(b"\x01", MIB),
    "a megabyte of texts": _array32(b"\xa0", MIB),
    "a megabyte of long texts": _array32(b"\xd9\x00", MIB // 2),
    "a megabyte of deep arrays": _array32(b"\x91" * 29 + b"\x01", MIB // 30),
}

# Allowed, and as slow as allowed messages can be.
SLOW_JSON: dict[str, str] = {
    "arrays": _array("[]", 12300),
    "full arrays": _array("[1]", 16300),
    "objects": _array("{}", 12300),
    "full objects": _array('{"":1}', 19000),
    "deep": _array("[" * 30 + "1" + "]" * 30, 16000),
    "long floats": _array("2.2250738585072011" + "1" * 75 + "e-308", 800_000),
    "floats next to 0": _array("5e-324", 57_000),
    "floats next to infinity": _array("17976931348623158079e289", 200_000),
    "text of line breaks": json_message('"' + "\\n" * (MIB // 2 - 50) + '"'),
    "text of escapes": json_message('"' + "\\u00e9" * (MIB // 6 - 50) + '"'),
    "text of backslashes": json_message('"' + "\\\\" * (MIB // 2 - 50) + '"'),
    "text of quotation marks": json_message('"' + '\\"' * (MIB // 2 - 50) + '"'),
    "text of brackets": json_message('"' + "[{,:" * (MIB // 4 - 50) + '"'),
    "long text": '{"type":"text","text":"' + "\\u00e9" * (MIB // 6 - 50) + '"}',
    "fields to ignore": "{" + '"a":[],' * (MIB // 7 - 50) + '"type":"text","text":""}',
    "long audio": json_audio(
        '"sample_rate":192000,"num_channels":8,"audio":"' + "A" * (MIB - 100) + '"'
    ),
}
SLOW_MSGPACK: dict[str, bytes] = {
    "arrays": _array32(b"\x90", 4095),
    "full arrays": _array32(b"\x91\x01", 4095),
    "full maps": _array32(b"\x81\xa0\x01", 2730),
    "deep": _array32(b"\x91" * 29 + b"\x01", 273),
    "floats": _array32(b"\xcb" + bytes(8), 8191),
    "texts": _array32(b"\xd9\x00", 8191),
}


def allowed_s(data: str | bytes) -> float:
    """P15: 10 ms and 20 ns a byte."""
    return 0.010 + 20e-9 * len(data)


def best_time_s(decode: Callable[[], object], rounds: int = 5) -> float:
    """CPU seconds of the fastest of a few calls, of which none is traced or collects garbage."""
    timer = timeit.Timer(
        "try:\n decode()\nexcept DecodeError:\n pass",
        timer=time.process_time,
        globals={"decode": decode, "DecodeError": DecodeError},
    )
    untrace, trace = partial(sys.settrace, None), partial(sys.settrace, sys.gettrace())
    # Measuring coverage multiplies the time of every line; it has to go on in this very frame.
    _, took_s, _ = untrace(), timer.repeat(rounds, number=1), trace()
    return min(took_s)


def mutations(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Valid messages with bytes flipped, cut out, doubled, and mixed; the same ones every time."""
    rng = random.Random(seed)
    for _ in range(count):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data) + 1)
            kind = rng.randrange(5)
            if kind == 0 and at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                data[at:at] = rng.randbytes(rng.randrange(1, 5))
            elif kind == 2:
                del data[at : at + rng.randrange(1, 5)]
            elif kind == 3:
                other = rng.choice(seeds)
                data[at:] = other[rng.randrange(len(other)) :]
            else:
                data[at : at + 1] = bytes(
                    [rng.choice(b'{}[]",:0129eE+-\\u\x80\x90\xa0\xc1\xcb\xdd\xdf')]
                )
        yield bytes(data)


def fuzz(decode: Callable[[bytes], Frame | None], inputs: Iterator[bytes]) -> tuple[int, int]:
    """How many inputs gave a frame, and how many were refused. Anything else is an error."""
    accepted = refused = 0
    for data in inputs:
        try:
            frame = decode(data)
        except DecodeError as error:
            reason = error
        else:
            accepted += 1
            assert frame is None or isinstance(frame, Frame)
            continue
        refused += 1
        assert len(str(reason)) <= 256
        assert reason.__cause__ is reason.__context__ is None
    return accepted, refused
