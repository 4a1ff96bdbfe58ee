# SPDX-License-Identifier: MIT
"""newcomers.py PORT VARIANT NAME [REASON]: further settings of servers in Python."""
import sys

PORT, FIXED, NAME = int(sys.argv[1]), sys.argv[2] == "fixed", sys.argv[3]
REASON = sys.argv[4] if len(sys.argv) > 4 else ""
HOST = "127.0.0.1"


async def echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": event.get("text") or ""})


async def page(send, status, text):
    fields = [(b"content-type", b"text/html")]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": text})


def refusal(scope):
    """The number with which this WebSocket is refused, or None."""
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    origin, agent = headers.get("origin"), headers.get("user-agent", "")
    if scope["path"] != "/ws":
        return 1000
    if REASON == "ticket" and b"ticket=k1" not in scope["query_string"]:
        return 4401
    if REASON == "agent" and not FIXED and "python" in agent.lower():
        return 1008
    if REASON == "needs origin" and not origin:
        return 4403
    if REASON == "same origin" and origin and origin.split("//")[-1] != headers["host"]:
        return 4403
    own = "%s://%s" % (scope["scheme"].replace("ws", "http"), headers["host"])
    if REASON == "scheme" and origin and origin != own:
        return 4403
    return None


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "http":
        home = scope["path"] == "/"
        return await page(send, 200 if home else 404, b"<h1>board</h1>" if home else b"Not Found")
    refused = refusal(scope)
    if refused:
        await receive()
        return await send({"type": "websocket.close", "code": refused})
    if REASON == "crash" and not FIXED:
        raise RuntimeError("no such table: sessions")
    return await echo(receive, send)


def wsproto():
    """uvicorn with the other of its two protocols."""
    import uvicorn
    uvicorn.run(app, host=HOST, port=PORT, ws="wsproto", log_level="warning")


def hypercorn():
    import asyncio
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    config = Config()
    config.bind = ["%s:%d" % (HOST, PORT)]
    config.loglevel = "CRITICAL"
    if REASON == "names" and not FIXED:
        config.server_names = ["board.example"]
    asyncio.run(serve(app, config))


def tornado():
    import tornado.ioloop
    import tornado.web
    import tornado.websocket

    class Socket(tornado.websocket.WebSocketHandler):
        def prepare(self):
            if REASON == "login" and not self.get_cookie("user"):
                self.redirect("/login?next=/ws")
            if REASON == "argument":
                self.get_argument("board")

        def check_origin(self, origin):
            return True

        def select_subprotocol(self, offered):
            return "board.2" if "board.2" in offered else None

        def open(self):
            if REASON == "protocol" and self.selected_subprotocol is None:
                self.close(1002, "board.2 expected")
            if REASON == "closed" and not FIXED:
                self.close(4010, "board is archived")

        def on_message(self, message):
            self.write_message(message)

    class Page(tornado.web.RequestHandler):
        def get(self):
            self.write("<h1>board</h1>" + (
                "<script>new WebSocket('ws://' + location.host + '/ws?board=1')</script>"
                if REASON == "argument" else ""))

    routes = [(r"/", Page), (r"/login", Page), (r"/ws", Socket)]
    if REASON == "host" and not FIXED:
        web = tornado.web.Application()
        web.add_handlers(r"board\.example", routes)
    else:
        web = tornado.web.Application(routes)
    options = {"max_header_size": 2000} if REASON == "header" else {}
    web.listen(PORT, HOST, **options)
    tornado.ioloop.IOLoop.current().start()


def websockets():
    import asyncio
    import http
    from websockets.legacy.server import serve

    async def handler(socket, path):
        if REASON == "limit" and not FIXED:
            await socket.close(1013, "try again later")
        async for message in socket:
            await socket.send(message)

    async def request(path, headers):
        if REASON == "path" and path != "/stream":
            return http.HTTPStatus.NOT_FOUND, [], b"unknown stream\n"
        if REASON == "plan" and not FIXED:
            return http.HTTPStatus.PAYMENT_REQUIRED, [], b'{"detail": "upgrade your plan"}\n'
        return None

    options = {}
    if REASON == "origins":
        options["origins"] = ["https://ticker.example"]
    if REASON == "no null":
        options["origins"] = [None]
    if REASON == "subprotocol":
        options["subprotocols"] = ["ticker.3"]

    async def main():
        async with serve(handler, HOST, PORT, process_request=request, **options):
            await asyncio.Future()
    asyncio.run(main())


globals()[NAME]()
