# SPDX-License-Identifier: MIT
"""a 101 with an extension that nobody offered"""
from raw import FIXED, opened, serve

more = [] if FIXED else ["Sec-WebSocket-Extensions: permessage-bzip2"]
serve(lambda fields: opened(fields, *more))
