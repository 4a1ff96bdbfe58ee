# SPDX-License-Identifier: MIT
"""Rules of a real nginx that refuse an Origin or a User-Agent: lint finds them on
the way of the request, its patch lets exactly that one in, and the doctor that
is given the file names the line."""
import contextlib
import json
import os
import subprocess

import pytest

from test_lint import (SESAME, apply, findings, free_port, knock, needs_nginx, needs_patch, nginx,
                       write)
# The fixture; pytest finds it by name.
from test_lint import make_servers  # noqa: F401  pylint: disable=unused-import

ORIGIN, OTHER, AGENT = "https://shop.example", "https://evil.example", "Robot/2 (x86)"
PASS = """proxy_pass http://127.0.0.1:APP;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Host $http_host;
            proxy_read_timeout 1h;"""
SITE = "server {\n    listen 127.0.0.1:PORT;\n%s    location / {\n        %s\n%s    }\n}\n"

# name: (rule, http block, the line that refuses)
REFUSED = {
    "if": ("origin-rule", SITE % (
        "", "if ($http_origin !~ ^https://app\\.example$) { return 403; }", PASS), "if ($http"),
    "map": ("origin-rule", "map $http_origin $good { default 0; https://app.example 1; }\n" + SITE % (
        "    if ($good = 0) {\n        return 444;\n    }\n", "", PASS), "if ($good"),
    "auth_request": ("origin-rule", SITE % (
        "    location = /ask {\n        internal;\n"
        "        if ($http_origin !~ app) { return 403; }\n        return 204;\n    }\n",
        "auth_request /ask;", PASS), "if ($http"),
    "agent": ("agent-rule", SITE % (
        "", "if ($http_user_agent ~* robot) { return 403; }", PASS), "if ($http"),
}


def attempt(port, origin=ORIGIN, agent=AGENT):
    """101, another status, or 0 for an end without an answer."""
    with contextlib.suppress(ConnectionError):
        return knock(port, Origin=origin, **{"User-Agent": agent})
    return 0


@needs_nginx
@needs_patch
@pytest.mark.parametrize("case", REFUSED)
def test_exactly_the_one_that_asks_is_let_in(case, tmp_path, servers):
    rule, text, at = REFUSED[case]
    port = free_port()
    write(tmp_path, text, {}, port, servers().port)
    asked = ["nginx.conf", "--request", "ws://127.0.0.1:%d/ws" % port, "--origin", ORIGIN,
             "--user-agent", AGENT]
    with nginx(tmp_path, port):
        assert attempt(port) in (403, 0)
    told = findings(tmp_path, *asked)
    assert [f["rule"] for f in told] == [rule]
    assert at in (tmp_path / "nginx.conf").read_text().splitlines()[told[0]["line"] - 1]
    apply(tmp_path, *asked)
    with nginx(tmp_path, port):
        assert attempt(port) == 101
        assert attempt(port, OTHER, "robots") in (403, 0)


@needs_nginx
def test_the_doctor_names_the_line_that_auth_request_leads_to(tmp_path, servers):
    port = free_port()
    write(tmp_path, REFUSED["auth_request"][1], {}, port, servers().port)
    with nginx(tmp_path, port):
        done = subprocess.run([SESAME, "doctor", "--json", "--origin", OTHER, "--config",
                               str(tmp_path / "nginx.conf"), "ws://127.0.0.1:%d/ws" % port],
                              capture_output=True, text=True, timeout=60, check=False)
    verdict = json.loads(done.stdout)["verdict"]
    first = verdict["fix"][0]
    assert verdict["cause"] == "access.origin" and first["stack"] == "nginx"
    assert OTHER in first["snippet"] and "return 204;" in first["snippet"]
    line = int(first["where"].rpartition(":")[2])
    assert "if ($http_origin" in (tmp_path / "nginx.conf").read_text().splitlines()[line - 1]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *os.sys.argv[1:]]))
