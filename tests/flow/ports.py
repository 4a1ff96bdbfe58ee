# SPDX-License-Identifier: MIT
"""Ports for servers that have to be told theirs before they start."""
import random
import socket


def free_port():
    """A port that nobody has, outside of those that the system hands out.

    Between the choice and the server's start nobody else takes it but by a
    chance of one in twenty thousand: tests run side by side, and one port after
    the other of the system's own range goes to their connections."""
    while True:
        port = random.randrange(10000, 32000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
