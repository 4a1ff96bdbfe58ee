# SPDX-License-Identifier: MIT
"""txws_echo.py PORT open|address|idle VARIANT: an echo of Twisted behind txWS, that may
hang up on unknown addresses at once, or on those that say nothing."""
import sys

from twisted.internet import protocol, reactor
from twisted.protocols.policies import TimeoutMixin
from txws import WebSocketFactory

port, mode, variant = sys.argv[1:]
reason = None if variant == "fixed" else mode


class Echo(protocol.Protocol, TimeoutMixin):
    def connectionMade(self):
        if reason == "idle":
            self.setTimeout(3)

    def dataReceived(self, data):
        self.transport.write(data)


class Guarded(WebSocketFactory):
    def buildProtocol(self, addr):
        if reason == "address" and addr.host not in ("127.0.0.9", "10.1.2.3"):
            return None
        return WebSocketFactory.buildProtocol(self, addr)


reactor.listenTCP(int(port), Guarded(protocol.Factory.forProtocol(Echo)), interface="127.0.0.1")
reactor.run()
