# SPDX-License-Identifier: MIT
"""something cuts connections that are idle for 2 seconds"""
from raw import FIXED, opened, serve

serve(opened, cut_after_s=600 if FIXED else 2)
