# SPDX-License-Identifier: MIT
"""a 101 with a subprotocol that nobody offered"""
from raw import FIXED, opened, serve

more = [] if FIXED else ["Sec-WebSocket-Protocol: soap"]
serve(lambda fields: opened(fields, *more))
