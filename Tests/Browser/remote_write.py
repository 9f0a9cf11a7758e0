"""Remote write 1.0 by hand: protobuf and snappy, as little of both as it takes to give a server a past."""

import struct


def varint(number):
    result = bytearray()
    number &= (1 << 64) - 1
    while number >= 0x80:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    result.append(number)
    return bytes(result)


def field(number, payload):
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number_field(number, value):
    return varint(number << 3) + varint(value)


def double_field(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def label(name, value):
    return field(1, name.encode()) + field(2, value.encode())


def series(labels, samples=(), exemplars=(), histograms=()):
    """One series: labels as a dict; samples as (milliseconds, value); exemplars as (milliseconds, value, labels);
    histograms as (milliseconds, encoded)."""
    body = b"".join(field(1, label(name, value)) for name, value in sorted(labels.items()))
    body += b"".join(field(2, double_field(1, value) + number_field(2, at)) for at, value in samples)
    for at, value, more in exemplars:
        body += field(3, b"".join(field(1, label(*pair)) for pair in more.items()) + double_field(2, value)
                      + number_field(3, at))
    body += b"".join(field(4, one) for one in histograms)
    return body


def histogram(at, counts, total, schema=3, start=0):
    """A native histogram whose positive buckets from index `start` hold `counts`."""
    deltas = [count - (counts[index - 1] if index else 0) for index, count in enumerate(counts)]
    span = number_field(1, zigzag(start)) + number_field(2, len(counts))
    return (number_field(1, sum(counts)) + double_field(3, total) + number_field(4, zigzag(schema))
            + double_field(5, 1e-128) + number_field(6, 0) + field(11, span)
            + field(12, b"".join(varint(zigzag(delta)) for delta in deltas)) + number_field(15, at))


def snappy(data):
    """The block format, literals only."""
    result = bytearray(varint(len(data)))
    for start in range(0, len(data), 65536):
        piece = data[start:start + 65536]
        result += bytes([61 << 2]) + struct.pack("<H", len(piece) - 1) + piece
    return bytes(result)


def send(client, encoded):
    """Sends series that were made by `series`."""
    body = snappy(b"".join(field(1, one) for one in encoded))
    status, text = client.request("POST", "/api/v1/write", body, {
        "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0"})
    if status not in (200, 204):
        raise RuntimeError(f"remote write: {status} {text}")
