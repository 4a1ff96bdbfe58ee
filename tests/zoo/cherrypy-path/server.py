# SPDX-License-Identifier: MIT
"""ws4py has the socket at /live"""
import sys

import cherrypy
from ws4py.server.cherrypyserver import WebSocketPlugin, WebSocketTool
from ws4py.websocket import EchoWebSocket

WebSocketPlugin(cherrypy.engine).subscribe()
cherrypy.tools.websocket = WebSocketTool()


class Site:
    @cherrypy.expose
    def index(self):
        return '<script>new WebSocket("ws://" + location.host + "/live")</script>'

    @cherrypy.expose
    def live(self):
        pass


cherrypy.config.update({
    "server.socket_host": "127.0.0.1",
    "server.socket_port": int(sys.argv[1]),
    "log.screen": False,
    "engine.autoreload.on": False,
})
live = {"tools.websocket.on": True, "tools.websocket.handler_cls": EchoWebSocket}
cherrypy.quickstart(Site(), "/", config={"/live": live})
