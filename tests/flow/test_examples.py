# SPDX-License-Identifier: MIT
"""The examples do what they say, and can be stopped."""
import subprocess

import pytest
from rawsocket import Peer, example, serving


def run(*command, text=""):
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("server", ["echo_server", "own_loop"])
def test_a_server_echoes_each_kind_and_length(server):
    with serving(example(server)) as url, Peer(url) as peer:
        for message in ["", "hi", "ä" * 100, b"\x00\xff", b"x" * 125, b"x" * 126,
                        b"x" * 65535, b"x" * 65536, "end"]:
            peer.send(message)
            assert peer.recv() == message
        peer.frame(0x89, b"still there?")
        assert peer.read_frame() == (0x8a, b"still there?")
        assert peer.close(4000) == 4000


@pytest.mark.parametrize("server", ["echo_server", "own_loop"])
def test_a_server_joins_fragments_with_a_ping_between_them(server):
    with serving(example(server)) as url, Peer(url) as peer:
        peer.frame(0x01, "frä".encode()[:-1])
        peer.frame(0x89, b"!")
        peer.frame(0x00, "frä".encode()[-1:])
        peer.frame(0x80, b"gment")
        assert peer.read_frame() == (0x8a, b"!")
        assert peer.recv() == "frägment"


@pytest.mark.parametrize("server", ["echo_server", "own_loop"])
def test_a_broken_rule_is_answered_with_1002_and_the_end(server):
    with serving(example(server)) as url, Peer(url) as peer:
        peer.frame(0xf1, b"reserved bits")
        first, payload = peer.read_frame()
        assert (first, payload[:2]) == (0x88, b"\x03\xea")
        assert peer.rest() == b""


@pytest.mark.parametrize("server", ["echo_server", "own_loop"])
@pytest.mark.parametrize("deflate", [[], ["--deflate"]])
def test_client_and_servers_understand_each_other(server, deflate):
    with serving(example(server), *(deflate if server == "echo_server" else [])) as url:
        got = run(example("echo_client"), *deflate, url, "hello", "world")
        assert (got.returncode, got.stdout, got.stderr) == (0, "hello\nworld\n", "")
        lines = "".join(f"line {i}\n" for i in range(1000)) + "\nlast"
        got = run(example("echo_client"), *deflate, url, text=lines)
        assert (got.returncode, got.stdout) == (0, lines + "\n")


def test_a_server_takes_the_messages_that_it_was_told_to_take():
    with serving(example("echo_server"), "--max-message", "1000") as url:
        with Peer(url) as peer:
            peer.send(b"x" * 1000)
            assert peer.recv() == b"x" * 1000
            peer.send(b"x" * 1001)
            first, payload = peer.read_frame()
            assert (first, payload[:2]) == (0x88, b"\x03\xf1")


def test_who_chats_hears_the_others_and_not_himself():
    with serving(example("chat")) as url:
        with Peer(url + "/?nick=ann") as ann, Peer(url + "/?nick=bob") as bob:
            assert ann.recv() == "bob came in"
            ann.send("hello ☕")
            assert bob.recv() == "ann: hello ☕"
            bob.send("hi")
            assert ann.recv() == "bob: hi"
            bob.close()
            assert ann.recv() == "bob left"
        with Peer(url) as nobody:
            assert nobody.status == 400
            assert b"Say who you are" in nobody.rest()


def test_programs_say_what_is_wrong():
    with serving(example("echo_server")) as url:
        port = url.rsplit(":", 1)[1]
        got = run(example("echo_server"), "--port", port)
        assert got.returncode == 1
        assert "another program listens there" in got.stderr
        got = run(example("echo_client"), url.replace("ws:", "wss:"), "x")
        assert got.returncode == 1
        assert "does not speak TLS" in got.stderr
    got = run(example("echo_client"), url, "x")
    assert got.returncode == 1
    assert "nothing listens there" in got.stderr
    assert run(example("echo_server"), "--prot", "1").returncode == 2
    assert run(example("echo_client")).returncode == 2


def test_a_server_that_is_stopped_says_goodbye():
    with serving(example("echo_server"), stays=True) as url:
        peer = Peer(url)
    assert peer.read_frame() == (0x88, b"\x03\xe9")
    peer.socket.close()
