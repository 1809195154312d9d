"""Messages from a pipe, however they are cut, and bytes into one."""

import os
import threading
import time

import pytest

from shgat.errors import WorkerError
from shgat.worker.stream import Messages, write_all


def messages(pieces, timeout=0.2, limit=100, pause=0.0):
    readable, writable = os.pipe()

    def feed():
        for piece in pieces:
            os.write(writable, piece)
            time.sleep(pause)
        os.close(writable)

    feeder = threading.Thread(target=feed)
    feeder.start()
    stream = Messages(readable, timeout, limit)
    try:
        while (message := stream.next()) is not None:
            yield message
    finally:
        feeder.join()
        os.close(readable)


def test_messages_are_lines_however_they_are_cut():
    assert list(messages([b'{"a"', b':1}\n{"b":2}\n', b"\n", b'{"c":3}'], pause=0.01)) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    assert list(messages([b"{\n  1,\n", b"  2\n}\n"])) == [b"{\n  1,\n  2\n}"]


def test_a_line_that_never_ends_is_refused():
    with pytest.raises(WorkerError, match="more than 100 bytes"):
        list(messages([b"x" * 1000]))


def test_a_pause_in_a_message_is_refused():
    with pytest.raises(WorkerError, match="half a message"):
        list(messages([b"xx", b"yy"], pause=0.5))


def test_the_first_message_is_waited_for_as_long_as_it_takes_and_the_rest_of_it_is_not():
    readable, writable = os.pipe()
    stream = Messages(readable, 0.1, 100)
    timer = threading.Timer(0.4, os.write, (writable, b"{}\n{"))
    timer.start()
    assert stream.next(patient=True) == b"{}"
    with pytest.raises(WorkerError, match=r"half a message \(1 bytes\), then nothing for 0.1 s"):
        stream.next(patient=True)
    timer.join()
    os.close(readable)
    os.close(writable)


def test_everything_is_written_and_nobody_reading_is_an_error():
    readable, writable = os.pipe()
    data = bytes(range(256)) * 2048  # more than a pipe holds
    read = bytearray()

    def reader():
        while len(read) < len(data):
            read.extend(os.read(readable, 1 << 16))

    thread = threading.Thread(target=reader)
    thread.start()
    write_all(writable, data)
    thread.join()
    assert read == data
    os.close(readable)
    with pytest.raises(BrokenPipeError):
        write_all(writable, b"x")
    os.close(writable)
