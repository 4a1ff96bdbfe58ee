# SPDX-License-Identifier: MIT
"""an HTTP proxy is named as a SOCKS proxy"""
import socketserver
import sys


class Proxy(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(100)
        self.request.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Proxy).serve_forever()
