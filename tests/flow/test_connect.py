# SPDX-License-Identifier: MIT
"""sesame connect: in pipes, on a terminal, and when the door stays shut."""
import os
import pty
import signal
import socket
import subprocess
import threading
import time

import pytest
from ports import free_port
from rawsocket import PROGRAM, accept_of, example, serving


def connect(*args, text="", **options):
    return subprocess.run([PROGRAM, "connect", *args], input=text, capture_output=True,
                          text=True, timeout=30, **options)


@pytest.fixture(scope="module")
def echo():
    with serving(example("echo_server"), "--deflate") as url:
        yield url


@pytest.fixture
def answering():
    """A server for one client that says just this; gives its URL. What it was
    asked is in answering.heads."""
    threads, heads = [], []

    def answer(data, linger=0.0):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)

        def serve():
            peer, _ = listener.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(65536)
            heads.append(head.decode())
            key = next((line.split(b": ")[1].decode() for line in head.split(b"\r\n")
                        if line.lower().startswith(b"sec-websocket-key")), "")
            peer.sendall(data.replace(b"{accept}", accept_of(key).encode()))
            time.sleep(linger)
            peer.shutdown(socket.SHUT_WR)
            peer.settimeout(5)
            try:
                while peer.recv(65536):
                    pass
            except OSError:
                pass
            peer.close()
            listener.close()

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return "ws://127.0.0.1:%d" % listener.getsockname()[1]

    answer.heads = heads
    yield answer
    for thread in threads:
        thread.join()


OPEN = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: {accept}\r\n\r\n")


def test_one_message_and_its_answer(echo):
    got = connect("-m", "hello", echo)
    assert (got.returncode, got.stdout) == (0, "hello\n")
    assert f"connected to {echo}" in got.stderr
    assert "closed: 1000" in got.stderr


def test_lines_go_in_and_come_out(echo):
    lines = "".join(f"line {i}\n" for i in range(50000))
    got = connect("--wait", "0.3", echo, text=lines + "no line end")
    assert got.returncode == 0
    assert got.stdout == lines + "no line end\n"


def test_a_plain_file_is_input_like_any_other(echo, tmp_path):
    lines = "".join(f"{i} {'x' * 100}\n" for i in range(20000))
    (tmp_path / "lines").write_text(lines)
    with open(tmp_path / "lines") as file:
        got = subprocess.run([PROGRAM, "connect", "--wait", "0.3", echo], stdin=file,
                             capture_output=True, text=True, timeout=30)
    assert (got.returncode, got.stdout) == (0, lines)


def test_it_ends_after_as_many_messages_as_were_wanted(echo):
    got = connect("-n", "2", echo, text="a\nb\nc\nd\n")
    assert (got.returncode, got.stdout) == (0, "a\nb\n")
    got = connect("--one", echo, text="a\nb\n")
    assert (got.returncode, got.stdout) == (0, "a\n")


def test_it_says_when_what_was_wanted_does_not_come(answering):
    got = connect("-m", "x", "--wait", "0.2", answering(OPEN + b"\x89\x00", linger=1))
    assert got.returncode == 1
    assert "no answer came within 0.2 s" in got.stderr
    got = connect("-n", "1", "--max-time", "1", answering(OPEN, linger=2))
    assert got.returncode == 1
    assert "not all that was wanted came within 1 s" in got.stderr


def test_binary_is_sent_and_printed_as_it_is(echo):
    got = subprocess.run([PROGRAM, "connect", "--binary", "-n", "1", echo],
                         input=b"\xff\xfe\n", capture_output=True, timeout=30)
    assert (got.returncode, got.stdout) == (0, b"\xff\xfe")
    got = subprocess.run([PROGRAM, "connect", "-n", "1", echo], input=b"\xff\xfe\nok\n",
                         capture_output=True, timeout=30)
    assert got.stdout == b"ok\n"
    assert got.returncode == 1
    assert b"not UTF-8" in got.stderr


def test_the_handshake_is_shown_both_ways(echo):
    got = connect("-v", "-m", "x", "-H", "X-Test: one", "-A", "curl/8", "-u", "a:b",
                  "--origin", echo.replace("ws:", "http:"), echo)
    assert got.returncode == 0
    for line in ["> GET / HTTP/1.1", "> X-Test: one", "> User-Agent: curl/8",
                 "> Authorization: Basic ***", "> Origin: http://127.0.0.1",
                 "< HTTP/1.1 101 ", "< Upgrade: websocket"]:
        assert line in got.stderr


def test_a_refusal_is_shown_with_a_hint(echo):
    got = connect("-m", "x", "--origin", "https://evil.example", echo + "/?a=b")
    assert (got.returncode, got.stdout) == (1, "")
    assert "refused with 403 Forbidden" in got.stderr
    assert "< HTTP/1.1 403 Forbidden\n" in got.stderr
    assert "not this server's own" in got.stderr
    assert f"sesame doctor --origin https://evil.example '{echo}/?a=b' tells why." in got.stderr
    got = connect("-m", "x", "--origin", "a b", echo)
    assert f"sesame doctor --origin 'a b' {echo} tells why." in got.stderr


@pytest.mark.parametrize("name", ["Sesame-Reference", "sesame-reference"])
def test_the_reference_of_a_refusal_without_a_body_is_shown(answering, name):
    url = answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-Other: no\r\n"
                    b"%s: 7K2M-Q4XD\r\n\r\n" % name.encode())
    told = connect("-m", "x", url).stderr
    assert "< HTTP/1.1 404 Not Found\n< %s: 7K2M-Q4XD\n" % name in told and "X-Other" not in told


COMMANDS = [["connect", "-m", "x"], ["bench", "-c", "1", "-t", "0.1", "--warm-up", "0"]]


def ask_by(command, *words):
    return subprocess.run([PROGRAM, *command, *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=30)


@pytest.mark.parametrize("command", COMMANDS)
def test_cookies_are_sent_in_one_field_however_they_are_given(answering, command):
    ask_by(command, "-b", "a=1", "-H", "cookie: b=2", "--cookie=c=3", "-H", "X-Other: d", answering(OPEN))
    assert "\r\nCookie: a=1; b=2; c=3\r\n" in answering.heads[0]
    assert answering.heads[0].lower().count("cookie:") == 1 and "X-Other: d" in answering.heads[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_cookie_is_no_secret_that_is_told(answering, command):
    got = ask_by(command, "-b", "session=s3cret", answering(b"HTTP/1.1 403 session=s3cret\r\n\r\n"))
    assert got.returncode and "403" in got.stderr and "s3cret" not in got.stdout + got.stderr
    assert "--cookie 'session=***'" in got.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option, form", [
    ("--resolve", "far.example:{port}:127.0.0.1"), ("--resolve", "*:{port}:127.0.0.1"),
    ("--connect-to", "far.example:{port}:127.0.0.1:"), ("--connect-to", "::127.0.0.1:{port}"),
    ("--connect-to", "far.example:80:127.0.0.1:{port}")])
def test_it_goes_where_it_is_sent_and_asks_for_what_the_url_names(answering, command, option, form):
    port = answering(OPEN).rpartition(":")[2]
    host = "far.example" if ":80:" in form else "far.example:" + port
    got = ask_by(command, option, "other.example:1:127.0.0.2" + ":1" * (option == "--connect-to"),
                 option, form.format(port=port), "ws://%s/chat" % host)
    assert len(answering.heads) == 1, got.stderr
    assert answering.heads[0].startswith("GET /chat ") and "\r\nHost: %s\r\n" % host in answering.heads[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_that_is_none_is_told(command):
    for option, wants in (("--resolve", "HOST:PORT:ADDRESS"), ("--connect-to", "H1:P1:H2:P2")):
        got = ask_by(command, option, "far.example", "ws://far.example/")
        assert got.returncode == 2 and "%s wants %s, such as example.org:443" % (option, wants) in got.stderr
        got = ask_by(command, *[option, "a:1:127.0.0.1" + ":1" * (option == "--connect-to")] * 17, "ws://b.example/")
        assert got.returncode == 2 and option + " is given too often" in got.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("proxy, said", [
    ("ftp://x", "this kind of proxy is not spoken; http://, https:// and socks5:// are"),
    ("http://", "the proxy has no valid host; it is written http://HOST:PORT"),
    ("http://127.0.0.1:99999", "the proxy's port is not valid")])
def test_a_proxy_that_is_none_is_told_with_who_named_it(echo, command, proxy, said):
    for words, name, env in ((["--proxy", proxy], "--proxy", {}), ([], "all_proxy", {"all_proxy": proxy})):
        got = subprocess.run([PROGRAM, *command, *words, echo], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=30, env={**os.environ, **env})
        assert got.returncode == 2
        assert "sesame %s: %s: %s" % (command[0], name, said) in got.stderr
        assert "--no-proxy goes without" in got.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_proxy_is_none(echo, command):
    got = subprocess.run([PROGRAM, *command, "--proxy", "", echo], stdin=subprocess.DEVNULL, timeout=30,
                         capture_output=True, text=True, env={**os.environ, "all_proxy": "http://127.0.0.1:1"})
    assert got.returncode == 0, got.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_alone_is_told(command):
    got = ask_by(command, "--key", "key.pem", "wss://127.0.0.1:1")
    assert got.returncode == 2 and "--key without --cert: a key alone shows nothing" in got.stderr


def test_the_hint_at_the_doctor_tells_no_secret(echo):
    url = echo.replace("ws://", "ws://ann:s3cret@") + "/?access_token=s3cret&a=b"
    got = connect("-m", "x", "--origin", "https://evil.example", url)
    assert got.returncode == 1 and " 'ws://" in got.stderr
    assert "a=b' tells why." in got.stderr and "s3cret" not in got.stderr


def test_the_hint_asks_what_was_asked(echo):
    got = connect("-m", "x", "--origin", "https://evil.example", "--subprotocol", "a, b", "-4",
                  "-k", "--source", "127.0.0.1", "--cacert", "/etc/none.pem", "-u", "ann:s3cret",
                  "-H", "X-Token: s3cret", "-H", "X-Room: 1", "-A", "curl/8", "--no-deflate",
                  "--resolve", "far.example:443:127.0.0.1", echo)
    assert (" doctor --origin https://evil.example --subprotocol 'a, b' --ipv4 --insecure --source "
            "127.0.0.1 --cacert /etc/none.pem --user '***:***' --header 'X-Token: ***' "
            f"--header 'X-Room: 1' --user-agent curl/8 "
            f"--resolve far.example:443:127.0.0.1 {echo} tells why.") in got.stderr
    assert "(*** is what you gave.)" in got.stderr and "s3cret" not in got.stderr


def test_the_hint_can_be_run_on_the_users_own_terminal(echo):
    parent, child = pty.openpty()
    with subprocess.Popen([PROGRAM, "connect", "-m", "x", "-u", "ann:s3cret", "--origin",
                           "https://evil.example", echo], stdin=subprocess.DEVNULL,
                          stderr=child, env=dict(os.environ, NO_COLOR="1")) as program:
        program.wait(30)
        os.close(child)
        said = os.read(parent, 65536).decode().replace("\r\n", "\n")
    os.close(parent)
    assert (f"sesame doctor --user ann:s3cret --origin https://evil.example {echo} tells why.\n"
            in said)


def test_a_proxy_on_the_way_is_named_and_who_named_it():
    url = "ws://127.0.0.1:%d" % free_port()
    proxy = "http://ann:s3cret@127.0.0.1:%d" % free_port()
    shown = proxy.replace("s3cret", "***")
    got = connect("-m", "x", "-x", proxy, url)
    assert f"through the proxy {shown}, which --proxy names." in got.stderr, got.stderr
    assert f"sesame doctor --proxy '{shown}' {url} tells why." in got.stderr
    got = connect("-m", "x", url, env=dict(os.environ, http_proxy=proxy, no_proxy=""))
    assert f"the proxy {shown}, which http_proxy names; --no-proxy goes directly" in got.stderr
    assert "s3cret" not in got.stderr
    got = connect("-m", "x", url)
    assert "proxy" not in got.stderr


def test_what_is_no_subprotocol_is_not_offered():
    for words in "a b", "a,b/c", "":
        got = connect("--subprotocol", words, "ws://127.0.0.1:9")
        assert got.returncode == 2 and "subprotocol" in got.stderr


def test_a_subprotocol_is_asked_for_and_told(answering):
    got = connect("--subprotocol", "a,chat", "-n", "1", answering(
        OPEN[:-2] + b"Sec-WebSocket-Protocol: chat\r\n\r\n\x81\x02hi"))
    assert (got.returncode, got.stdout) == (1, "hi\n")  # it was cut, not closed
    assert "subprotocol chat" in got.stderr


def test_the_servers_farewell_is_told(answering):
    got = connect(answering(OPEN + b"\x88\x0a\x0f\xa1be\x1b[31md"), text="")
    assert got.returncode == 0
    assert "closed by the server: 4001: be\\x1b[31md" in got.stderr
    got = connect(answering(OPEN + b"\x88\x02\x03\xe9"), text="")
    assert "closed by the server: 1001 going away" in got.stderr
    got = connect(answering(OPEN), text="")
    assert got.returncode == 1
    assert "without a close frame" in got.stderr


def test_input_that_waits_when_the_server_leaves_is_left(answering):
    for _ in range(20):
        got = connect(answering(OPEN + b"\x88\x00"), text="hello\n" * 1000)
        assert got.returncode in (0, 1), (got.returncode, got.stderr)


def test_what_does_not_begin_is_told_in_a_sentence(echo):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        got = connect(f"ws://127.0.0.1:{port}", text="")
    assert got.returncode == 1
    assert f"connection refused by 127.0.0.1:{port} (nothing listens there)" in got.stderr
    got = connect("wws://example.org", text="")
    assert got.returncode == 2
    assert "Did you mean wss://example.org" in got.stderr
    assert "\x1b" not in got.stderr


@pytest.mark.parametrize("args", [[], ["--mesage", "x", "ws://a"], ["ws://a", "ws://b"],
                                  ["-n", "0", "ws://a"], ["-n"], ["--wait", "x", "ws://a"],
                                  ["-H", "nothing", "ws://a"], ["-H", "A: b\r\nC: d", "ws://a"]])
def test_wrong_usage_is_told_with_status_2(args):
    got = connect(*args)
    assert (got.returncode, got.stdout) == (2, "")
    assert got.stderr


def test_help_is_asked_for_and_given():
    got = connect("--help")
    assert (got.returncode, got.stderr) == (0, "")
    assert "sesame connect -m hello" in got.stdout


def test_ctrl_c_closes_and_says_so(echo):
    program = subprocess.Popen([PROGRAM, "connect", echo], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "connected" in program.stderr.readline()
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=10)
    assert program.returncode == 130
    assert "closed: 1000" in errors


def test_a_reader_that_goes_away_ends_it(echo):
    lines = "".join(f"{i}\n" for i in range(100000))
    got = subprocess.run(["sh", "-c", f"'{PROGRAM}' connect --wait 5 {echo} | head -n 1"],
                         input=lines, capture_output=True, text=True, timeout=20)
    assert got.stdout == "0\n"


def test_no_control_byte_reaches_a_terminal(answering):
    url = answering(OPEN + b"\x81\x0d\x1b[31mr\xc3\xa4d\n\x07x\t")
    ours, theirs = pty.openpty()
    program = subprocess.Popen([PROGRAM, "connect", "-n", "1", url], stdin=theirs, stdout=theirs,
                               stderr=subprocess.DEVNULL, env=os.environ | {"NO_COLOR": "1"})
    program.wait(timeout=10)
    shown = os.read(ours, 4096)
    os.close(ours)
    os.close(theirs)
    assert shown.replace(b"\r\n", b"\n") == "\\x1b[31mräd\n\\x07x\t\n".encode()


def test_pings_are_timed(echo):
    got = connect("--ping", "0.05", "--wait", "0.3", echo, text="x\n")
    assert got.stderr.count("pong after ") >= 3
    assert got.stdout == "x\n"
