# SPDX-License-Identifier: MIT
"""a 101 without Sec-WebSocket-Accept"""
from raw import FIXED, opened, serve

serve(lambda fields: opened(fields, accept=FIXED))
