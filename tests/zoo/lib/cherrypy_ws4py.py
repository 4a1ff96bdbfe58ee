# SPDX-License-Identifier: MIT
"""cherrypy_ws4py.py PORT open|off|basic VARIANT: an echo at /ws by CherryPy and ws4py;
its tool may be off, or a password wanted."""
import sys

import cherrypy
from ws4py.server.cherrypyserver import WebSocketPlugin, WebSocketTool
from ws4py.websocket import EchoWebSocket

port, mode, variant = sys.argv[1:]


class Root:
    @cherrypy.expose
    def index(self):
        return "home"

    @cherrypy.expose
    def ws(self):
        pass


cherrypy.config.update({"server.socket_host": "127.0.0.1", "server.socket_port": int(port),
                        "environment": "production", "engine.autoreload.on": False})
WebSocketPlugin(cherrypy.engine).subscribe()
cherrypy.tools.websocket = WebSocketTool()
socket = {"tools.websocket.on": mode != "off" or variant == "fixed",
          "tools.websocket.handler_cls": EchoWebSocket}
if mode == "basic" and variant != "fixed":
    socket.update({"tools.auth_basic.on": True, "tools.auth_basic.realm": "farm",
                   "tools.auth_basic.checkpassword": lambda _, *pair: pair == ("ann", "pw")})
cherrypy.quickstart(Root(), "/", {"/ws": socket})
