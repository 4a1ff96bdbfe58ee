# SPDX-License-Identifier: MIT
"""TLS at the gateway's door: names, versions, resumption, and certificates that
change while it runs. The client is the system's OpenSSL, by Python."""
import socket
import ssl
import subprocess
import time

import pytest

from gateways import UPGRADE, gateway, reload, run

CONFIG = """\
listen:
  - address: "127.0.0.1:0"
    tls:
      certificate: a.pem
      certificates: [{certificate: b.pem}, {certificate: wild.pem}]
%s
routes: [{path: /echo, to: echo}]
journal: {file: journal.db}
"""


def make_certificate(folder, file, names):
    r = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=" + file, "-addext",
         "subjectAltName=" + ",".join("DNS:" + n for n in names),
         "-keyout", "key", "-out", "cert"], cwd=folder, capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    (folder / file).write_text((folder / "cert").read_text() + (folder / "key").read_text())


@pytest.fixture
def folder(tmp_path):
    make_certificate(tmp_path, "a.pem", ["a.example"])
    make_certificate(tmp_path, "b.pem", ["b.example", "bb.example"])
    make_certificate(tmp_path, "wild.pem", ["*.wild.example"])
    return tmp_path


def client(**versions):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def meet(port, name, context, session=None):
    raw = socket.create_connection(("127.0.0.1", port), 5)
    return context.wrap_socket(raw, server_hostname=name, session=session)


def certificate(folder, file):
    return ssl.PEM_cert_to_DER_cert((folder / file).read_text().split("-----BEGIN PRIV")[0])


def opens(s):
    s.sendall(("GET /echo HTTP/1.1\r\nHost: a.example\r\n%s\r\n" % UPGRADE).encode())
    return s.recv(4096).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("name, file", [
    ("a.example", "a.pem"), ("b.example", "b.pem"), ("BB.example", "b.pem"),
    ("x.wild.example", "wild.pem"), ("x.y.wild.example", "a.pem"), ("other.example", "a.pem"),
    (None, "a.pem")])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_name_asked_for_chooses_the_certificate(folder, name, file, version):
    with gateway(folder, CONFIG % "") as g:
        with meet(g.port, name, client(maximum_version=version)) as s:
            assert s.getpeercert(True) == certificate(folder, file)
            assert opens(s)


def test_the_list_alone_is_enough(folder):
    config = CONFIG.replace("      certificate: a.pem\n", "") % ""
    with gateway(folder, config) as g:
        for name, file in (("x.wild.example", "wild.pem"), ("other.example", "b.pem")):
            with meet(g.port, name, client()) as s:
                assert s.getpeercert(True) == certificate(folder, file)


def test_the_oldest_version_is_the_operator_s_choice(folder):
    with gateway(folder, CONFIG % "      min_version: 1.3") as g:
        with pytest.raises(ssl.SSLError):
            meet(g.port, "a.example", client(maximum_version=ssl.TLSVersion.TLSv1_2))
        with meet(g.port, "a.example", client()) as s:
            assert s.version() == "TLSv1.3" and opens(s)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["a.example", "b.example"])
def test_a_session_is_resumed_by_any_worker(folder, version, name):
    context = client(maximum_version=version)
    with gateway(folder, CONFIG % "" + "workers: 2\n") as g:
        with meet(g.port, name, context) as s:
            assert opens(s) and not s.session_reused
            session = s.session
        for _ in range(8):
            with meet(g.port, name, context, session) as s:
                assert s.session_reused and opens(s)


def test_http_1_1_is_what_is_agreed_upon(folder):
    with gateway(folder, CONFIG % "") as g:
        context = client()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with meet(g.port, "a.example", context) as s:
            assert s.selected_alpn_protocol() == "http/1.1" and opens(s)
        context.set_alpn_protocols(["h2"])
        with pytest.raises(ssl.SSLError):
            meet(g.port, "a.example", context)


def test_a_reload_takes_new_certificates_and_cuts_nobody(folder):
    with gateway(folder, CONFIG % "") as g:
        with meet(g.port, "a.example", client()) as old:
            assert opens(old)
            before = certificate(folder, "a.pem")
            make_certificate(folder, "a.pem", ["a.example"])
            reload(g, CONFIG % "", "reloaded")
            with meet(g.port, "a.example", client()) as s:
                assert s.getpeercert(True) == certificate(folder, "a.pem") != before
                assert opens(s)
            old.sendall(b"\x81\x82\0\0\0\0hi")
            assert old.recv(100) == b"\x81\x02hi"


@pytest.mark.parametrize("spoil, words", [
    (lambda f: (f / "b.pem").unlink(), "b.pem cannot be read: No such file"),
    (lambda f: (f / "b.pem").write_text("no certificate"), "cannot use the certificate"),
    (lambda f: (f / "b.pem").write_text((f / "b.pem").read_text().split("-----BEGIN PRIV")[0]),
     "cannot use the key")])
def test_a_certificate_that_is_gone_at_reload_changes_nothing(folder, spoil, words):
    with gateway(folder, CONFIG % "") as g:
        kept = certificate(folder, "b.pem")
        spoil(folder)
        reload(g, CONFIG % "", "the old configuration stays")
        assert words in (folder / "err").read_text()
        with meet(g.port, "b.example", client()) as s:
            assert s.getpeercert(True) == kept and opens(s)


@pytest.mark.parametrize("tls, words", [
    ("{}", "`certificate` is missing"), ("{certificates: []}", "certificates has 0 elements"),
    ("{certificates: [{key: b.pem}]}", "`certificate` is missing"),
    ("{certificate: a.pem, min_version: 1.1}", "min_version is one of 1.2|1.3")])
def test_faults_of_tls_are_told_with_their_place(folder, tls, words):
    (folder / "c.yaml").write_text(
        'listen: [{address: "127.0.0.1:0", tls: %s}]\nroutes: [{path: /, to: echo}]\n' % tls)
    r = run("check", "c.yaml", cwd=folder)
    assert r.returncode == 2 and "c.yaml:1:" in r.stderr and words in r.stderr


def sign_client(folder):
    """A CA for clients (ca.pem) and alice, whom it has signed."""
    make_certificate(folder, "ca.pem", ["ca"])
    for command in (
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=alice "
            "-keyout alice.key -out alice.csr",
            "x509 -req -in alice.csr -CA ca.pem -CAkey ca.pem -CAcreateserial -days 2 "
            "-out alice.crt"):
        subprocess.run(["openssl", *command.split()], cwd=folder, capture_output=True, check=True)
    (folder / "alice.pem").write_text(
        (folder / "alice.crt").read_text() + (folder / "alice.key").read_text())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("mode", ["required", "optional"])
def test_clients_are_verified_whatever_name_they_ask_for(folder, version, mode):
    sign_client(folder)
    make_certificate(folder, "mallory.pem", ["alice"])
    config = CONFIG.replace("to: echo", 'to: echo, allow: {certificates: ["subject:CN=alice"]}')

    def enters(g, name, who):
        context = client(maximum_version=version)
        context.set_alpn_protocols(["http/1.1"])
        if who:
            context.load_cert_chain(folder / who)
        try:
            with meet(g.port, name, context) as s:
                assert s.selected_alpn_protocol() == "http/1.1"
                return opens(s)
        except OSError:
            return False

    with gateway(folder, config % ("      client_ca: ca.pem\n      client_cert: " + mode)) as g:
        for name in ("a.example", "b.example", "x.wild.example", None):
            assert enters(g, name, "alice.pem"), name
            assert not enters(g, name, "mallory.pem"), name
            assert not enters(g, name, None), name


def test_the_other_name_is_shown_to_whom_another_key_would_do(folder):
    r = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=rsa", "-addext", "subjectAltName=DNS:b.example", "-keyout", "key", "-out", "cert"],
        cwd=folder, capture_output=True)
    assert r.returncode == 0
    (folder / "b.pem").write_text((folder / "cert").read_text() + (folder / "key").read_text())
    context = client(maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
    with gateway(folder, CONFIG % "") as g:
        with meet(g.port, "b.example", context) as s:
            assert s.getpeercert(True) == certificate(folder, "b.pem") and opens(s)


def test_the_default_takes_https_pages_alone_from_who_comes_by_tls(folder):
    plain = '  - {address: "127.0.0.1:0"}\ntrusted_proxies: [127.0.0.0/8]\n%s'

    def status(s, origin, *fields):
        s.sendall(("GET /echo HTTP/1.1\r\nHost: a.example\r\nOrigin: %s\r\n%s%s\r\n" % (
            origin, "".join(f + "\r\n" for f in fields), UPGRADE)).encode())
        return int(s.recv(4096).split()[1])

    with gateway(folder, CONFIG.replace("%s\n", plain) % "") as g:
        for scheme, wanted in (("https", 101), ("http", 403)):
            origin = scheme + "://a.example"
            with meet(g.port, "a.example", client()) as s:
                assert status(s, origin) == wanted
            port = int(g.urls[1].rsplit(":", 1)[1])
            for fields, wanted in (((), 101), (("X-Forwarded-For: 203.0.113.9",
                                               "X-Forwarded-Proto: https"), wanted)):
                with socket.create_connection(("127.0.0.1", port), 5) as s:
                    assert status(s, origin, *fields) == wanted
            for more in (["wss://a.example/echo"], ["wss://a.example/echo", "--via", "127.0.0.1"]):
                r = run("check", "sesame.yaml", "--url", *more, "--origin", origin, cwd=folder)
                assert r.returncode == (0 if scheme == "https" else 1), r.stdout
            assert run("check", "sesame.yaml", "--url", "ws://a.example/echo", "--origin", origin,
                       cwd=folder).returncode == 0
        time.sleep(0.3)
        rows = g.last()
        assert [r["tls"] for r in rows] == [True, True]
        told = g.why(rows[0]["reference"]).stdout
        assert "https pages of the same host" in told and '"https://a.example"' in told
        r = run("check", "sesame.yaml", "--replay", "journal.db", cwd=folder)
        assert r.returncode == 0 and "as before: 6" in r.stdout, r.stdout


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("how", ["with a word", "silently"])
def test_a_head_that_is_cut_leaves_a_trace_and_a_handshake_alone_does_not(folder, version, how):
    with gateway(folder, CONFIG % "") as g:
        for said in (b"", b"GET /echo HTTP/1.1\r\nHost: a.exa"):
            with meet(g.port, "a.example", client(maximum_version=version)) as s:
                s.sendall(said)
                time.sleep(0.1)
                if how == "silently":
                    socket.socket.shutdown(s, socket.SHUT_WR)
                else:
                    with pytest.raises(ssl.SSLError):  # the answer comes behind that word
                        s.unwrap()
                        raise ssl.SSLError("nothing is answered to nothing")
        with socket.create_connection(("127.0.0.1", g.port)) as s:
            s.sendall(b"\x16\x03\x01\x02\x00\x01")
        time.sleep(0.3)
        assert [(r["cause"], r["note"]) for r in g.last()] == \
            [("client.bad-handshake", "the head ends before its empty line")]
