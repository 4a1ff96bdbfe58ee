# SPDX-License-Identifier: MIT
"""qt6_websockets.py PORT MODE VARIANT: an echo by Qt 6, that may look at the origin
before the handshake, know one subprotocol, or close those that it has accepted."""
import signal
import sys

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtNetwork import QHostAddress
from PyQt6.QtWebSockets import QWebSocketProtocol, QWebSocketServer

port, mode, variant = sys.argv[1:]
reason = None if variant == "fixed" else mode
signal.signal(signal.SIGTERM, signal.SIG_DFL)
app = QCoreApplication([])
server = QWebSocketServer("plant", QWebSocketServer.SslMode.NonSecureMode)
Code = QWebSocketProtocol.CloseCode
sockets = []


def check_origin(authenticator):
    if reason == "origin":
        authenticator.setAllowed(authenticator.origin() in ("", "https://panel.plant.example"))


def welcome():
    socket = server.nextPendingConnection()
    sockets.append(socket)
    socket.textMessageReceived.connect(socket.sendTextMessage)
    if reason == "token" and "token=" not in socket.requestUrl().query():
        socket.close(Code.CloseCodePolicyViolated, "not authenticated")
    elif reason == "maintenance":
        socket.close(Code.CloseCodeGoingAway, "maintenance")


if mode == "protocol":
    server.setSupportedSubprotocols(["plant.v2"] + ["plant.v1"] * (variant == "fixed"))
server.originAuthenticationRequired.connect(check_origin)
server.newConnection.connect(welcome)
server.listen(QHostAddress("127.0.0.1"), int(port))
app.exec()
