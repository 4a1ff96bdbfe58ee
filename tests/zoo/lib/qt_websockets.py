# SPDX-License-Identifier: MIT
"""qt_websockets.py PORT MODE VARIANT: an echo by QWebSocketServer, that may look
at the origin before the handshake or at the token after it."""
import signal
import sys

from PyQt5.QtCore import QCoreApplication
from PyQt5.QtNetwork import QHostAddress
from PyQt5.QtWebSockets import QWebSocketServer

port, mode, variant = sys.argv[1:]
signal.signal(signal.SIGTERM, signal.SIG_DFL)
app = QCoreApplication([])
server = QWebSocketServer("board", QWebSocketServer.NonSecureMode)
sockets = []


def check_origin(authenticator):
    if mode == "origin" and variant != "fixed":
        authenticator.setAllowed(authenticator.origin() == "https://app.example")


def welcome():
    socket = server.nextPendingConnection()
    sockets.append(socket)
    socket.textMessageReceived.connect(socket.sendTextMessage)
    if mode == "token" and variant != "fixed" and \
            "token=open" not in socket.requestUrl().toString():
        socket.close(1008, "token required")

server.originAuthenticationRequired.connect(check_origin)
server.newConnection.connect(welcome)
server.listen(QHostAddress("127.0.0.1"), int(port))
app.exec_()
