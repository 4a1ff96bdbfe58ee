# SPDX-License-Identifier: MIT
"""Forward proxies as they stand in offices: squid with TLS of its own, with
passwords as Digest, and with Kerberos tickets."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from ports import free_port
from rawsocket import PROGRAM, example, serving

SQUID = shutil.which("squid") or "/usr/sbin/squid"
DIGEST = "/usr/lib/squid/digest_file_auth"
KERBEROS = "/usr/lib/squid/negotiate_kerberos_auth"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

needs_squid = pytest.mark.skipif(not os.path.exists(SQUID), reason="no squid here")


def wait_for(port):
    for _ in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise AssertionError("nobody listens at %d" % port)


def connect(*args, **options):
    return subprocess.run([PROGRAM, "connect", "-m", "hello", "--max-time", "10", *args],
                          capture_output=True, text=True, timeout=30, **options)


def cause(*args, **options):
    """What the doctor names."""
    done = subprocess.run([PROGRAM, "doctor", "--json", *args], capture_output=True, text=True,
                          timeout=60, **options)
    return json.loads(done.stdout)["verdict"]["cause"]


def certificate(folder, name, host="127.0.0.1"):
    """A self-signed one; (certificate, key), both readable for all."""
    cert, key = folder / (name + ".pem"), folder / (name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:" + host,
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    key.chmod(0o644)
    return str(cert), str(key)


@contextlib.contextmanager
def squid(folder, *lines, env=None):
    """A squid with these lines; its port. {port} stands for it in them."""
    port, name = free_port(), "test%d" % os.getpid()
    folder.chmod(0o777)
    conf = folder / "squid.conf"
    conf.write_text("\n".join([
        *lines, "pid_filename none", "cache deny all", "access_log none",
        "cache_log %s/cache.log" % folder, "shutdown_lifetime 0",
        "cache_effective_user proxy", ""]).replace("{port}", str(port)))
    program = subprocess.Popen([SQUID, "-N", "-n", name, "-f", str(conf)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env={**os.environ, **(env or {})})
    try:
        wait_for(port)
        yield port
    finally:
        program.terminate()
        program.wait(timeout=20)
        for left in os.listdir("/dev/shm"):
            if left.startswith(name + "-"):
                os.unlink("/dev/shm/" + left)


@pytest.fixture
def folder():
    """One that squid's own user can look into, as pytest's cannot."""
    with tempfile.TemporaryDirectory(prefix="proxies-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o755)
    return {"proxy": certificate(folder, "proxy"), "server": certificate(folder, "server")}


@pytest.fixture(scope="module")
def plain_echo():
    with serving(example("echo_server")) as url:
        yield url


@pytest.fixture(scope="module")
def tls_echo(certificates):
    cert, key = certificates["server"]
    with serving(example("echo_server"), "--cert", cert, "--key", key) as url:
        yield url


@needs_squid
def test_wss_and_ws_go_through_a_proxy_that_speaks_tls(folder, certificates, plain_echo,
                                                        tls_echo):
    cert, key = certificates["proxy"]
    with squid(folder, "https_port 127.0.0.1:{port} tls-cert=%s tls-key=%s" % (cert, key),
               "http_access allow all") as port:
        proxy = ("-x", "https://127.0.0.1:%d" % port)
        for url, trust in ((plain_echo, ()), (tls_echo, ("--cacert", certificates["server"][0]))):
            done = connect(*proxy, "--proxy-cacert", cert, *trust, url)
            assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
        # Trust in the server is none in the proxy, and the other way round.
        done = connect(*proxy, "--cacert", certificates["server"][0], tls_echo)
        assert done.returncode != 0
        assert "proxy" in done.stderr and "certificate" in done.stderr
        done = connect(*proxy, "--proxy-cacert", cert, tls_echo)
        assert done.returncode != 0
        done = connect(*proxy, "--proxy-insecure", plain_echo)
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
        # The doctor goes the same way, and names the proxy when that is at fault.
        assert cause(*proxy, "--proxy-cacert", cert, "--cacert",
                     certificates["server"][0], tls_echo) == "ok"
        assert cause(*proxy, tls_echo) == "tls.untrusted"
        told = subprocess.run([PROGRAM, "doctor", *proxy, tls_echo], capture_output=True,
                              text=True, timeout=60).stdout
        assert "certificate of https://127.0.0.1:%d is not trusted" % port in " ".join(
            told.split())


@needs_squid
def test_much_goes_through_two_layers_of_tls(folder, certificates, tls_echo):
    cert, key = certificates["proxy"]
    lines = "\n".join("%06d " % i + "x" * 4000 for i in range(1500)) + "\n"
    with squid(folder, "https_port 127.0.0.1:{port} tls-cert=%s tls-key=%s" % (cert, key),
               "http_access allow all") as port:
        done = subprocess.run(
            [PROGRAM, "connect", "-x", "https://127.0.0.1:%d" % port, "--proxy-cacert", cert,
             "--cacert", certificates["server"][0], "-n", "1500", tls_echo],
            input=lines, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == lines


@needs_squid
@pytest.mark.skipif(not os.path.exists(DIGEST), reason="squid has no Digest here")
def test_a_password_is_sent_as_digest_when_the_proxy_asks_for_that(folder, tls_echo,
                                                                    certificates):
    users = folder / "users"
    users.write_text("ann:open sesame\n")
    users.chmod(0o644)
    with squid(folder, "http_port 127.0.0.1:{port}",
               "auth_param digest program %s %s" % (DIGEST, users),
               "auth_param digest realm the office",
               "acl known proxy_auth REQUIRED",
               "http_access deny !known", "http_access allow known") as port:
        args = ("--cacert", certificates["server"][0], tls_echo)
        done = connect("-x", "http://ann:open%%20sesame@127.0.0.1:%d" % port, *args)
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
        done = connect("-x", "http://ann:wrong@127.0.0.1:%d" % port, *args)
        assert done.returncode != 0 and "407" in done.stderr
        done = connect("-x", "http://127.0.0.1:%d" % port, *args)
        assert done.returncode != 0 and "407" in done.stderr


# ---- Kerberos ----

@contextlib.contextmanager
def realm(folder):
    """A realm of its own: KDC on loopback, ann with a ticket, a service."""
    port = free_port()
    (folder / "krb5.conf").write_text(
        "[libdefaults]\n default_realm = TEST.EXAMPLE\n dns_lookup_kdc = false\n"
        " dns_canonicalize_hostname = false\n rdns = false\n"
        "[realms]\n TEST.EXAMPLE = {\n  kdc = 127.0.0.1:%d\n }\n"
        "[domain_realm]\n localhost = TEST.EXAMPLE\n" % port)
    (folder / "kdc.conf").write_text(
        "[kdcdefaults]\n kdc_listen = 127.0.0.1:%d\n kdc_tcp_listen = 127.0.0.1:%d\n"
        "[realms]\n TEST.EXAMPLE = {\n  database_name = %s/principal\n"
        "  key_stash_file = %s/stash\n  acl_file = %s/none\n }\n"
        % (port, port, folder, folder, folder))
    env = {**os.environ, "PATH": PATH, "KRB5_CONFIG": str(folder / "krb5.conf"),
           "KRB5_KDC_PROFILE": str(folder / "kdc.conf"), "KRB5CCNAME": str(folder / "tickets")}

    def run(*command, text=None):
        subprocess.run(command, env=env, input=text, text=True, check=True,
                       capture_output=True, timeout=30)

    run("kdb5_util", "create", "-s", "-P", "master")
    run("kadmin.local", "addprinc", "-pw", "secret", "ann")
    run("kadmin.local", "addprinc", "-randkey", "HTTP/localhost")
    run("kadmin.local", "ktadd", "-k", str(folder / "keytab"), "HTTP/localhost")
    (folder / "keytab").chmod(0o644)
    kdc = subprocess.Popen(["krb5kdc", "-n"], env=env, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        run("kinit", "ann", text="secret\n")
        yield env
    finally:
        kdc.terminate()
        kdc.wait(timeout=20)


def lacks_kerberos():
    if not os.path.exists(KERBEROS) or not shutil.which("kdb5_util", path=PATH):
        return "no Kerberos here"
    linked = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True)
    return None if "libgssapi" in linked.stdout else "built without GSSAPI"


@needs_squid
@pytest.mark.skipif(lacks_kerberos() is not None, reason=str(lacks_kerberos()))
def test_a_ticket_answers_a_proxy_that_asks_for_negotiate(folder, plain_echo):
    with realm(folder) as env, squid(
            folder, "http_port 127.0.0.1:{port}",
            "auth_param negotiate program %s -s HTTP/localhost@TEST.EXAMPLE -k %s"
            % (KERBEROS, folder / "keytab"),
            "acl known proxy_auth REQUIRED",
            "http_access deny !known", "http_access allow known",
            env={"KRB5_CONFIG": str(folder / "krb5.conf")}) as port:
        done = connect("-x", "http://:@localhost:%d" % port, plain_echo, env=env)
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
        # Without a ticket the reason is Kerberos' own, and not just a 407.
        without = {**env, "KRB5CCNAME": str(folder / "empty")}
        done = connect("-x", "http://:@localhost:%d" % port, plain_echo, env=without)
        assert done.returncode != 0 and "ticket" in done.stderr, done.stderr
        args = ("-x", "http://:@localhost:%d" % port, plain_echo)
        assert cause(*args, env=env) == "ok"
        assert cause(*args, env=without) == "net.proxy-auth"
        # Nobody asked for a ticket to be shown: none is.
        done = connect("-x", "http://localhost:%d" % port, plain_echo, env=env)
        assert done.returncode != 0 and "407" in done.stderr
