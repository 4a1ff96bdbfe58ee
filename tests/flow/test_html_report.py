# SPDX-License-Identifier: MIT
"""The page that `sesame doctor --html` writes: what is in it, where it is put,
and how it looks in a browser, also when the server wants it to look otherwise."""
import html.parser
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

from doctor_peers import Peer, accept, answer, close_frame, field, says

SESAME = os.environ.get("SESAME", "build/sesame")
ROOT = pathlib.Path(__file__).resolve().parents[2]
BROWSER = ROOT / "tests/browser"
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}

EVIL = (b"</pre></style><script>hacked=1;alert(1)</script>"
        b"<img src=http://127.0.0.1:9/x onerror=hacked=1>"
        b"\"'><svg onload=hacked=1> &amp; \xff\xfe\x80 \x1b[2J \xc2\x9b31m "
        b"\xe2\x80\xaeevil\xe2\x81\xa6 " + b"w" * 5000)


def run(*args):
    return subprocess.run([SESAME, "doctor", *map(str, args)], env=CLEAN,
                          capture_output=True, timeout=60)


def only_for(origin, refusal):
    def play(conn, request):
        if field(request, b"Origin") == origin(conn):
            conn.sendall(accept(request))
            conn.recv(64)
        else:
            conn.sendall(refusal)
    return play


def own_origin(conn):
    return b"http://127.0.0.1:%d" % conn.getsockname()[1]


VERDICTS = {
    "a refused origin": only_for(own_origin, answer(
        b"403 Forbidden", b"Origin not allowed", [b"Server: nginx/1.22.1",
                                                  b"Via: 1.1 varnish"])),
    "an open door": only_for(lambda _: None, answer(b"403 Forbidden")),
    "no upgrade": says(answer(b"426 Upgrade Required", b"", [b"Server: nginx"])),
    "closed at once": says(accept, close_frame(1008, b"who are you"),
                           linger=0.2),
    "asked to stop": says(answer(b"429 Too Many Requests")),
}

# The same hostile text in every place that a server can write to.
HOSTILE = {
    "the body": says(answer(b"403 Forbidden", EVIL)),
    "the head": says(b"HTTP/1.1 403 " + EVIL + b"\r\nServer: " + EVIL +
                     b"\r\n" + EVIL.replace(b" ", b"") + b": " + EVIL +
                     b"\r\nLocation: javascript:" + EVIL +
                     b"\r\nContent-Length: 0\r\n\r\n"),
    "a redirect": says(b"HTTP/1.1 302 " + EVIL + b"\r\nLocation: /" + EVIL +
                       b"\r\nContent-Length: 0\r\n\r\n"),
    "no HTTP": says(EVIL),
    "the close": says(accept, close_frame(
        4001, b"<script>hacked=1</script>\xe2\x80\xae\xc2\x9b<img onerror=1>"),
        linger=0.2),
    "a message": says(accept, b"\x81\x30" + b"<script>hacked=1</script>" +
                      b"<svg onload=hacked=1>!!", close_frame(1008),
                      linger=0.2),
}


def page_of(play, path, *args):
    with Peer(play) as peer:
        done = run("--html", path, "-q", *args, peer.url())
    assert done.stderr == b""
    return path.read_bytes()


class Tags(html.parser.HTMLParser):
    """Balanced, and of what kinds."""

    VOID = {"meta", "br", "rect"}

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.attributes = [], set(), set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", [*VERDICTS, *HOSTILE])
def test_the_page_holds_no_markup_but_its_own(name, tmp_path):
    page = page_of({**VERDICTS, **HOSTILE}[name], tmp_path / "r.html")
    text = page.decode("utf-8")  # whatever was sent, this is UTF-8
    tags = Tags(text)
    assert not tags.seen & {"script", "img", "iframe", "object", "form",
                            "link", "base", "a"}
    assert not [a for a in tags.attributes if a.startswith("on")]
    assert not tags.attributes & {"src", "href", "style"}
    assert "http-equiv" in tags.attributes and "default-src 'none'" in text
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
                     text) is None
    assert "<title>" in text and "</html>" in text


def test_the_page_tells_all_of_it(tmp_path):
    page = page_of(VERDICTS["a refused origin"], tmp_path / "r.html",
                   "--origin", "https://evil.example").decode()
    for words in ["access.origin", "What opens it", "Evidence", "Proof",
                  "403 Forbidden", "confirmed", "On the way", "nginx/1.22.1",
                  "Server: nginx/1.22.1", "Sec-WebSocket-Key",
                  "Origin not allowed", "sesame doctor --html r.html",
                  "--origin https://evil.example", " UTC, "]:
        assert words in page, words


def test_the_command_is_repeated_without_its_secrets(tmp_path):
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        run("--html", tmp_path / "r.html", "-q", "-H",
            "Authorization: Bearer s3cr3t-one", "-bsid=s3cr3t-two; b=theirs",
            "-u", "ann:s3cr3t-three", "--header=X-Colour: it's blue",
            "-H", "X-Api-Key: s3cr3t-four", "--max-probes", "2",
            peer.url("/chat?token=s3cr3t-five"))
    page = (tmp_path / "r.html").read_text()
    assert "s3cr3t" not in page
    command = re.search(r"<code>(sesame doctor .*?)</code>", page).group(1)
    for part in ["--header &#39;Authorization: Bearer ***&#39;",
                 "--cookie &#39;sid=***; b=***&#39;",
                 "--user &#39;***:***&#39;",
                 "--header &#39;X-Colour: it&#39;\\&#39;&#39;s blue&#39;",
                 "--header &#39;X-Api-Key: ***&#39;", "--max-probes 2",
                 "/chat?token=***"]:
        assert part in command, command


# ---- where it is put ----

def test_the_page_replaces_a_file_as_a_whole(tmp_path):
    path, link = tmp_path / "r.html", tmp_path / "link.html"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    page_of(VERDICTS["no upgrade"], link)
    assert link.is_symlink()
    assert path.read_text().startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.html", "r.html"]


def test_a_path_that_cannot_be_written_is_told_before_anything_is_asked(tmp_path):
    (tmp_path / "folder").mkdir()
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        for path in [tmp_path / "no/where.html", tmp_path / "folder", "-", "",
                     tmp_path / ("x" * 300), tmp_path / "\x1b[2J/x"]:
            done = run("--html", path, peer.url())
            assert done.returncode == 2
            assert done.stdout == b""
            assert done.stderr.startswith(b"sesame doctor: --html: ")
            assert b"\x1b" not in done.stderr
        assert peer.seen == []
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_the_page_goes_into_a_pipe_as_well(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with Peer(VERDICTS["no upgrade"]) as peer, subprocess.Popen(
            ["cat", pipe], stdout=subprocess.PIPE) as cat:
        run("--html", pipe, "-q", peer.url())
        assert cat.stdout.read().endswith(b"</html>\n")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_pipe_that_nobody_reads_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with Peer(VERDICTS["no upgrade"]) as peer:
        done = run("--html", tmp_path / "pipe", peer.url())
    assert done.returncode == 3
    assert b"nobody reads" in done.stderr
    assert done.stdout  # the report itself comes all the same


def test_the_page_comes_with_every_form_of_the_report(tmp_path):
    for form in ("--json", "--verbose", "--quiet"):
        with Peer(VERDICTS["no upgrade"]) as peer:
            done = run("--html", tmp_path / "r.html", form, peer.url())
        assert done.stdout and done.stderr == b""
        (tmp_path / "r.html").unlink()
    done = run("--html", tmp_path / "r.html", "wss:/example.org/chat")
    assert b"url.syntax" in (tmp_path / "r.html").read_bytes()


# ---- in a browser ----

def chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


def why_not():
    if not shutil.which("node"):
        return "node is not installed"
    if not chromium():
        return "chromium is not installed"
    if not (BROWSER / "node_modules/playwright-core").is_dir():
        return "playwright-core is not installed below tests/browser"
    return None


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_pages_are_readable_in_a_browser_and_run_nothing(tmp_path):
    pages = []
    for name, play in {**VERDICTS, **HOSTILE}.items():
        args = () if name == "an open door" else (
            "--origin", "https://evil.example")
        pages.append(tmp_path / (name.replace(" ", "-") + ".html"))
        page_of(play, pages[-1], "--max-probes", "5", *args)
    done = subprocess.run(["node", "look.mjs", *pages], cwd=BROWSER, timeout=200,
                          env={**CLEAN, "CHROMIUM": chromium(),
                               "HOME": str(tmp_path)},
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
