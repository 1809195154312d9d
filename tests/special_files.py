"""Paths where something else than a file stands, each of which would hang, never end, or be destroyed."""

import os
import socket
from pathlib import Path

NAMES = ("folder", "fifo", "socket", "device", "link to a device", "link to a fifo", "link to itself", "without a size")


def make(folder: Path, name: str, as_: str) -> Path:
    """Puts such a thing at `folder / as_`, or gives the path where one stands already."""
    path = folder / as_
    if name == "folder":
        path.mkdir()
    elif name == "fifo":
        os.mkfifo(path)
    elif name == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(path))  # the address may have 107 bytes
    elif name == "device":
        path.symlink_to("/dev/zero") if os.geteuid() else os.mknod(path, 0o20666, os.makedev(1, 5))
    elif name == "link to a device":
        path.symlink_to("/dev/zero")
    elif name == "link to a fifo":
        os.mkfifo(folder / "pipe")
        path.symlink_to(folder / "pipe")
    elif name == "link to itself":
        path.symlink_to(path)
    else:
        path.symlink_to("/proc/self/maps")
    return path
