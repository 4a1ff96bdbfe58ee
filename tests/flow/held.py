# SPDX-License-Identifier: MIT
"""What a server holds, before its clients came and after they are gone: open
descriptors and resident memory. What it may have more of is small and said
here; anything beyond is a leak."""
import os
import time
from pathlib import Path

# Files that it opens when it needs them first: the journal's second and third,
# a log, a look into its own folder.
FILES = 4
# Blocks that each of its threads keeps for the next one (src/base/buf.c), lists of
# which the first visit touches what none did before, and what the allocator has
# not given back: no more than this, whatever was sent. A hundred kilobytes of
# every visit are found after sixty or so; who needs more says so by allow().
MEMORY_KIB = 5 * 1024 + 512 * os.cpu_count()  # each of its workers has its own
# With this in its environment the allocator gives back what it can at once, so
# that what is left over shows.
GIVES_BACK = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536",
              "MALLOC_TOP_PAD_": "0"}
PATIENCE = 8  # who was refused may linger for two seconds, who closes for five
# Where an operator's journal is, if nothing says another place: sesame-serve(8).
OPERATORS = "/var/lib/sesame" if os.geteuid() == 0 else os.path.join(
    os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "sesame")
SANITIZERS = (b"__asan_init", b"__tsan_init", b"__msan_init")


def sanitized(program):
    """Whether the file @program was built with one that takes memory itself."""
    content = Path(program).read_bytes()
    return any(word in content for word in SANITIZERS)


def listening(pid):
    """The inodes of sockets that listen: a reload may add some."""
    found = set()
    for table in ("tcp", "tcp6"):
        lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        found |= {line.split()[9] for line in lines if line.split()[3] == "0A"}
    return found


def descriptors(pid):
    """(sockets that do not listen, all else); files under their names."""
    listen, sockets, others = listening(pid), [], []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            name = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if not name.startswith("socket:["):
            others.append(name)
        elif name[8:-1] not in listen:
            sockets.append(name)
    return sockets, others


def resident_kib(pid):
    """Of its own memory; what it has of files comes and goes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return 0  # it has ended


class Held:
    """Made when the server runs; check() when its clients are gone."""

    def __init__(self, pid):
        self.pid = pid
        self.sockets, self.others = descriptors(pid)
        self.memory = resident_kib(pid)
        intruded = [name for name in self.others if name.startswith(OPERATORS)]
        assert not intruded, "a test writes into the operator's journal: %s" % intruded

    def allow(self, kib):
        """More memory than usual, which the test says the reason of."""
        self.memory += kib

    def more(self):
        """What it holds now that it may not, in words; None: nothing."""
        sockets, others = descriptors(self.pid)
        if len(sockets) > len(self.sockets):
            return "%d connections, not %d" % (len(sockets), len(self.sockets))
        if len(others) > len(self.others) + FILES:
            return "%s besides %s" % (sorted(others), sorted(self.others))
        return None

    def check(self):
        try:
            self.compare()
        except FileNotFoundError:
            pass  # it has ended meanwhile

    def compare(self):
        end = time.time() + PATIENCE
        while more := self.more():
            assert time.time() < end, "a server that nobody uses holds " + more
            time.sleep(0.02)
        # Big blocks go back that nobody takes for a second or two, the rest when all is calm.
        while (grown := resident_kib(self.pid) - self.memory) >= MEMORY_KIB and \
                not sanitized(f"/proc/{self.pid}/exe"):
            assert time.time() < end, "%d KiB of memory more than before" % grown
            time.sleep(0.02)
