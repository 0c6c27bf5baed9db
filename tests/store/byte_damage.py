"""Bytes that are changed as disks, editors and transfers change them, which a checksum has to notice."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

Bytes = Callable[[Random, bytes], bytes]
"""Returns damaged bytes."""


def flipped(rng: Random, data: bytes) -> bytes:
    """Flip one bit, or a few."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8)) if data else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwritten(rng: Random, data: bytes) -> bytes:
    """Put other bytes in the place of some."""
    start, end = _stretch(rng, data)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def inserted(rng: Random, data: bytes) -> bytes:
    """Put bytes in between."""
    start, end = _stretch(rng, data)
    return data[:start] + rng.randbytes(end - start) + data[start:]


def deleted(rng: Random, data: bytes) -> bytes:
    """Take a stretch out."""
    start, end = _stretch(rng, data)
    return data[:start] + data[end:]


def repeated(rng: Random, data: bytes) -> bytes:
    """Copy a stretch to another place, in between or over what is there."""
    (start, end), place = _stretch(rng, data), rng.randint(0, len(data))
    covered = rng.choice((0, end - start))
    return data[:place] + data[start:end] + data[place + covered :]


def exchanged(rng: Random, data: bytes) -> bytes:
    """Let two stretches change places."""
    first, middle, second, end = sorted(rng.randint(0, len(data)) for _ in range(4))
    return data[:first] + data[second:end] + data[middle:second] + data[first:middle] + data[end:]


def lines_edited(rng: Random, data: bytes) -> bytes:
    """Delete, repeat or move whole lines."""
    lines = data.splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 2)) if lines else 0):
        line = lines[rng.randrange(len(lines))]
        if rng.random() < 0.7:
            lines.remove(line)
        if not lines or rng.random() < 0.7:
            lines.insert(rng.randint(0, len(lines)), line)
    return b"".join(lines)


def cut_off(rng: Random, data: bytes) -> bytes:
    """Cut the file off."""
    return data[: rng.randrange(len(data))] if data else data


def continued(rng: Random, data: bytes) -> bytes:
    """Put something behind the end: bytes, zeros, or what is in the file already."""
    start, end = _stretch(rng, data)
    return data + rng.choice((rng.randbytes(end - start), bytes(end - start), data[start:end], data))


def zeroed(rng: Random, data: bytes) -> bytes:
    """Put zeros in the place of a stretch, often of all that follows, as a power failure does."""
    start, end = _stretch(rng, data)
    end = rng.choice((end, len(data)))
    return data[:start] + bytes(end - start) + data[end:]


def newlines_edited(rng: Random, data: bytes) -> bytes:
    """Take newlines away, or put some in, or change them as editors do."""
    ends = [found.start() for found in re.finditer(rb"\n", data)]
    place = rng.choice(ends) if ends else 0
    anywhere = rng.randint(0, len(data))
    return rng.choice(
        (
            data[:place] + data[place + 1 :],
            data[:place] + b"\n" + data[place:],
            data[:anywhere] + rng.choice((b"\n", b"\r", b"\r\n", "\u2028".encode())) + data[anywhere:],
            data.replace(b"\n", b"\r\n"),
            data.replace(b"\n", b""),
            data.rstrip(b"\n"),
        )
    )


def enlarged(rng: Random, data: bytes) -> bytes:
    """Make a number in the text a very large one."""
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data
    found = rng.choice(numbers)
    digits = rng.choice((b"9" * 9, b"9" * 18, b"9" * 20, b"9" * 400, b"1" + b"0" * 5000, b"-1", b"1e400", b"0x7f"))
    return data[: found.start()] + digits + data[found.end() :]


def nested(rng: Random, data: bytes) -> bytes:
    """Open thousands of brackets at some place."""
    place = rng.randint(0, len(data))
    depth = rng.choice((10, 1000, 5000))
    return data[:place] + rng.choice((b"[" * depth, b'{"a":' * depth, b"[" * depth + b"]" * depth)) + data[place:]


def no_text(rng: Random, data: bytes) -> bytes:
    """Put bytes in that no text in UTF-8 has."""
    place = rng.randint(0, len(data))
    wrong = rng.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd", b"\xef\xbb\xbf"))
    return data[:place] + wrong + data[place:]


BYTES: dict[str, Bytes] = {
    "bits flipped": flipped,
    "bytes overwritten": overwritten,
    "bytes inserted": inserted,
    "bytes deleted": deleted,
    "stretches repeated": repeated,
    "stretches exchanged": exchanged,
    "lines deleted, repeated, moved": lines_edited,
    "cut off": cut_off,
    "garbage behind the end": continued,
    "runs of zeros": zeroed,
    "newlines added and removed": newlines_edited,
    "huge numbers": enlarged,
    "deep nesting": nested,
    "invalid UTF-8": no_text,
}


def _stretch(rng: Random, data: bytes) -> tuple[int, int]:
    """Return the ends of a stretch, short ones as often as long ones."""
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.randint(1, 1 << rng.randrange(1, 11)))
