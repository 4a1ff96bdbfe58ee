# SPDX-License-Identifier: MIT
"""the https origin of the host is wanted, though it is asked in plain"""
from raw import FIXED, opened, refused, serve


def answer(fields):
    secure = "https://" + fields["host"]
    if FIXED or fields.get("origin", secure) == secure:
        return opened(fields)
    return refused("403 Forbidden")


serve(answer)
