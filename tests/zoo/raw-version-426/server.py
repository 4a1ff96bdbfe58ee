# SPDX-License-Identifier: MIT
"""a 426 that asks for version 8"""
from raw import FIXED, opened, refused, serve


def answer(fields):
    if FIXED or fields.get("sec-websocket-version") == "8":
        return opened(fields)
    return refused("426 Upgrade Required", "Sec-WebSocket-Version: 8", "Upgrade: websocket")


serve(answer)
