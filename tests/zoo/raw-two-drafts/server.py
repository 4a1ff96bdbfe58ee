# SPDX-License-Identifier: MIT
"""a server of 2011 that speaks two drafts"""
from raw import FIXED, opened, refused, serve


def answer(fields):
    if FIXED or fields.get("sec-websocket-version") in ("7", "8"):
        return opened(fields)
    return refused("400 Bad Request", "Sec-WebSocket-Version: 7, 8")


serve(answer)
