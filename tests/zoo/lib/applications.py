# SPDX-License-Identifier: MIT
"""applications.py PORT NAME VARIANT [WORD]: applications that stand behind proxies.
Most of them have nothing wrong themselves."""
import asyncio
import itertools
import sys

PORT, NAME, FIXED = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "fixed"
WORD = sys.argv[4] if len(sys.argv) > 4 else ""
HOST = "127.0.0.1"


def socketio(**options):
    """As an ASGI application; without options, for pages of its own alone. With
    WORD its sessions are named after that."""
    import socketio as sio
    import uvicorn
    server = sio.AsyncServer(async_mode="asgi", **options)
    if WORD:
        sessions = itertools.count(1)
        server.eio.generate_id = lambda: "%s%d" % (WORD, next(sessions))
    uvicorn.run(sio.ASGIApp(server), host=HOST, port=PORT, log_level="warning")


def socketio_open():
    socketio(cors_allowed_origins="*")


def aiohttp(refusal, path="/ws", title="app"):
    """An echo at @path, unless refusal(request) is an answer."""
    from aiohttp import web, WSMsgType

    async def ws(request):
        refused = refusal(request, web)
        if refused is not None:
            return refused
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    async def page(request):
        return web.Response(text="<h1>%s</h1>" % title, content_type="text/html")
    app = web.Application()
    app.router.add_get(path, ws)
    app.router.add_get("/", page)
    web.run_app(app, host=HOST, port=PORT, print=None)


def trusts_no_proxy():
    """Home Assistant's manner with a proxy that is not in trusted_proxies."""
    def refusal(request, web):
        if not FIXED and "X-Forwarded-For" in request.headers:
            raise web.HTTPBadRequest
    aiohttp(refusal, "/api/websocket", "home")


def own_origin():
    def refusal(request, web):
        scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
        own = "%s://%s" % (scheme, request.host)
        if request.headers.get("Origin", own) != own:
            return web.json_response({"error": "origin does not match"}, status=403)
    aiohttp(refusal, "/api/websocket", "home")


def session():
    def refusal(request, web):
        if request.cookies.get("session") != "9c1185a5":
            return web.json_response({"detail": "Not authenticated"}, status=401)
    aiohttp(refusal)


def auth_token():
    def refusal(request, web):
        if "tk-42" not in (request.headers.get("auth_token"), request.headers.get("auth-token")):
            return web.json_response({"detail": "auth_token is missing"}, status=401)
    aiohttp(refusal)


def bearer():
    def refusal(request, web):
        given = (request.headers.get("Authorization"), request.query.get("token"))
        if given[0] != "Bearer tk-42" and given[1] != "tk-42":
            return web.json_response({"detail": "Invalid token"}, status=401)
    aiohttp(refusal)


def autobahn(on_connect=lambda self, request: None):
    from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
    from twisted.internet import reactor

    class Echo(WebSocketServerProtocol):
        onConnect = on_connect

        def onMessage(self, payload, binary):
            self.sendMessage(payload, binary)
    factory = WebSocketServerFactory("ws://%s:%d" % (HOST, PORT))
    factory.protocol = Echo
    reactor.listenTCP(PORT, factory, interface=HOST)
    reactor.run()


def connected_already():
    from autobahn.websocket.types import ConnectionDeny

    def on_connect(self, request):
        if not FIXED:
            raise ConnectionDeny(409, "Device is connected already")
    autobahn(on_connect)


def websockets(fails=False):
    import websockets as library

    async def echo(socket, path=None):
        if fails:
            raise KeyError("tenant")
        async for message in socket:
            await socket.send(message)

    async def main():
        async with library.serve(echo, HOST, PORT):
            await asyncio.Future()
    asyncio.run(main())


def raises():
    websockets(fails=not FIXED)


def quart():
    from quart import Quart, websocket
    app = Quart("app")

    @app.websocket("/ws")
    async def ws():
        while True:
            await websocket.send(await websocket.receive())

    @app.route("/")
    async def index():
        return "<h1>quart</h1>"
    app.run(HOST, PORT)


def trio():
    import trio as library
    from trio_websocket import serve_websocket

    async def echo(request):
        socket = await request.accept()
        while True:
            await socket.send_message(await socket.get_message())
    library.run(serve_websocket, echo, HOST, PORT, None)


globals()[NAME]()
