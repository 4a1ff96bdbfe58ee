# SPDX-License-Identifier: MIT
"""403 for the Origin, chunked, connection left open"""
from raw import FIXED, opened, serve

CHUNKED = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n"


def answer(fields):
    evil = "evil" in fields.get("origin", "")
    return CHUNKED if evil and not FIXED else opened(fields)


serve(answer)
