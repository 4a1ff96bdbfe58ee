# SPDX-License-Identifier: MIT
"""An aiohttp echo whose bearer tokens have to be for the API named chat."""
import sys

import jwt
from aiohttp import web

SECRET = "a key of thirty-two bytes or more"
CHALLENGE = 'Bearer realm="chat"'


def refusal(request):
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        return CHALLENGE
    try:
        jwt.decode(token, SECRET, algorithms=["HS256"], audience="chat")
    except jwt.InvalidTokenError as e:
        return '%s, error="invalid_token", error_description="%s"' % (CHALLENGE, e)
    return None


async def live(request):
    challenge = refusal(request)
    if challenge:
        return web.json_response({"error": "unauthorized"}, status=401,
                                 headers={"WWW-Authenticate": challenge})
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


app = web.Application()
app.add_routes([web.get("/live", live)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
