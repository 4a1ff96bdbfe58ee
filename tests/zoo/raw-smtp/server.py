# SPDX-License-Identifier: MIT
"""a mail server listens there; the WebSocket is at the next port"""
import socketserver
import sys


class Mail(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"220 mail.example ESMTP Postfix\r\n")
        for _ in range(6):
            if not self.request.recv(1000):
                return
            self.request.sendall(b"502 5.5.2 Error: command not recognized\r\n")


socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Mail).serve_forever()
