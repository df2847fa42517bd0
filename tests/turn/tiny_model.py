"""An ONNX model of one node, written by hand: the mean of all that it is given."""

import functools

__all__ = ["mean_model"]


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)


def _tensor(name: str, shape: tuple[int, ...]) -> bytes:
    """ValueInfoProto of float32."""
    dims = b"".join(_bytes(1, _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, dims)))


@functools.cache
def mean_model() -> bytes:
    """ModelProto, as in onnx.proto3: `input_features` (1, 80, 800) in, `logits` (1,) out."""
    axes = _bytes(1, "axes") + _number(8, 1) + _number(8, 2) + _number(20, 7)
    keep = _bytes(1, "keepdims") + _number(3, 0) + _number(20, 2)
    node = _bytes(1, "input_features") + _bytes(2, "logits") + _bytes(4, "ReduceMean")
    node += _bytes(5, axes) + _bytes(5, keep)
    graph = _bytes(1, node) + _bytes(2, "mean")
    graph += _bytes(11, _tensor("input_features", (1, 80, 800)))
    graph += _bytes(12, _tensor("logits", (1,)))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))
