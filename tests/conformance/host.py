# SPDX-License-Identifier: MIT
"""A server that plays the table to clients which echo. They walk it themselves:
/getCaseCount says how many rows there are, /runCase?case=N&agent=NAME plays
row N (from 1), /updateReports?agent=NAME is asked at the end."""
import re
import socket
import threading
import traceback

from case import TEXT, Case, Frame
from play import PATIENCE, Unoffered, play_to_client, read_head


class Host:
    """Plays @cases to whoever comes; .verdicts holds what was wrong, "" for nothing."""

    def __init__(self, cases, patience=lambda case: PATIENCE, page=b""):
        self.cases, self.patience, self.page = cases, patience, page
        self.verdicts = {}
        self.keys = []  # the masks of all frames that came
        self.agents = set()
        self.strays = set()  # rows that were asked for, and are none
        self.reported = threading.Event()
        self.playing, self.quiet = 0, threading.Condition()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.url = "ws://127.0.0.1:%d" % self.port
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            head, _ = read_head(sock, PATIENCE)
            target = head.split(" ")[1] if head else ""
            found = re.match(r"/runCase\?case=(\d+)", target)
            if found:
                self._run(sock, head, int(found[1]))
            elif target.startswith("/getCaseCount"):
                self._tell(sock, head, b"%d" % len(self.cases))
            elif target.startswith("/updateReports"):
                self.agents.update(re.findall(r"agent=([\w.-]+)", target))
                self._tell(sock, head)
                self.reported.set()
            elif target == "/":
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
                             b"Content-Length: %d\r\n\r\n%s" % (len(self.page), self.page))

    def _run(self, sock, head, number):
        if 1 <= number <= len(self.cases):
            with self.quiet:
                self.playing += 1
            self._play(sock, head, self.cases[number - 1])
            with self.quiet:
                self.playing -= 1
                self.quiet.notify_all()
            return
        self.strays.add(number)
        sock.sendall(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    def _tell(self, sock, head, *messages):
        sends = tuple(Frame(0x80 | TEXT, m) for m in messages)
        play_to_client(sock, head, Case("", "", sends))

    def _play(self, sock, head, case):
        try:
            self.verdicts[case.id] = play_to_client(sock, head, case, self.patience(case), self.keys)
        except Unoffered:
            self.verdicts[case.id] = "does not compress"
        except Exception:  # a fault of the player, which must not look like "well done"
            self.verdicts[case.id] = traceback.format_exc()

    def settle(self):
        """Wait for plays whose client has gone already."""
        with self.quiet:
            self.quiet.wait_for(lambda: not self.playing, PATIENCE)

    def wrong(self):
        """{id: what was wrong} of all rows, those that were never asked for too."""
        self.settle()
        out = {c.id: v for c in self.cases if (v := self.verdicts.get(c.id, "was not played"))}
        return out | {"case=%d" % n: "there is no such row" for n in self.strays}
