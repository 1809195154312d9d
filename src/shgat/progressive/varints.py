"""Whole numbers as bytes, small ones in one: LEB128, and differences folded so that small ones of either sign are small (zigzag).

Arithmetic is modulo 2**64 throughout, so that every pair of 64-bit numbers has a difference.
"""

import numpy as np
import numpy.typing as npt

UInt64 = npt.NDArray[np.uint64]
_SEVEN = np.uint64(7)


def pack(values: npt.ArrayLike) -> bytes:
    """Non-negative numbers below 2**64, seven bits a byte, low ones first, the high bit where more follow."""
    v = np.asarray(values, dtype=np.uint64)
    if not v.size:
        return b""
    lengths = np.ones(v.size, dtype=np.int64)
    rest = v >> _SEVEN
    while rest.any():
        lengths += rest > 0
        rest = rest >> _SEVEN
    ends = np.cumsum(lengths)
    starts = ends - lengths
    out = np.zeros(int(ends[-1]), dtype=np.uint8)
    for k in range(int(lengths.max())):
        here = lengths > k
        low = (v[here] >> np.uint64(7 * k)) & np.uint64(127)
        out[starts[here] + k] = low.astype(np.uint8) | np.where(lengths[here] > k + 1, 128, 0).astype(np.uint8)
    return out.tobytes()


def unpack(data: bytes) -> UInt64:
    """The numbers of `pack`."""
    b = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(b < 128)
    if not ends.size:
        return np.zeros(0, dtype=np.uint64)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    values = np.zeros(ends.size, dtype=np.uint64)
    for k in range(min(int(lengths.max()), 10)):
        here = lengths > k
        values[here] |= (b[starts[here] + k] & np.uint8(127)).astype(np.uint64) << np.uint64(7 * k)
    return values


def fold(values: UInt64) -> UInt64:
    """Differences, as 64-bit two's complement, with the sign in the lowest bit."""
    signed = values.view(np.int64)
    return ((signed << 1) ^ (signed >> 63)).view(np.uint64)


def unfold(values: UInt64) -> UInt64:
    """The differences of `fold`."""
    return (values >> np.uint64(1)) ^ (np.uint64(0) - (values & np.uint64(1)))


def differences(values: npt.ArrayLike) -> bytes:
    """Numbers of 64 bits, each as its folded difference from the one before, packed."""
    v = np.asarray(values, dtype=np.int64).view(np.uint64)
    if not v.size:
        return b""
    return pack(fold(np.concatenate((v[:1], v[1:] - v[:-1]))))


def sums(data: bytes) -> npt.NDArray[np.int64]:
    """The numbers of `differences`."""
    return np.cumsum(unfold(unpack(data)), dtype=np.uint64).view(np.int64)
