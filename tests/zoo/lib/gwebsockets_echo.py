# SPDX-License-Identifier: MIT
"""gwebsockets_echo.py PORT MODE VARIANT: an echo by GLib's main loop."""
import sys

from gi.repository import Gio, GLib
from gwebsockets.server import Server


def started(_, session):
    session.connect("message-received", lambda one, message: one.send_message(message.data))


server = Server()
server.connect("session-started", started)
# Its own start() listens at every address, and at a port of its choice.
service = Gio.SocketService()
service.connect("incoming", server._incoming_connection_cb)
service.add_inet_port(int(sys.argv[1]), None)
GLib.MainLoop().run()
