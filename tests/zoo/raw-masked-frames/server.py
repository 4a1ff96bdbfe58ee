# SPDX-License-Identifier: MIT
"""the server masks what it sends"""
from raw import FIXED, opened, serve

# The text "hi", unmasked or masked with 1 2 3 4.
frame = b"\x81\x02hi" if FIXED else b"\x81\x82\x01\x02\x03\x04ik"
serve(lambda fields: opened(fields) + frame)
