# SPDX-License-Identifier: MIT
"""What happens to the journal's file while the gateway serves: it serves on."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from gateways import SESAME, ask, gateway, opens, run

CONFIG = """listen: [{address: '127.0.0.1:0'}]
routes:
  - {path: /chat, to: echo, allow: {origins: ["https://app.example"]}}
  - {path: /open/**, to: echo}
  - {path: /seen, to: echo, mode: observe, allow: {origins: ["https://app.example"]}}
journal: {file: store/journal.db}
"""
EVIL = "Origin: https://evil.example"


def refuse(g, path="/chat", *fields):
    a = ask(g.port, path, *(fields or (EVIL,)))
    assert a.status == 403 and a.reference
    return a.reference


def wait_for(what, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def found(g, reference):
    r = g.why(reference, "--json")
    return r.returncode == 0 and json.loads(r.stdout)


def log(g):
    return (g.folder / "err").read_text()


def files(g):
    return [g.folder / "store" / ("journal.db" + end) for end in ("", "-wal", "-shm")]


def test_a_journal_that_is_deleted_is_begun_anew(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        assert wait_for(lambda: found(g, refuse(g)))
        for f in files(g):
            f.unlink(missing_ok=True)
        assert wait_for(lambda: found(g, refuse(g)))
        assert "was removed or replaced" in log(g)
        assert opens(g.port, "/chat", "Origin: https://app.example")


def test_a_folder_that_is_gone_is_made_again(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        assert wait_for(lambda: found(g, refuse(g)))
        shutil.rmtree(tmp_path / "store")
        assert wait_for(lambda: found(g, refuse(g)))


def test_a_log_that_is_deleted_beside_its_journal_loses_nothing_later(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        first = refuse(g)
        assert wait_for(lambda: found(g, first))
        files(g)[1].unlink()
        reference = refuse(g)
        assert wait_for(lambda: found(g, reference))
    assert found(g, first) and found(g, reference)


def test_a_journal_that_another_program_locks_is_told_and_written_afterwards(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        assert wait_for(lambda: found(g, refuse(g)))
        other = sqlite3.connect(files(g)[0], isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        began = time.time()
        references = [refuse(g) for _ in range(20)]
        assert time.time() - began < 5
        wait_for(lambda: "cannot be written: database is locked" in log(g))
        refuse(g)
        time.sleep(1.5)
        assert log(g).count("cannot be written") == 1
        other.execute("ROLLBACK")
        other.close()
        for reference in references:
            assert wait_for(lambda: found(g, reference))
        wait_for(lambda: "is written again" in log(g))


def test_a_journal_that_is_locked_from_the_start_does_not_keep_the_gateway_from_serving(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        assert wait_for(lambda: found(g, refuse(g)))
    other = sqlite3.connect(files(g)[0], isolation_level=None)
    other.execute("PRAGMA journal_mode=DELETE")
    other.execute("BEGIN EXCLUSIVE")
    with gateway(tmp_path, CONFIG) as g:
        reference = refuse(g)
        assert "locked" in log(g)
        other.execute("ROLLBACK")
        other.close()
        assert wait_for(lambda: found(g, reference))


def test_another_programs_database_in_its_place_is_left_alone(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        assert wait_for(lambda: found(g, refuse(g)))
        for f in files(g):
            f.unlink(missing_ok=True)
        with sqlite3.connect(files(g)[0]) as db:
            db.execute("CREATE TABLE users (name TEXT)")
        db.close()
        refuse(g)
        wait_for(lambda: "another program's database" in log(g))
        with sqlite3.connect(files(g)[0]) as db:
            assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)]
        db.close()
        files(g)[0].unlink()
        assert wait_for(lambda: found(g, refuse(g)))


def tmpfs_works():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True).returncode == 0


@pytest.mark.skipif(not tmpfs_works(), reason="no file system can be mounted here")
@pytest.mark.parametrize("trouble,word", [
    ("head -c 2000000 /dev/zero > store/ballast 2>/dev/null; true", "full"),
    ("mount -t tmpfs -o ro none store", "Read-only file system")])
def test_a_full_or_read_only_disk_is_told_and_the_gateway_serves_on(tmp_path, trouble, word):
    """In a mount namespace of its own: the play runs inside it."""
    (tmp_path / "store").mkdir()
    play = tmp_path / "play.py"
    play.write_text("""
import os, subprocess, sys, time
sys.path.insert(0, %r)
from pathlib import Path
from gateways import Gateway, ask, opens
import test_gateway_journal as t
folder = Path(%r)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", "store"], check=True, cwd=folder)
g = Gateway(folder, t.CONFIG)
try:
    assert t.wait_for(lambda: t.found(g, t.refuse(g)))
    subprocess.run(%r, shell=True, check=True, cwd=folder)
    began = time.time()
    for i in range(400):
        t.refuse(g, "/chat", "Origin: https://evil%%d.example" %% i + "x" * 200)
    assert time.time() - began < 20
    t.wait_for(lambda: "cannot be written" in t.log(g))
    word = %r
    assert word in t.log(g), t.log(g)
    assert opens(g.port, "/chat", "Origin: https://app.example")
    told = g.why("--last").stderr
    assert "did not end in order" not in told, told
    assert word != "full" or "disk that holds the journal is full" in told, told
    subprocess.run("test -e store/journal.db || umount store; rm -f store/ballast", shell=True, cwd=folder)
    subprocess.run("mount -o remount,size=64m store", shell=True, cwd=folder)
    assert t.wait_for(lambda: t.found(g, t.refuse(g)), 20)
    assert "is written again" in t.log(g), t.log(g)
    assert t.log(g).count("cannot be written") <= 2
finally:
    status = g.stop()
assert status == 0
""" % (os.path.dirname(__file__), str(tmp_path), trouble, word))
    r = subprocess.run(["unshare", "-m", "--propagation", "private", "/usr/bin/python3", str(play)],
                       capture_output=True, text=True, timeout=120,
                       env=dict(os.environ, SESAME=SESAME))
    assert r.returncode == 0, r.stdout + r.stderr


def test_a_gateway_that_is_killed_has_lost_its_last_second_at_most_and_why_says_so(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        pass
    r = g.why("--last")
    assert "did not end in order" not in r.stderr
    try:
        with gateway(tmp_path, CONFIG) as g:
            old = refuse(g)
            time.sleep(1)
            refuse(g)
            g.process.send_signal(signal.SIGKILL)
    except AssertionError:
        pass
    r = g.why(old)
    assert r.returncode == 0 and "access.origin" in r.stdout
    r = g.why("--last")
    assert "did not end in order" in r.stderr and "just before" in r.stderr
    with gateway(tmp_path, CONFIG) as g:
        assert "did not end in order" not in g.why("--last").stderr


def test_a_flood_is_sampled_and_what_is_rare_is_kept(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        for _ in range(1600):
            ask(g.port, "/chat", EVIL)
        rare = ask(g.port, "/nowhere").reference
        assert wait_for(lambda: found(g, rare))
        r = g.why("--top", "cause", "--json")
        told = json.loads(r.stdout)
        left_out = sum(row["count"] for row in told["left_out"] if row["cause"] == "access.origin")
        kept = [row["count"] for row in told["rows"] if row["value"] == "access.origin"][0]
        assert left_out > 100 and kept + left_out == 1600
        told = g.why("--last", "1").stderr
        assert "many of a kind" in told or "busy" in told


def test_a_file_of_the_first_version_is_taken_over(tmp_path):
    (tmp_path / "store").mkdir()
    with sqlite3.connect(tmp_path / "store/journal.db") as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(
            "CREATE TABLE refusals (id INTEGER PRIMARY KEY, reference TEXT NOT NULL,"
            " time_ms INTEGER, status INTEGER, observed INTEGER, cause TEXT, target TEXT,"
            " host TEXT, origin TEXT, user_agent TEXT, address TEXT, listener TEXT, route TEXT,"
            " upstream TEXT, look TEXT, rule TEXT, preset INTEGER, file TEXT, line INTEGER,"
            " compared TEXT, nearest TEXT, note TEXT, trace TEXT)")
        db.execute("CREATE TABLE left_out (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER,"
                   " last_ms INTEGER)")
        db.execute("INSERT INTO left_out VALUES (1, 77, 5)")
        db.execute("INSERT INTO refusals (reference, time_ms, status, cause, target, address, trace)"
                   " VALUES ('7K2M-Q4XD', 1700000000000, 403, 'access.ip', '/old', '192.0.2.1', '[]')")
        db.execute("PRAGMA user_version=1")
    db.close()
    before = run("why", "7K2M-Q4XD", "--journal", str(tmp_path / "store/journal.db"))
    assert before.returncode == 0 and "/old" in before.stdout
    assert "77 more" in run("why", "--last", "--journal",
                            str(tmp_path / "store/journal.db")).stderr
    with gateway(tmp_path, CONFIG) as g:
        assert found(g, "7K2M-Q4XD")["target"] == "/old"
        new = refuse(g)
        assert wait_for(lambda: found(g, new))["method"] == "GET"
        assert "77 more" in g.why("--last").stderr


def test_a_file_of_a_later_version_is_not_written(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        assert wait_for(lambda: found(g, refuse(g)))
    with sqlite3.connect(files(g)[0]) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    r = subprocess.run([SESAME, "serve", "-c", "sesame.yaml"], cwd=tmp_path,
                       capture_output=True, text=True, timeout=20)
    assert r.returncode != 0 and "newer version of sesame" in r.stderr


def test_a_file_with_a_view_is_neither_written_nor_believed(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        reference = refuse(g)
        assert wait_for(lambda: found(g, reference))
    with sqlite3.connect(files(g)[0]) as db:
        db.execute("CREATE VIEW busy AS SELECT origin, count(*) FROM refusals GROUP BY origin")
    db.close()
    r = subprocess.run([SESAME, "serve", "-c", "sesame.yaml"], cwd=tmp_path,
                       capture_output=True, text=True, timeout=20)
    assert r.returncode != 0 and "a view in it, busy" in r.stderr
    r = g.why(reference)
    assert r.returncode == 3 and "a view in it, busy" in r.stderr and not r.stdout


def test_secrets_are_not_in_the_file(tmp_path):
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2VjcmV0c2VjcmV0"
    with gateway(tmp_path, CONFIG) as g:
        for path, *fields in (("/chat?access_token=" + token, EVIL),
                              ("/chat?ticket=s3cr3tticket", EVIL, "Authorization: Bearer " + token),
                              ("/chat", EVIL, "Cookie: session=s3cr3tcookie"),
                              ("/chat", EVIL, "Sec-WebSocket-Protocol: bearer, " + token),
                              ("/open/1?password=s3cr3tpass",)):
            ask(g.port, path, *fields) if EVIL in fields else opens(g.port, path)
        reference = refuse(g)
        assert wait_for(lambda: found(g, reference))
    raw = b"".join(f.read_bytes() for f in files(g) if f.exists())
    assert b"***" in raw
    for secret in (b"s3cr3t", token[:30].encode(), token[-10:].encode()):
        assert secret not in raw
    assert "s3cr3t" not in log(g) and token not in log(g)


def test_the_file_stays_below_its_bound_and_is_used_again(tmp_path):
    config = CONFIG.replace("journal.db}", "journal.db, max_size: 1MiB}")
    with gateway(tmp_path, config) as g:
        for i in range(900):
            ask(g.port, "/chat?" + "a" * 400, "Origin: https://evil%d.example" % i,
                "User-Agent: " + "u%d " % i * 60)
        # some of a flood are left out; this one comes when it is over
        assert wait_for(lambda: found(g, refuse(g)))
        assert len(g.last(2000)) > 100
    assert files(g)[0].stat().st_size <= 1 << 20


def test_one_of_each_kind_that_was_let_in_is_kept_with_a_count(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        for i in range(30):
            assert opens(g.port, "/open/room/%d" % i, "User-Agent: demo/1.%d" % i)
        assert opens(g.port, "/open/room/1", "User-Agent: other")
        time.sleep(0.5)
    with sqlite3.connect(files(g)[0]) as db:
        rows = db.execute("SELECT count, user_agent, reference FROM admitted ORDER BY count").fetchall()
    db.close()
    assert [(n, ua) for n, ua, _ in rows] == [(1, "other"), (30, "demo/1.0")]
    r = g.why(rows[1][2])
    assert r.returncode == 0 and "30 of this kind were let in" in r.stdout
