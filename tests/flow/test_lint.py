# SPDX-License-Identifier: MIT
"""A broken nginx in front of a real WebSocket server: the knock is refused,
`sesame lint --fix` is applied, the knock opens."""
import asyncio
import contextlib
import json
import os
import pty
import re
import resource
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from ports import free_port
from rawsocket import accept_of
from terminals import on_terminal

try:
    import websockets
except ImportError:
    websockets = None

SESAME = os.environ["SESAME"]
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
needs_nginx = pytest.mark.skipif(not os.path.exists(NGINX) or not websockets,
                                 reason="nginx or websockets is not installed")
needs_patch = pytest.mark.skipif(not shutil.which("patch"), reason="patch is not installed")


def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(4096)
        if not more:
            break
        data += more
    return data.decode("latin-1")


def knock(port, path="/ws", **fields):
    """The status of one opening handshake, by hand; 0: no HTTP/1.1 came."""
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    sent = {"Host": "127.0.0.1:%d" % port, "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", **fields}
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        lines = ["GET %s HTTP/1.1" % path] + ["%s: %s" % f for f in sent.items()]
        s.sendall("\r\n".join(lines + ["", ""]).encode())
        head = read_head(s)
    status = int(head.split()[1]) if head.startswith("HTTP/1.1 ") else 0
    if status == 101:
        assert accept_of(key) in head
    return status


class Server(threading.Thread):
    """A real WebSocket server; when told so, it wants an Origin that agrees
    with Host and X-Forwarded-Proto, as frameworks do."""

    def __init__(self, check_origin=False):
        super().__init__(daemon=True)
        self.check_origin = check_origin
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.ended = None
        self.ready = threading.Event()
        self.start()
        assert self.ready.wait(10)

    async def check(self, path, fields):
        scheme = fields.get("X-Forwarded-Proto", "http")
        if self.check_origin and fields.get("Origin") != "%s://%s" % (scheme, fields["Host"]):
            return HTTPStatus.FORBIDDEN, [], b""
        return None

    async def serve(self):
        self.ended = asyncio.Event()
        async with websockets.serve(lambda ws, *_: ws.wait_closed(), sock=self.listener,
                                    process_request=self.check):
            self.ready.set()
            await self.ended.wait()

    def run(self):
        self.loop.run_until_complete(self.serve())
        self.loop.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.ended.set)
        self.join(10)


@pytest.fixture(name="servers")
def make_servers():
    made = []

    def make(**options):
        made.append(Server(**options))
        return made[-1]

    yield make
    for server in made:
        server.close()


HEAD = """\
daemon off;
pid nginx.pid;
error_log stderr;
events {}
"""


def quiet(http):
    """What any user may run: nothing is written outside of the folder."""
    paths = "".join("    %s_temp_path tmp;\n" % n for n in
                    ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return http.replace("http {\n", "http {\n    access_log off;\n" + paths, 1)


def nginx_command(folder, *more):
    return [NGINX, "-p", str(folder) + "/", "-c", "nginx.conf", "-e", "stderr", *more]


@contextlib.contextmanager
def nginx(folder, port):
    program = subprocess.Popen(nginx_command(folder), stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert program.poll() is None, program.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.02)
        yield
    finally:
        program.terminate()
        program.wait(10)
        program.stderr.close()


def is_valid(folder):
    return subprocess.run(nginx_command(folder, "-t"), capture_output=True).returncode == 0


def lint(folder, *words, **more):
    return subprocess.run([SESAME, "lint", *words], cwd=folder, capture_output=True, text=True,
                          timeout=120, **more)


def worked():
    """Seconds of work of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def findings(folder, *words):
    return json.loads(lint(folder, "--json", *words).stdout)[0]["findings"]


def apply(folder, *words, cwd=None, **more):
    """Lint's patch, applied by patch(1) without fuzz or offset."""
    done = subprocess.run([SESAME, "lint", "--fix", *words], cwd=folder, capture_output=True,
                          timeout=60, **more)
    assert done.returncode == 1, done
    patched = subprocess.run(["patch", "-p0", "--batch", "--fuzz=0"], cwd=cwd or folder,
                             input=done.stdout, capture_output=True)
    assert patched.returncode == 0, (patched.stdout, done.stdout)
    assert not re.search(b"offset|fuzz", patched.stdout), patched.stdout


def http(body):
    return HEAD + quiet("http {\n" + textwrap.indent(textwrap.dedent(body), "    ") + "}\n")


APP, UPGRADE, CONNECTION, VERSION = (
    "proxy_pass http://127.0.0.1:APP;", "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Connection upgrade;", "proxy_http_version 1.1;")
MAP = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }"


def site(*lines, around=(), more=(), listen="PORT;"):
    """A server whose location /ws has these lines; @around stands in http, @more
    in the server."""
    inside = ["listen 127.0.0.1:" + listen, "location /ws {", *["    " + x for x in lines], "}", *more]
    return "\n".join([*around, "server {", *["    " + x for x in inside], "}", ""])


# name: (rule, http block, further files). PORT and APP are filled in.
BROKEN = {
    "nothing-is-set": ("upgrade-not-forwarded", site(APP), {}),
    "all-on-one-line": ("upgrade-not-forwarded",
                        "server { listen 127.0.0.1:PORT; location /ws { %s } }" % APP, {}),
    "connection-is-missing": ("upgrade-not-forwarded", site(UPGRADE + " # and what else?", VERSION, APP), {}),
    "a-line-cancels-those-around": ("upgrade-not-forwarded", site(
        "proxy_set_header Host $http_host;", APP,
        around=[MAP, VERSION, UPGRADE, "proxy_set_header Connection $connection_upgrade;"]), {}),
    "inherited-lines-are-kept": ("upgrade-not-forwarded", site(
        APP, around=[VERSION, "proxy_set_header Host $http_host;",
                     'proxy_set_header X-Real-IP "$remote_addr";']), {}),
    "http-1.0": ("http-version", site(APP, "proxy_http_version 1.0;", UPGRADE, CONNECTION), {}),
    "version-is-missing": ("http-version", site(APP, UPGRADE, CONNECTION), {}),
    "no-dollar": ("misspelt-variable", site(
        APP, VERSION, "proxy_set_header Upgrade http_upgrade;", CONNECTION), {}),
    "no-such-field-in-a-map": ("misspelt-variable", site(
        APP, VERSION, UPGRADE, "proxy_set_header Connection $connection_upgrade;",
        around=["map $http_upgarde $connection_upgrade { default upgrade; '' close; }"]), {}),
    "typo-of-the-value": ("misspelt-variable", site(
        APP, VERSION, UPGRADE, 'proxy_set_header Connection "Upgrde";'), {}),
    "all-of-it-at-once": ("misspelt-variable", site(
        APP + " proxy_http_version 1.0; proxy_set_header Upgrade http_upgrade; proxy_read_timeout 5s;",
        "proxy_set_header Connection close; proxy_set_header Host x; proxy_set_header Sec-WebSocket-Key '';"), {}),
    "upgrade-from-the-other-map": ("misspelt-variable", site(
        APP, VERSION, "proxy_set_header Upgrade $connection_upgrade;",
        "proxy_set_header Connection $connection_upgrade;", around=[MAP]), {}),
    "connection-is-emptied": ("upgrade-not-forwarded", site(
        APP, VERSION, UPGRADE, "proxy_set_header", '    Connection "";'), {}),
    "an-expression-takes-it": ("shadowed", site(
        APP, VERSION, UPGRADE, CONNECTION, more=["location ~ ^/(api|ws) {", "    " + APP, "}"]), {}),
    "http2-without-tls": ("plain-http2", site(
        APP, VERSION, UPGRADE, CONNECTION, listen="PORT http2; # faster?"), {}),
    "key-is-removed": ("upgrade-removed", site(
        APP, VERSION, UPGRADE, CONNECTION, 'proxy_set_header Sec-WebSocket-Key "";'), {}),
    "in-included-files": ("upgrade-not-forwarded", "include conf.d/*.conf;\n", {
        "conf.d/site.conf": "server {\n\tlisten 127.0.0.1:PORT;\n\tlocation /ws {\n"
                            "\t\tinclude snippets/pass.conf;\n\t}\n}\n",
        "snippets/pass.conf": APP}),
}

# Those that nginx does not start with, or that only an Origin shows.
UNSTARTED = site(APP, VERSION, UPGRADE, "proxy_set_header Connection $connection_upgrade;")
HOSTS = {"host-is-the-upstream": ("host-replaced", ""),
         "host-without-its-port": ("host-without-port", "proxy_set_header Host $host;")}


def write(folder, text, files, port, app):
    def fill(what):
        return what.replace("PORT", str(port)).replace("APP", str(app))

    for name, content in {"nginx.conf": http(text), **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(fill(content))


@needs_nginx
@needs_patch
@pytest.mark.parametrize("case", BROKEN)
def test_the_patch_opens_the_door(case, tmp_path, servers):
    rule, text, files = BROKEN[case]
    port, app = free_port(), servers().port
    write(tmp_path, text, files, port, app)
    with nginx(tmp_path, port):
        assert knock(port) != 101
    assert rule in lint(tmp_path, "nginx.conf").stdout
    apply(tmp_path, "nginx.conf")
    assert is_valid(tmp_path)
    with nginx(tmp_path, port):
        assert knock(port) == 101
    again = findings(tmp_path, "nginx.conf")
    assert rule not in [f["rule"] for f in again]
    assert not [f for f in again if f["patched"]], "one patch mends all"


@needs_nginx
@needs_patch
def test_a_map_that_is_missing_is_added(tmp_path, servers):
    port = free_port()
    write(tmp_path, UNSTARTED, {}, port, servers().port)
    assert not is_valid(tmp_path)
    assert "misspelt-variable" in lint(tmp_path, "nginx.conf").stdout
    apply(tmp_path, "nginx.conf")
    assert is_valid(tmp_path)
    with nginx(tmp_path, port):
        assert knock(port) == 101


@needs_nginx
@needs_patch
@pytest.mark.parametrize("case", HOSTS)
def test_a_lost_host_is_given_back(case, tmp_path, servers):
    rule, line = HOSTS[case]
    port, app = free_port(), servers(check_origin=True).port
    origin = "http://127.0.0.1:%d" % port
    write(tmp_path, BROKEN["no-dollar"][1].replace(" http_up", " $http_up")
          .replace("proxy_http_version", line + "proxy_http_version"), {}, port, app)
    with nginx(tmp_path, port):
        assert knock(port, Origin=origin) == 403
    found = lint(tmp_path, "nginx.conf", "--request", "ws://127.0.0.1:%d/ws" % port,
                 "--origin", origin).stdout
    assert rule in found
    apply(tmp_path, "nginx.conf")
    with nginx(tmp_path, port):
        assert knock(port, Origin=origin) == 101


@needs_nginx
@needs_patch
def test_the_output_of_nginx_t_is_mended_in_its_files(tmp_path, servers):
    _, text, files = BROKEN["in-included-files"]
    port, app = free_port(), servers().port
    write(tmp_path, text, files, port, app)
    dump = subprocess.run(nginx_command(tmp_path, "-T"), capture_output=True, text=True).stdout
    found = lint("/", "-", input=dump)
    assert found.stdout.startswith("%s/snippets/pass.conf:1:1: " % tmp_path)
    apply("/", "-", input=dump.encode())
    assert is_valid(tmp_path)
    with nginx(tmp_path, port):
        assert knock(port) == 101


@needs_patch
def test_files_of_other_folders_are_patched_from_the_root(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "x.conf").write_text("location /ws {\n    proxy_pass http://a;\n}\n")
    done = lint(tmp_path / "here", "--fix", "../x.conf")
    assert "patch -d / -p0" in done.stderr and "--- %s/x.conf" % tmp_path in done.stdout
    apply(tmp_path / "here", "../x.conf", cwd="/")
    assert "Upgrade" in (tmp_path / "x.conf").read_text()


@needs_patch
@pytest.mark.parametrize("text", [
    "location /ws { proxy_pass http://a; }", "location /ws {\r\n\tproxy_pass http://a;\r\n}\r\n",
    "location /ws { proxy_pass\n  http://a\n  ; proxy_set_header\nConnection\nclose; } # c",
    "server { location /ws { proxy_pass http://a; proxy_http_version\n1.0; } }\n" * 4,
    "location /ws { # proxy_pass http://b;\nproxy_pass http://a;# and so on\n\n\n}"])
def test_a_patch_applies_to_any_layout_and_mends_all_of_it(tmp_path, text):
    (tmp_path / "x").write_text(text, newline="")
    apply(tmp_path, "--language", "nginx", "x")
    found = findings(tmp_path, "--language", "nginx", "x")
    assert not [f for f in found if f["patched"]]
    assert "upgrade-not-forwarded" not in [f["rule"] for f in found]


@needs_nginx
def test_a_rule_on_origins_is_told_to_whom_it_refuses_alone(tmp_path, servers):
    port, app = free_port(), servers().port
    good = BROKEN["no-dollar"][1].replace(" http_up", " $http_up")
    write(tmp_path, """
        map $http_origin $is_ours {
            default 0;
            ~^https://(www\\.)?app\\.example$ 1;
        }
        """ + good.replace("location /ws {", "location /ws {\n"
                           "        if ($is_ours = 0) { return 403; }"), {}, port, app)

    def rules(origin):
        return [f["rule"] for f in findings(tmp_path, "nginx.conf", "--request",
                                            "ws://127.0.0.1:%d/ws" % port, "--origin", origin)
                if f["sure"]]

    with nginx(tmp_path, port):
        for origin in ("https://app.example", "https://www.app.example", "https://evil.example",
                       "https://app.example.evil.example"):
            refused = knock(port, Origin=origin) == 403
            assert ("origin-rule" in rules(origin)) == refused, origin


@needs_nginx
def test_locations_are_chosen_as_nginx_chooses_them(tmp_path):
    port = free_port()
    write(tmp_path, """
        server {
            listen 127.0.0.1:PORT;
            location = /a { return 200 exact; }
            location /a { return 200 a; }
            location /a/b { return 200 ab; location ~ c$ { return 200 abc; } }
            location ^~ /s { return 200 strong; }
            location ~ \\.(js|css)$ { return 200 files; }
            location ~* ^/A/X { return 200 nocase; }
            location ~ ^/s { return 200 never; }
            location / { return 200 root; }
        }
        """, {}, port, 1)
    text = (tmp_path / "nginx.conf").read_text()
    paths = ["/", "/a", "/a/", "/ab", "/a/b", "/a/bc", "/a/b/c.js", "/s", "/s.js", "/x.js",
             "/a/x", "/A/x", "/A", "//a", "/%61/b"]
    with nginx(tmp_path, port):
        for path in paths:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                s.sendall(("GET %s HTTP/1.0\r\n\r\n" % path).encode())
                answer = s.makefile().read().rpartition("\n")[2]
            done = lint(tmp_path, "--json", "nginx.conf", "--request",
                        "ws://127.0.0.1:%d%s" % (port, path))
            line = int(json.loads(done.stdout)[0]["route"].split(":")[1].split()[0])
            assert "return 200 %s;" % answer in text.splitlines()[line - 1], path


# ---- input that means no good ----

def said(done):
    assert done.returncode == 2 and done.stdout == "", done
    return done.stderr


def test_an_include_that_includes_itself_is_an_error(tmp_path):
    (tmp_path / "nginx.conf").write_text("http {\n    include a.conf;\n}\n")
    (tmp_path / "a.conf").write_text("\ninclude b.conf;\n")
    (tmp_path / "b.conf").write_text("include a.conf;\n")
    assert "b.conf:1:1: a.conf includes itself" in said(lint(tmp_path, "nginx.conf"))


@pytest.mark.parametrize("text, told", [
    ("http {\n  server {\n", ":2:3: the block of server is never closed"),
    ("http {\n  a \"b;\n}\n", ":2:5: the quote \" is never closed"),
    ("http {\n}\n}\n", ":3:1: a \"}\" that closes nothing"),
    ("http {\n  listen 80\n}\n", ":3:1: \"}\" before the directive is ended"),
    ("server {\n  a\0;\n}\n", ":2:4: a NUL byte"),
    ("server {" * 1000, "blocks in blocks"),
    ("server {" + "a" * 5000, "a word of more than"),
    ("", "reads like none of nginx"),
])
def test_nonsense_is_told_with_its_place(tmp_path, text, told):
    (tmp_path / "x").write_text(text)
    assert told in said(lint(tmp_path, "x", *(["--language", "nginx"] if text else [])))


@pytest.mark.parametrize("make", [
    lambda n: "a;" * (n // 2), lambda n: "#" * n, lambda n: "location /ws { proxy_pass http://a; }\n" *
    (n // 37), lambda n: "server { listen 80; location /ws { proxy_pass http://a$b; } }\n" * (n // 63),
    lambda n: "server { listen 80; listen 443 ssl; server_name a b c; location ~ ^/(a+)+ws "
    "{ if ($http_origin ~ (a|b)*c) { return 403; } proxy_pass http://a; } }\n" * (n // 160),
    lambda n: "server {" + "location /ws { proxy_pass http://a; proxy_set_header A b; }" * (n // 56) + "}",
    lambda n: "'" + "a" * n, lambda n: "\\" * n, lambda n: "map $a $b { ~(a+)+$ 1; }\n" * (n // 26)])
def test_sixteen_mebibytes_take_a_bounded_time(tmp_path, make):
    """Sixteen times the bytes take no square of sixteen, however slow the machine is. Two
    mebibytes are about as much as most of these may have of directives."""
    took = []
    for mebibytes in (1 / 8, 2, 16):
        (tmp_path / "x").write_text(make(int(mebibytes * 1024 * 1024) - 100))
        begin = worked()
        done = lint(tmp_path, "x", "--language", "nginx")
        assert done.returncode in (0, 1, 2), done
        took.append(worked() - begin)
    assert took[1] < 48 * took[0] + 1 and took[2] < 24 * took[1] + 1, took


def test_nothing_of_a_file_reaches_the_terminal_raw(tmp_path):
    (tmp_path / "x").write_bytes(b"location /ws\x1b[31m\xff { proxy_pass http://a\x1b[0m; }\n")
    for words in ([], ["--json"], ["--request", "ws://a/ws"]):
        assert "\x1b" not in lint(tmp_path, "--language", "nginx", "x", *words).stdout


def test_a_terminal_gets_findings_wrapped_and_a_pipe_gets_them_in_a_line(tmp_path):
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    shown = re.search(r"^\$ sesame lint chat.conf\n(.*?)^```", readme, re.S | re.M).group(1)
    (tmp_path / "chat.conf").write_text(
        "server {\n listen 80;\n location /chat {\n  proxy_pass http://127.0.0.1:3000;\n"
        "  proxy_set_header Upgrade $http_upgrade; proxy_set_header Host $host; proxy_read_timeout 1h;\n }\n}\n")
    words = ["lint", "chat.conf"]
    plain, status = on_terminal(words, {"NO_COLOR": "1"}, cwd=tmp_path)
    coloured, _ = on_terminal(words, cwd=tmp_path)
    assert status == 1 and plain.decode().replace("\r\n", "\n") == shown
    assert re.sub(rb"\x1b\[\d+m", b"", coloured) == plain != coloured
    piped = lint(tmp_path, "chat.conf").stdout
    assert piped.splitlines()[0] == " ".join(shown.split("\n    ")[0].splitlines())


def test_a_patch_on_a_terminal_cannot_paint_it(tmp_path):
    (tmp_path / "x").write_bytes(b"location /ws {\n# \x1b[31m\nproxy_pass http://a; }\n")
    ours, theirs = pty.openpty()
    with open(theirs, "wb") as out:
        subprocess.run([SESAME, "lint", "--fix", "--language", "nginx", "x"], cwd=tmp_path,
                       stdout=out, stderr=subprocess.DEVNULL, timeout=20, check=False)
        shown = os.read(ours, 65536)
    os.close(ours)
    assert b"proxy_pass" in shown and b"\x1b" not in shown


@pytest.mark.parametrize("what", ["pipe", "/dev/zero", "-", "/*/*/*/*/*/*/*/*/*"])
def test_an_include_reads_plain_files_only(tmp_path, what):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "x").write_text("events {}\nhttp { server { location /ws {\n"
                                "proxy_pass http://a; }\ninclude %s;\n} }\n" % what)
    with subprocess.Popen([SESAME, "lint", "x"], cwd=tmp_path, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as run:
        try:
            out = run.stdout.read() if run.wait(timeout=20) == 1 else ""
        finally:
            run.kill()
    assert "cannot-read" in out and "upgrade-not-forwarded" in out


def test_the_file_that_is_named_may_be_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    text = "location /ws { proxy_pass http://a; }\n"
    threading.Thread(target=(tmp_path / "pipe").write_text, args=(text,)).start()
    run = subprocess.run([SESAME, "lint", "--language", "nginx", "pipe"], cwd=tmp_path,
                         capture_output=True, text=True, timeout=20, check=False)
    assert "pipe:1:" in run.stdout


def test_wrong_usage_is_told(tmp_path):
    for words in ([], ["--origin", "https://a", "x"], ["--language", "iis", "x"], ["no-such-file"],
                  ["--fix", "--json", "x"], ["--request", "wsss://a", "x"]):
        said(lint(tmp_path, *words))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, *sys.argv[1:]]))
