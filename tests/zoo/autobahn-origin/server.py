# SPDX-License-Identifier: MIT
"""allowedOrigins of Autobahn names another origin"""
import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor

port, fixed = int(sys.argv[1]), sys.argv[2] == "fixed"


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


factory = WebSocketServerFactory("ws://127.0.0.1:%d" % port)
factory.protocol = Echo
factory.setProtocolOptions(allowedOrigins=["*"] if fixed else ["https://shop.example:443"])
reactor.listenTCP(port, factory, interface="127.0.0.1")
reactor.run()
