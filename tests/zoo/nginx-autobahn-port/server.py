# SPDX-License-Identifier: MIT
"""Autobahn that is told the port by which it is reached from outside."""
import os
import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor

HOST = "127.0.0.1"
EXTERNAL_PORT = int(os.environ["EXTERNAL_PORT"])


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload, binary):
        self.sendMessage(payload, binary)


factory = WebSocketServerFactory("ws://%s:%d" % (HOST, EXTERNAL_PORT), externalPort=EXTERNAL_PORT)
factory.protocol = Echo
reactor.listenTCP(int(sys.argv[1]), factory, interface=HOST)
reactor.run()
