# SPDX-License-Identifier: MIT
"""403 for a missing Origin, no length and no close"""
from raw import FIXED, opened, serve


def answer(fields):
    if FIXED or "origin" in fields:
        return opened(fields)
    return b"HTTP/1.1 403 Forbidden\r\n\r\n"


serve(answer)
