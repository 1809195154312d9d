"""Ids of decisions and traces."""

import os
import re
import threading

from shgat import _ids


def test_ids_differ_whoever_asks_for_them():
    found, lock = set[str](), threading.Lock()

    def ask():
        mine = [_ids.new() for _ in range(1000)]
        with lock:
            found.update(mine)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4000
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in found)


def test_a_forked_child_has_ids_of_its_own():
    _ids.new()  # some are ready
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, "".join(_ids.new() for _ in range(300)).encode())
        os._exit(0)
    os.close(writing)
    theirs = b""
    while part := os.read(reading, 65536):
        theirs += part
    os.close(reading)
    os.waitpid(child, 0)
    apart = {theirs.decode()[at : at + 32] for at in range(0, len(theirs), 32)}
    assert len(apart) == 300
    assert not apart & {_ids.new() for _ in range(600)}
