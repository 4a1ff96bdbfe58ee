# SPDX-License-Identifier: MIT
"""closed without an answer when the User-Agent is no browser"""
from raw import FIXED, opened, serve


def answer(fields):
    browser = "Mozilla" in fields.get("user-agent", "")
    return opened(fields) if FIXED or browser else None


serve(answer)
