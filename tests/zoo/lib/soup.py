# SPDX-License-Identifier: MIT
"""soup.py PORT MODE VARIANT: an echo at /live by libsoup, for one `origin` or one
`protocol`."""
import sys

import gi
gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402

port, mode, variant = sys.argv[1:]
sockets = []


def echo(server, message, path, socket, *rest):
    sockets.append(socket)
    socket.connect("message", lambda peer, kind, data: peer.send_text(data.get_data().decode()))

origin = "https://app.example" if mode == "origin" and variant != "fixed" else None
protocols = ["control.v2"] if mode == "protocol" else None
server = Soup.Server()
server.add_websocket_handler("/live", origin, protocols, echo)
server.listen_local(int(port), Soup.ServerListenOptions.IPV4_ONLY)
GLib.MainLoop().run()
