# SPDX-License-Identifier: MIT
"""python_websocketd.py PORT VARIANT FOLDER: an RPC server by python-websocketd, which
asks for a password."""
import sys

import websocketd


class Rpc:
    def __init__(self, remote):
        pass

    def echo(self, text):
        return text


server = websocketd.RPChttpd(int(sys.argv[1]), Rpc, httpdirs=(sys.argv[3],), address="127.0.0.1")
if sys.argv[2] != "fixed":
    server.auth_message = "controller"
    server.authenticate = lambda client: (
        client.data["user"] == "bob" and client.data["password"] == "pla")
websocketd.fgloop()
