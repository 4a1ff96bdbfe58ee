# SPDX-License-Identifier: MIT
"""The house of benchmarks: what is measured, what joins, and what is left out."""
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rawsocket import example

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SESAME_BUILD", TOP / "build"))
ALONE = ["--rounds", "1", "--seconds", "0.1", "--without", "libwebsockets", "ws (node)",
         "uWebSockets.js"]

pytestmark = pytest.mark.skipif(not (BUILD / "bench/tcp_echo").exists(),
                                reason="built without bench/")


def bench(tool, *args, status=0):
    r = subprocess.run([sys.executable, str(TOP / "bench" / tool), str(BUILD), *map(str, args)],
                       capture_output=True, text=True, timeout=120,
                       env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    return r.stdout + r.stderr


def figures(run, name):
    workload = next(w for w in run["workloads"] if w["name"] == name)
    return {s["name"]: s["figures"][0] for s in workload["servers"]}, workload["absent"]


def test_a_run_tells_what_each_server_took_and_on_what_machine(tmp_path):
    out = bench("run", *ALONE, "--only", "20x1", "gateway-1Kx20", "--json", tmp_path / "j",
                "--markdown", tmp_path / "m", "--plot", tmp_path / "p",
                "--peer", "a friend=%s --port {port}" % example("echo_server"),
                "--peer", "a liar=false")
    run = json.loads((tmp_path / "j").read_text())
    assert run["date"] and run["kernel"] and run["command"].startswith("bench/run ")
    took, absent = figures(run, "20x1")
    assert {"sesame", "bytes", "a friend"} <= set(took)
    assert all(100 < ns < 10 ** 6 for ns in took.values()), took
    assert "a liar" in absent and "a liar" in out
    assert {"sesame", "bytes"} <= set(figures(run, "gateway-1Kx20")[0])
    assert "| 20x1 | " in (tmp_path / "m").read_text()
    ET.parse(tmp_path / "p")


def test_handshakes_and_broadcasts_have_their_limit_beside_them(tmp_path):
    names = ["handshakes", "refused", "broadcast"]
    bench("run", *ALONE, "--only", *names, "--json", tmp_path / "j")
    run = json.loads((tmp_path / "j").read_text())
    for name in names:
        took, absent = figures(run, name)
        assert {"sesame", "bytes"} <= set(took), (name, absent)
        # (where the machine has it)
        assert "bytes, io_uring" in took or re.search("io_uring:|6.12|not there",
                                                      absent["bytes, io_uring"])


def test_each_worker_s_share_and_the_load_s_are_told(tmp_path):
    out = bench("run", *ALONE, "--only", "workers", "--json", tmp_path / "j")
    took, absent = figures(json.loads((tmp_path / "j").read_text()), "workers")
    assert {"one worker", "two workers"} <= set(took), absent
    one = re.search(r"^  one worker: ([\d.]+) of a core, the load [\d.]+$", out, re.M)
    two = re.search(r"^  two workers: ([\d.]+) and ([\d.]+) of a core, the load [\d.]+$", out, re.M)
    assert one and two, out
    assert all(0.02 < float(share) < 1.1 for share in [*one.groups(), *two.groups()]), out


def test_who_does_not_echo_what_was_sent_is_not_measured(tmp_path):
    # It answers a handshake, and then sends the client's masked frames back.
    liar = tmp_path / "liar.py"
    liar.write_text("""
import base64, hashlib, socket, threading
door = socket.create_server(("127.0.0.1", 0), backlog=100)
print("listening at ws://127.0.0.1:%d" % door.getsockname()[1], flush=True)
def serve(s):
    head = b""
    while b"\\r\\n\\r\\n" not in head:
        data = s.recv(4096)
        if not data:
            return
        head += data
    key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\\r\\n")[0]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    s.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n"
              b"Connection: Upgrade\\r\\nSec-WebSocket-Accept: " + accept + b"\\r\\n\\r\\n")
    while data := s.recv(4096):
        s.sendall(data)
while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
""")
    bench("run", *ALONE, "--only", "20x1", "--json", tmp_path / "j",
          "--peer", "mirror=%s %s" % (sys.executable, liar))
    took, absent = figures(json.loads((tmp_path / "j").read_text()), "20x1")
    assert "mirror" not in took and "wrong echo" in absent["mirror"]


def test_who_writes_to_nobody_is_not_killed_by_the_signal(tmp_path):
    survivor = "sh -c 'kill -PIPE $$; exec %s --port {port}'" % example("echo_server")
    bench("run", *ALONE, "--only", "20x1", "--json", tmp_path / "j",
          "--peer", "survivor=" + survivor)
    took, absent = figures(json.loads((tmp_path / "j").read_text()), "20x1")
    assert "survivor" in took, absent


def test_how_a_server_ended_is_told(tmp_path):
    mortal = tmp_path / "mortal.py"
    mortal.write_text("""
import socket, sys
door = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
door.accept()  # whoever looks whether it listens
door.accept()
sys.exit(7)
""")
    out = bench("run", *ALONE, "--only", "20x1", "--peer",
                "mortal=%s %s {port}" % (sys.executable, mortal))
    assert re.search("^  mortal: it ended, with status 7; .", out, re.M), out


def test_a_median_of_fewer_rounds_says_of_how_many():
    sys.path.insert(0, str(TOP / "bench"))
    from figures import pivot, text
    rows = {"sesame": [100, 100, 100], "all": [150, 160, 170], "some": [None, 120, None]}
    servers = [{"name": name, "figures": figures, "per_second": [1]}
               for name, figures in rows.items()]
    workload = {"name": "20x1", "title": "", "unit": "message", "servers": servers, "absent": {}}
    assert re.search("^  some .* 1.20, 1 of 3$", text(workload), re.M)
    assert re.search(r"^  all .* 1.60 \(1.50-1.70\)$", text(workload), re.M)
    row = list(pivot({"workloads": [workload]}, "sesame"))[-1]
    assert row == "| 20x1 | 100 ns | 1.60 (1.50-1.70) | 1.20, 1 of 3 |"


def test_who_lacks_a_package_is_told_what_installs_it(tmp_path):
    missing = tmp_path / "missing.js"
    missing.write_text("require('nobody-has-this')")
    out = bench("run", *ALONE, "--only", "20x1", "--peer", "jester=node %s" % missing)
    assert re.search("^  jester: .*Cannot find module .*make bench-peers installs it", out, re.M) \
        or not shutil.which("node"), out


def test_who_declines_compression_has_no_figure_beside_those_who_compress(tmp_path):
    out = bench("run", *ALONE, "--only", "deflate", "--json", tmp_path / "j",
                "--peer", "plain@deflate=%s --port {port}" % example("echo_server"))
    took, absent = figures(json.loads((tmp_path / "j").read_text()), "deflate")
    assert "sesame" in took and "plain" not in took
    assert "declined permessage-deflate" in absent["plain"]
    assert "  (permessage-deflate; " in out


def test_an_unknown_workload_is_named_with_those_there_are():
    said = bench("run", "--only", "nothing", status=1)
    assert "no workload nothing" in said and "20x50" in said


@pytest.mark.skipif(not shutil.which("strace"), reason="no strace here")
def test_a_profile_tells_the_kernel_s_share_and_the_calls_of_a_message():
    said = bench("profile", "--only", "handshakes", "--seconds", "0.3", "--functions", "0",
                 "--without", "libwebsockets", "ws (node)", "uWebSockets.js")
    if "it does no more" in said or "ptrace" in said:
        pytest.skip("nobody may be traced here: " + said)
    share = re.search(r"^  sesame: [\d,]+ ns, kernel (\d+)%, .* calls\n +(.*)$", said, re.M)
    assert share and 20 < int(share.group(1)) <= 100, said
    calls = dict(re.findall(r"(\w+) ([\d.]+)", share.group(2)))
    assert 1.8 < float(calls["recvfrom"]) < 2.2 and 0.9 < float(calls["close"]) < 1.1, said
    said = bench("profile", "--only", "20x1", "--seconds", "0.3", "--functions", "0",
                 "--without", "libwebsockets", "ws (node)", "uWebSockets.js")
    for name in ["sesame", "bytes"]:  # each receives a message and sends it back
        calls = re.search(rf"^  {name}: .* calls\n +(.*)$", said, re.M)
        calls = dict(re.findall(r"(\w+) ([\d.]+)", calls.group(1)))
        assert 0.9 < float(calls["recvfrom"]) < 1.1 and 0.9 < float(calls["sendto"]) < 1.1, said
    said = bench("profile", "--only", "idle", status=1)
    assert "no workload idle" in said and "handshakes" in said


def test_curves_are_drawn(tmp_path):
    out = bench("curves", "--rounds", "1", "--seconds", "0.1", "--only", "rules", "--plot",
                tmp_path / "p", "--markdown", tmp_path / "m")
    assert "100,000" in out and "| 100,000 |" in (tmp_path / "m").read_text()
    ET.parse(tmp_path / "p")


@pytest.mark.parametrize("tool", ["run", "curves"])
def test_a_folder_without_a_program_is_told_of(tool, tmp_path):
    got = subprocess.run([TOP / "bench" / tool, tmp_path / "none"], capture_output=True,
                         text=True, timeout=30,
                         env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"))
    assert got.returncode == 1 and got.stdout == ""
    assert "none/sesame cannot be run" in got.stderr and "Traceback" not in got.stderr
