# SPDX-License-Identifier: MIT
"""Gateways whose Redis is reached by TLS (rediss://), with certificates made here:
that it is used, and that a server which nobody vouches for is told from one that is
away."""
import asyncio
import subprocess
from contextlib import contextmanager

import pytest
from backplanes import prepare, until
from gateways import ask, gateway, run
from held import Held
from hubs import config, envelopes, leave, post
from ports import free_port
from redis_server import HERE, redis_server

pytestmark = pytest.mark.skipif(not HERE, reason="needs redis-server")


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def new_key(folder, name, subject, *more):
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", name + ".key", "-subj", "/CN=" + subject, *more)


def make_authority(folder, name):
    new_key(folder, name, name, "-x509", "-days", "2", "-out", name + ".pem")


def make_certificate(folder, names="IP:127.0.0.1", days="2"):
    """Of Redis, vouched for by the authority "ca"."""
    new_key(folder, "redis", "redis", "-out", "redis.csr")
    (folder / "names").write_text("subjectAltName=" + names)
    openssl(folder, "x509", "-req", "-in", "redis.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-days", days, "-extfile", "names", "-out", "redis.pem")


class TlsRedis:
    """Reached by TLS at @url; tests ask it at a port of its own."""

    def __init__(self, folder, plain, port):
        self.folder, self.plain = folder, plain
        self.url = "rediss://127.0.0.1:%d/0" % port

    def show(self, *certificate):
        """Another one from now on."""
        make_certificate(self.folder, *certificate)
        assert self.plain.ask("CONFIG", "SET", "tls-cert-file", "redis.pem",
                              "tls-key-file", "redis.key") == b"+OK"


@contextmanager
def tls_redis(folder, *certificate):
    port = free_port()
    make_authority(folder, "ca")
    make_certificate(folder, *certificate)
    with redis_server(folder, "tls-port %d" % port, "tls-cert-file redis.pem",
                      "tls-key-file redis.key", "tls-ca-cert-file ca.pem",
                      "tls-auth-clients no") as plain:
        yield TlsRedis(folder, plain, port)


@contextmanager
def node(folder, name, redis, authority="ca"):
    own, text = prepare(folder, name, redis)
    if authority:
        text = "backplane_ca: ../%s.pem\n" % authority + text
    with gateway(own, text) as g:
        yield g


def log_of(g):
    return (g.folder / "err").read_text()


async def told_of(a, b):
    x, y = await envelopes(a), await envelopes(b)
    first = await x.ask(publish="one")
    assert (await y.next("message"))["id"] == first["id"]
    second = await y.ask(publish="two")
    assert (await x.next("message"))["id"] == second["id"]
    answer = await asyncio.to_thread(post, a, b"three")
    assert answer.status == 202
    for member in (x, y):
        assert (await member.next("message"))["data"] == "three"
    await leave(x, y)


def test_messages_cross_two_gateways_by_tls(tmp_path):
    with tls_redis(tmp_path) as redis, node(tmp_path, "a", redis) as a, \
            node(tmp_path, "b", redis) as b:
        for g in (a, b):
            until(lambda: "the backplane %s is there" % redis.url in log_of(g))
            g.held = Held(g.process.pid)  # with its connections to Redis
        asyncio.run(told_of(a, b))
        # and so does the question of another process, why somebody was refused
        refused = ask(a.port, "/chat/lobby", "Origin: https://evil.example")
        until(lambda: b.why(refused.reference).returncode == 0)
        assert b.story(refused.reference)["node"] == "a"


async def ask_to_publish(g):
    x = await envelopes(g, since="later")  # it is welcomed when Redis is there
    answer = await x.ask(publish="x")
    await leave(x)
    return answer


UNTRUSTED = "nobody trusted vouches for its certificate: "
DISTRUSTED = [
    ("other", "IP:127.0.0.1", "2", UNTRUSTED, "Name the authority that signed it in `backplane_ca`"),
    (None, "IP:127.0.0.1", "2", UNTRUSTED, "Name the authority that signed it in `backplane_ca`"),
    ("ca", "DNS:redis.example", "2", "its certificate is for another name: ",
     "Name it in `backplane` as its certificate does"),
    ("ca", "IP:127.0.0.1", "-1", "certificate has expired", "Let it show one that is valid today"),
]


@pytest.mark.parametrize("authority,names,days,trouble,remedy", DISTRUSTED,
                         ids=["another authority", "no authority", "another name", "expired"])
def test_who_answers_with_a_certificate_of_no_worth_is_told_and_given_nothing(
        tmp_path, authority, names, days, trouble, remedy):
    make_authority(tmp_path, "other")
    with tls_redis(tmp_path, names, days) as redis, node(tmp_path, "a", redis, authority) as g:
        until(lambda: "the backplane %s is away: %s" % (redis.url, trouble) in log_of(g))
        error = asyncio.run(ask_to_publish(g))
        assert (error["type"], error["code"], error["cause"]) == (
            "error", "unavailable", "server.backend-down")
        refused = post(g)
        assert refused.status == 503
        for reference in (error["reference"], refused.reference):
            story = g.story(reference)
            assert (story["cause"], story["check"]) == ("server.backend-down", "backplane")
            assert story["rule"] == redis.url and trouble in story["compared"]
            told = " ".join(g.why(reference).stdout.split())
            assert remedy in told and "redis-cli -u %s --cacert" % redis.url in told
        assert b"cmdstat_script" not in redis.plain.ask("INFO", "commandstats")


def test_a_server_that_shows_the_right_certificate_is_there_at_once(tmp_path):
    with tls_redis(tmp_path, "DNS:redis.example") as redis, node(tmp_path, "a", redis) as g:
        until(lambda: "for another name" in log_of(g))
        assert post(g).status == 503
        redis.show("DNS:redis.example,IP:127.0.0.1")
        until(lambda: post(g).status == 202)
        g.held = Held(g.process.pid)


@pytest.mark.parametrize("text,words", [("", "the file is empty"), ("no PEM\n", "it is not PEM")])
def test_authorities_that_cannot_be_read_are_told_before_it_starts(tmp_path, text, words):
    (tmp_path / "ca.pem").write_text(text)
    (tmp_path / "sesame.yaml").write_text(
        "backplane: rediss://127.0.0.1:1\nbackplane_ca: ca.pem\njournal: {file: none}\n"
        + config())
    told = run("serve", "-c", "sesame.yaml", cwd=tmp_path)
    assert told.returncode == 3
    assert "cannot use the CA certificates ca.pem: " + words in told.stderr
