# SPDX-License-Identifier: MIT
"""Flask: /plain answers, and knows nothing of an Upgrade."""
from flask import Flask

app = Flask("board")


@app.route("/")
def index():
    return "<h1>board</h1>"


@app.route("/plain")
def plain():
    return "ok"
