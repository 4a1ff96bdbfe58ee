# SPDX-License-Identifier: MIT
"""the listen queue is full: packets vanish"""
import signal
import socket
import sys

where = ("127.0.0.1", int(sys.argv[1]))
server = socket.socket()
server.bind(where)
server.listen(0)
waiting = [socket.socket() for _ in range(3)]
for client in waiting:
    client.setblocking(False)
    client.connect_ex(where)
signal.pause()
