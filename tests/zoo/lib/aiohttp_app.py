# SPDX-License-Identifier: MIT
"""aiohttp_app.py PORT MODE VARIANT: an echo at /ws by aiohttp, as an application
guards it; each mode has one reason to answer something else."""
import sys

from aiohttp import web

port, mode, variant = sys.argv[1:]
sockets = []


def csrf(request):
    if request.query.get("csrf") != request.cookies.get("csrf", "?"):
        return web.json_response({"error": "CSRF token missing or incorrect"}, status=403)


def ticket(request):
    if request.query.get("ticket") != "t1":
        return web.json_response({"error": "invalid or expired ticket"}, status=401)


def tenant(request):
    if not request.query.get("tenant"):
        wrong = {"field": "tenant", "message": "This query parameter is required."}
        return web.json_response({"errors": [wrong]}, status=422)


def want_token(request):
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        raise web.HTTPUnauthorized(text="Authentication required",
                                   headers={"WWW-Authenticate": "Bearer"})


def plan(request):
    want_token(request)
    text = "Your plan does not include streaming. Upgrade to Pro."
    return web.json_response({"error": text}, status=402)


def scope(request):
    want_token(request)
    problem = {"type": "https://errors.example/forbidden", "title": "Forbidden",
               "detail": "Token lacks scope stream:read"}
    return web.json_response(problem, status=403, content_type="application/problem+json")


def maintenance(request):
    return web.Response(status=503, text="Down for maintenance", headers={"Retry-After": "3600"})


def region(request):
    return web.Response(status=451, text="Unavailable For Legal Reasons")


def same_scheme(request):
    origin, scheme = request.headers.get("Origin"), request.headers.get("X-Forwarded-Proto", "http")
    if origin and origin != "%s://%s" % (scheme, request.host):
        return web.Response(status=403, text="Forbidden")


def no_proxy(request):
    if "X-Forwarded-For" in request.headers:
        return web.Response(status=400, text="400: Bad Request")


def one_name(request):
    if not request.host.startswith("live.example"):
        return web.Response(status=421, text="Misdirected Request")


def canonical(request):
    raise web.HTTPPermanentRedirect("https://live.example/ws")


def locale(request):
    raise web.HTTPFound("/en/ws")


def sign_in(request):
    raise web.HTTPSeeOther("https://accounts.example/signin?next=/ws")


def origin_wanted(request):
    if not request.headers.get("Origin"):
        return web.Response(status=400, text="Bad Request: missing Origin")


def full(request):
    if sockets:
        return web.json_response({"error": "too many open sockets for this server"}, status=503)


MODES = {"canonical": canonical, "csrf": csrf, "full": full, "locale": locale,
         "maintenance": maintenance, "no-proxy": no_proxy, "one-name": one_name, "open": None,
         "origin-wanted": origin_wanted, "plan": plan, "region": region,
         "same-scheme": same_scheme, "scope": scope, "sign-in": sign_in, "tenant": tenant,
         "ticket": ticket}
refuses = None if variant == "fixed" else MODES[mode]


async def echo(request):
    refusal = refuses(request) if refuses else None
    if refusal is not None:  # a response may be false: it is a mapping
        return refusal
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    sockets.append(socket)
    async for message in socket:
        await socket.send_str(message.data)
    sockets.remove(socket)
    return socket


async def page(request):
    return web.Response(text="board")

app = web.Application()
app.add_routes([web.get("/ws", echo), web.get("/", page)])
web.run_app(app, host="127.0.0.1", port=int(port), print=None)
