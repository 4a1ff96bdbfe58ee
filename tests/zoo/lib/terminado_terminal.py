# SPDX-License-Identifier: MIT
"""terminado_terminal.py PORT MODE VARIANT: a terminal at /websocket, that asks for the
page's own origin unless VARIANT is "fixed"."""
import sys

import tornado.ioloop
import tornado.web
from terminado import SingleTermManager, TermSocket

port, _, variant = sys.argv[1:]


class Terminal(TermSocket):
    if variant == "fixed":
        def check_origin(self, origin):
            return True


tornado.web.Application([
    (r"/websocket", Terminal, {"term_manager": SingleTermManager(shell_command=["cat"])}),
    (r"/", tornado.web.RedirectHandler, {"url": "/static/x"}),
]).listen(int(port), "127.0.0.1")
tornado.ioloop.IOLoop.current().start()
