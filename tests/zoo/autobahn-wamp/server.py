# SPDX-License-Identifier: MIT
"""a WAMP router wants wamp.2.json"""
import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet import reactor

port, fixed = int(sys.argv[1]), sys.argv[2] == "fixed"


class Echo(WebSocketServerProtocol):
    def onConnect(self, request):
        if not fixed and "wamp.2.json" not in request.protocols:
            raise ConnectionDeny(400, "this server only speaks WAMP-WebSocket")
        return request.protocols[0] if request.protocols else None

    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


factory = WebSocketServerFactory("ws://127.0.0.1:%d" % port)
factory.protocol = Echo
reactor.listenTCP(port, factory, interface="127.0.0.1")
reactor.run()
