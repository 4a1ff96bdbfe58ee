# SPDX-License-Identifier: MIT
"""a 101 whose Upgrade is h2c"""
from raw import FIXED, opened, serve

serve(lambda fields: opened(fields, upgrade="websocket" if FIXED else "h2c"))
