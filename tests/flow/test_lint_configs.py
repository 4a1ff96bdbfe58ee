# SPDX-License-Identifier: MIT
"""Configurations as people publish them (tests/lint/configs), right ones and
broken ones. "# lint: RULE..." stands above the line where that is found, with a
"?" when lint cannot be sure. All are valid for the real server, before and after
the patch; one run tells all that is wrong, and one patch mends all that can be."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from test_lint import HEAD, apply, findings, needs_patch, quiet

CONFIGS = Path(__file__).resolve().parent.parent / "lint/configs"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
MODULES = "/usr/lib/apache2/modules"
APACHE = "".join(
    "LoadModule %s_module %s/mod_%s.so\n" % (m, MODULES, m) for m in
    "mpm_event authz_core authz_host alias rewrite headers setenvif env socache_shmcb ssl proxy "
    "proxy_http proxy_wstunnel proxy_balancer slotmem_shm lbmethod_byrequests".split()) + (
    "ServerRoot @DIR@\nServerName localhost\nPidFile pid\nErrorLog log\nDefaultRuntimeDir @DIR@\n"
    "Mutex file:@DIR@ default\nDocumentRoot @DIR@\n")
CHECK = {"nginx": ["nginx", "-t", "-p", "@DIR@/", "-c", "@FILE@", "-e", "stderr"],
         "apache": ["apache2", "-t", "-f", "@FILE@"],
         "haproxy": ["haproxy", "-c", "-f", "@FILE@"],
         "caddy": ["caddy", "adapt", "--adapter", "caddyfile", "--config", "@FILE@"]}
NAMES = sorted(p.name for p in CONFIGS.iterdir())


@pytest.fixture(name="certificate", scope="module")
def make_certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "crt.pem",
                    "-subj", "/CN=example.org"], cwd=folder, check=True, capture_output=True)
    return (folder / "key.pem").read_text() + (folder / "crt.pem").read_text()


def put(folder, name, certificate):
    """The file, with a whole server around it where it is a part of one."""
    language = name.rpartition(".")[2]
    text = (CONFIGS / name).read_text()
    if language == "nginx":
        text = HEAD + quiet("http {\n" + text + "}\n")
    if language == "apache":
        text = APACHE + text
    (folder / "cert.pem").write_text(certificate)
    (folder / "hosts.map").write_text("hass.example.org hass\n")
    (folder / name).write_text(text.replace("@DIR@", str(folder)))
    return language


def is_valid(folder, name, language):
    words = [w.replace("@DIR@", str(folder)).replace("@FILE@", str(folder / name))
             for w in CHECK[language]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "PATH": PATH, "HOME": str(folder)})
    return done.returncode == 0, done.stderr


def expected(folder, name):
    """[(rule, line), ...] by what stands in the file."""
    found = []
    for n, line in enumerate((folder / name).read_text().splitlines(), 1):
        found += [(rule, n + 1) for rules in re.findall(r"# lint: (.*)", line)
                  for rule in rules.split()]
    return sorted(found)


def with_doubt(finding):
    return finding["rule"] + ("" if finding["sure"] else "?")


@needs_patch
@pytest.mark.parametrize("name", NAMES)
def test_what_is_published_is_read_as_the_server_reads_it(name, tmp_path, certificate):
    language = put(tmp_path, name, certificate)
    if not shutil.which(CHECK[language][0], path=PATH):
        pytest.skip(CHECK[language][0] + " is not installed")
    valid, words = is_valid(tmp_path, name, language)
    assert valid, words
    first = findings(tmp_path, "--language", language, name)
    assert sorted((with_doubt(f), f["line"]) for f in first) == expected(tmp_path, name)
    if not any(f["patched"] for f in first):
        return
    apply(tmp_path, "--language", language, name)
    valid, words = is_valid(tmp_path, name, language)
    assert valid, words + (tmp_path / name).read_text()
    then = findings(tmp_path, "--language", language, name)
    assert not [f for f in then if f["patched"]], (tmp_path / name).read_text()
    assert {f["rule"] for f in then} <= {f["rule"] for f in first if not f["patched"]}


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *os.sys.argv[1:]]))
