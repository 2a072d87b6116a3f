"""Erlang's external term format, as much of it as the two protocols use.

Atoms are Atom; binaries are bytes; tuples, lists, dictionaries, integers and floats are Python's.
A list of small integers may come as STRING_EXT and is a list all the same.
"""
import struct


class Atom(str):
    """An atom; equal to the same text."""
    __slots__ = ()


def encode(term):
    return b"\x83" + _encode(term)


def _encode(term):
    if isinstance(term, bool):
        return _encode(Atom("true" if term else "false"))
    if isinstance(term, Atom):
        text = term.encode()
        return bytes([119, len(text)]) + text
    if isinstance(term, int):
        if 0 <= term < 256:
            return bytes([97, term])
        if -2**31 <= term < 2**31:
            return b"b" + struct.pack(">i", term)
        magnitude = abs(term).to_bytes((abs(term).bit_length() + 7) // 8, "little")
        return bytes([110, len(magnitude), term < 0]) + magnitude
    if isinstance(term, float):
        return b"F" + struct.pack(">d", term)
    if isinstance(term, bytes):
        return b"m" + struct.pack(">I", len(term)) + term
    if isinstance(term, str):
        return _encode(term.encode())
    if isinstance(term, tuple):
        return bytes([104, len(term)]) + b"".join(map(_encode, term))
    if isinstance(term, list):
        return (b"l" + struct.pack(">I", len(term)) + b"".join(map(_encode, term)) + b"j") if term else b"j"
    if isinstance(term, dict):
        return b"t" + struct.pack(">I", len(term)) + b"".join(_encode(k) + _encode(v) for k, v in term.items())
    raise TypeError(f"no term: {term!r}")


def decode(data):
    if data[:1] != b"\x83":
        raise ValueError("not external format")
    term, rest = _decode(data, 1)
    if rest != len(data):
        raise ValueError("more than one term")
    return term


def _decode(data, at):
    tag, at = data[at], at + 1

    def many(count, at):
        terms = []
        for _ in range(count):
            term, at = _decode(data, at)
            terms.append(term)
        return terms, at

    def number(size, at):
        return int.from_bytes(data[at:at + size], "big"), at + size

    if tag == 97:
        return data[at], at + 1
    if tag == 98:
        return struct.unpack_from(">i", data, at)[0], at + 4
    if tag == 70:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if tag in (119, 115, 118, 100):
        size, at = number(1 if tag in (119, 115) else 2, at)
        return Atom(data[at:at + size].decode()), at + size
    if tag == 109:
        size, at = number(4, at)
        return bytes(data[at:at + size]), at + size
    if tag == 110:
        size, negative, at = data[at], data[at + 1], at + 2
        magnitude = int.from_bytes(data[at:at + size], "little")
        return -magnitude if negative else magnitude, at + size
    if tag == 104:
        terms, at = many(data[at], at + 1)
        return tuple(terms), at
    if tag == 106:
        return [], at
    if tag == 107:
        size, at = number(2, at)
        return list(data[at:at + size]), at + size
    if tag == 108:
        size, at = number(4, at)
        terms, at = many(size, at)
        return terms, _decode(data, at)[1]
    if tag == 116:
        size, at = number(4, at)
        terms, at = many(2 * size, at)
        return dict(zip(terms[::2], terms[1::2])), at
    raise ValueError(f"unknown tag {tag}")
