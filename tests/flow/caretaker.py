# SPDX-License-Identifier: MIT
"""caretaker.py FOLDER: waits until standard input ends, which it does with the run
of tests that holds its other end, and then ends what was started with FOLDER as
STATE_DIRECTORY, and takes FOLDER away. Neither a process group nor a signal at
the parent's death would do: servers of tests have groups of their own, and are
started by threads that end before them."""
import os
import shutil
import signal
import sys
from pathlib import Path


def started_with(folder):
    """The pids of all that had it in their environment when they began."""
    mark = b"STATE_DIRECTORY=%s\0" % os.fsencode(folder)
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) != os.getpid() and mark in (entry / "environ").read_bytes() + b"\0":
                yield int(entry.name)
        except OSError:  # it has ended, or is somebody else's
            pass


def main(folder):
    sys.stdin.buffer.read()
    for pid in list(started_with(folder)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
