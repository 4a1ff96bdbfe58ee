# SPDX-License-Identifier: MIT
"""What a command shows on a terminal."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

SESAME = os.path.abspath(os.environ.get("SESAME", "build/sesame"))
CLEAN = {k: v for k, v in os.environ.items()
         if not k.lower().endswith("_proxy")
         and k not in ("NO_COLOR", "CLICOLOR_FORCE")}


def on_terminal(words, env=None, keys=b"", until=None, seconds=10, columns=80, cwd=None):
    """What a terminal shows of a command, and the exit status; it is a terminal
    at both ends. @keys are typed when @until was seen."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([SESAME, *words], stdin=slave, stdout=slave,
                             stderr=slave, cwd=cwd, env={**CLEAN, "TERM": "xterm",
                                                **(env or {})})
    os.close(slave)
    seen, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if keys and (until is None or until in seen):
                os.write(master, keys)
                keys = b""
            if not select.select([master], [], [], 0.05)[0]:
                if child.poll() is not None:
                    break
                continue
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            seen += chunk
        return seen, child.wait(timeout=10)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        os.close(master)
