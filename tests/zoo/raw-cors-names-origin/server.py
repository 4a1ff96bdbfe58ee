# SPDX-License-Identifier: MIT
"""the answer names the one origin in Access-Control-Allow-Origin"""
from raw import FIXED, opened, refused, serve

CONSOLE = "https://console.shop.example"


def answer(fields):
    if FIXED or fields.get("origin") == CONSOLE:
        return opened(fields)
    return refused("403 Forbidden", "Access-Control-Allow-Origin: " + CONSOLE)


serve(answer)
