# SPDX-License-Identifier: MIT
"""an SSH server listens there; the WebSocket is at the next port"""
import socketserver
import sys


class Shell(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        self.request.recv(1000)
        self.request.sendall(b"Invalid SSH identification string.\r\n")


socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Shell).serve_forever()
