# SPDX-License-Identifier: MIT
"""aiohttp_guards.py PORT VARIANT REASON: an echo at /live by aiohttp, and what its
extensions and hand-made middleware refuse."""
import sys

from aiohttp import web

PORT, FIXED, REASON = int(sys.argv[1]), sys.argv[2] == "fixed", sys.argv[3]
guard = "" if FIXED else REASON


async def live(request):
    if guard == "permission":
        from aiohttp_security import check_permission
        await check_permission(request, "watch")
    if guard == "session":
        from aiohttp_security import check_authorized
        await check_authorized(request)
    ws = web.WebSocketResponse(protocols=("v1",))
    await ws.prepare(request)
    if guard == "timeout":
        try:
            await ws.receive(timeout=0.3)
        except Exception:
            await ws.close(code=4408, message=b"auth timeout")
            return ws
    async for message in ws:
        await ws.send_str(message.data)
    return ws


@web.middleware
async def proxies(request, handler):
    """Whoever comes over a proxy that is not known."""
    if guard == "forwarded" and "X-Forwarded-For" in request.headers:
        return web.json_response({"error": "untrusted proxy"}, status=400)
    if guard == "secure" and request.headers.get("X-Forwarded-Proto", "http") != "https":
        raise web.HTTPForbidden(text="HTTPS required")
    if guard == "length" and len(request.headers.get("Cookie", "")) > 2000:
        raise web.HTTPRequestHeaderFieldsTooLarge()
    return await handler(request)


app = web.Application(middlewares=[proxies])
if guard in ("session", "permission"):
    from aiohttp_security import AbstractAuthorizationPolicy, SessionIdentityPolicy, setup
    from aiohttp_session import SimpleCookieStorage
    from aiohttp_session import setup as sessions

    class Policy(AbstractAuthorizationPolicy):
        async def authorized_userid(self, identity):
            return identity

        async def permits(self, identity, permission, context=None):
            return identity == "admin"

    sessions(app, SimpleCookieStorage())
    setup(app, SessionIdentityPolicy(), Policy())
app.router.add_get("/live", live)
app.router.add_get("/", lambda request: web.Response(
    text="<h1>live</h1>", content_type="text/html"))
web.run_app(app, host="127.0.0.1", port=PORT, print=None)
