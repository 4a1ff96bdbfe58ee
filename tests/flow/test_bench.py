# SPDX-License-Identifier: MIT
"""Load: what is counted, what is compared, and what is said when it goes wrong."""
import asyncio
import json
import os
import re
import subprocess
import threading
import xml.etree.ElementTree as ET
from contextlib import contextmanager, suppress

import pytest
from gateways import SESAME, gateway
from held import Held
from hubs import config
from nodes import ENV, needs_ws
from ports import free_port
from rawsocket import example, serving

websockets = pytest.importorskip("websockets")
QUICK = ["--time", "0.4", "--warm-up", "0.1", "-c", "8"]


def bench(*args):
    return subprocess.run([SESAME, "bench", *args], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, NO_COLOR="1"))


def measure(*args, status=0):
    r = bench("--json", *QUICK, *args)
    assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
    return json.loads(r.stdout)


@contextmanager
def server(handler, **more):
    """A server of Python's websockets in a thread of its own; its URL."""
    port, loop, up = free_port(), asyncio.new_event_loop(), threading.Event()

    async def serve():
        async with websockets.serve(handler, "127.0.0.1", port, **more):
            up.set()
            while up.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert up.wait(10)
    try:
        yield "ws://127.0.0.1:%d" % port
    finally:
        up.clear()
        thread.join()
        loop.close()


# ---- what is counted ----

def test_answers_that_all_come_too_late_are_no_measurement():
    async def echo_later(ws):
        async for message in ws:
            await asyncio.sleep(2)
            with suppress(websockets.ConnectionClosed):
                await ws.send(message)

    with server(echo_later) as url:
        r = bench("-c", "2", "--warm-up", "2.6", "-t", "0.4", url)  # between the first and the second
        assert r.returncode == 3 and "messages     0, 0/s" in r.stdout
        assert "no answer came in the time that was measured; --time makes it longer" in r.stderr
        assert bench("-c", "2", "-t", "0.2", "--warm-up", "0", "--idle", url).returncode == 0


@pytest.mark.parametrize("how", [[], ["--in-flight", "20", "--kind", "both"],
                                 ["--size", "0-300:3,70000:1"], ["--rate", "2000"],
                                 ["--threads", "2"], ["--deflate", "--size", "1K"]])
def test_an_echo_server_s_messages_are_all_the_same(how):
    with serving(example("echo_server"), "--port", "0", "--deflate") as url:
        got = measure(*how, url)
    assert got["messages"] > 50 and got["opened"] == 8
    assert got["faults"].pop("late") < 50
    assert not any(got["faults"].values()), got["faults"]
    times = got["latency_us"]
    assert 0 < times["min"] <= times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert times["corrected"] == ("--rate" in how)
    assert sum(n for _, n in got["samples"]) > 0


def test_what_is_refused_is_for_the_doctor_with_the_same_request():
    with serving(example("echo_server"), "--port", "0") as url:
        r = bench(*QUICK, "--origin", "https://evil.example", "--source", "127.0.0.2-127.0.0.3",
                  url)
    assert r.returncode == 1
    assert ("sesame doctor --origin https://evil.example --source 127.0.0.2 %s tells why." % url
            in r.stderr), r.stderr


def test_a_rate_is_kept():
    with serving(example("echo_server"), "--port", "0") as url:
        got = measure("--rate", "1000", "--time", "1", url)
    # The clock of a busy machine is read late at both ends of that second; a
    # rate that is not kept is wrong by a factor.
    assert 900 <= got["messages"] <= 1100


def test_cpu_and_memory_of_the_server_are_read():
    port = free_port()
    program = subprocess.Popen([example("echo_server"), "--port", str(port)],
                               stdout=subprocess.PIPE, text=True)
    try:
        program.stdout.readline()
        held = Held(program.pid)
        url, pid = "ws://127.0.0.1:%d" % port, str(program.pid)
        got = measure("--pid", pid, url)["server"]
        assert got["cpu_ns_per_message"] > 100 and 0 < got["cores"] < 1.5
        idle = measure("--pid", pid, "--idle", "-c", "500", url)
        assert idle["opened"] == 500 and idle["messages"] == 0
        assert 100 < idle["server"]["memory_bytes_per_connection"] < 5000
        held.check()
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
    r = bench("--pid", pid, url)
    assert r.returncode == 3 and "process %s cannot be looked at" % pid in r.stderr


@contextmanager
def mortal_server():
    """An echo server that may be killed: its process, and its URL."""
    program = subprocess.Popen([example("echo_server"), "--port", "0"], stdout=subprocess.PIPE,
                               text=True)
    try:
        held = Held(program.pid)
        yield program, re.search(r"ws://\S+", program.stdout.readline()).group(0)
        if program.poll() is None:
            held.check()
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


LONG = ["-c", "8", "--time", "20", "--warm-up", "0.1"]


@pytest.mark.parametrize("is_reaped", [True, False])
def test_a_server_that_ends_takes_only_its_own_figures_with_it(is_reaped):
    with mortal_server() as (program, url):
        pid = ["--pid", str(program.pid)]
        load = subprocess.Popen([SESAME, "bench", *LONG, "--json", *pid, url],
                                stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            load.wait(0.6)
        program.kill()
        if is_reaped:
            program.wait()
        out, _ = load.communicate(timeout=20)
        after = bench(*pid, *QUICK, url)
        program.wait()
    got = json.loads(out)
    assert load.returncode == 1
    assert got["messages"] > 50 and got["seconds"] < 10 and got["latency_us"]["p50"] > 0
    assert got["server"] is None and got["faults"]["server_ended"]
    # Where it is known before that there is no server, nothing is begun.
    assert after.returncode == 3 and "cannot be looked at" in after.stderr


def test_that_a_server_ended_is_told():
    with mortal_server() as (program, url):
        killer = threading.Timer(0.5, program.kill)
        killer.start()
        r = bench(*LONG, "--pid", str(program.pid), url)
        killer.cancel()
        program.wait()
    assert r.returncode == 1
    assert "process %d ended during the run" % program.pid in r.stdout
    assert "  server " not in r.stdout and re.search("^  messages +[1-9]", r.stdout, re.M)


def test_memory_of_a_few_connections_is_not_divided_among_them():
    with serving(example("echo_server"), "--port", "0") as url:
        text = bench("--idle", *QUICK, "--pid", str(os.getpid()), url).stdout
    assert "memory " in text and "for each connection" not in text


def test_handshakes_are_counted_and_refusals_where_they_are_wanted(tmp_path):
    door = """listen:
  - address: 127.0.0.1:0
routes:
  - path: /
    to: echo
    allow: {origins: ["https://good.example"]}
"""
    with gateway(tmp_path, door) as g:
        assert measure("--handshakes", "--origin", "https://good.example", g.url)["messages"] > 20
        refused = ["--handshakes", "--origin", "https://evil.example"]
        assert measure(*refused, "--expect", "403", g.url)["messages"] > 20
        wrong = measure(*refused, g.url, status=1)
        assert wrong["messages"] == 0 and wrong["faults"]["not_opened"] == 8
        assert "403" in wrong["faults"]["first"]
        admitted = measure("--handshakes", "--origin", "https://good.example",
                           "--expect", "403", g.url, status=1)
        assert "was to be refused with 403" in admitted["faults"]["first"]
        text = bench(*QUICK, "--handshakes", "--origin", "https://good.example", "--expect", "403",
                     g.url).stdout
        assert re.search(r"fault +\d+ handshakes were admitted$", text, re.M), text


@pytest.mark.parametrize("how", [[], ["--in-flight", "8"], ["--rate", "200"]])
def test_all_others_hear_a_broadcast_once_and_in_order(tmp_path, how):
    with gateway(tmp_path, config()) as g:
        got = measure("--broadcast", "--size", "64", *how, g.url + "/chat/lobby")
    assert got["messages"] > 100 and got["faults"]["missing"] == got["faults"]["wrong"] == 0


@needs_ws
def test_a_node_server_s_broadcast_is_heard():
    code = """
const {WebSocketServer} = require('ws');
const all = new WebSocketServer({port: Number(process.argv[1]), host: '127.0.0.1'},
                                () => console.log('up'));
all.on('connection', ws => ws.on('message', (data, binary) => {
  for (const other of all.clients) other.send(data, {binary});
}));"""
    port = free_port()
    node = subprocess.Popen(["node", "-e", code, str(port)], env=ENV, stdout=subprocess.PIPE)
    try:
        node.stdout.readline()
        got = measure("--broadcast", "--size", "64", "ws://127.0.0.1:%d" % port)
    finally:
        node.kill()
        node.wait()
        node.stdout.close()
    assert got["messages"] > 50 and got["faults"]["missing"] == 0


def test_what_was_agreed_on_compression_is_told():
    with serving(example("echo_server"), "--port", "0", "--deflate") as url:
        got = measure("--deflate", "--size", "1K", url)
        text = bench("--deflate", "--size", "1K", *QUICK, url).stdout
        plain = measure(url)
    assert got["deflate"]["agreed"] == 8 and got["deflate"]["declined"] == 0
    terms = got["deflate"]["terms"].split("; ")
    assert terms[0] == "permessage-deflate" and "server_no_context_takeover" in terms
    assert re.search("^  agreed +%s$" % re.escape("; ".join(terms)), text, re.M), text
    assert plain["deflate"] is None


# ---- what goes wrong ----

@pytest.mark.parametrize("mode", [[], ["--handshakes"]])
def test_who_declines_compression_is_a_fault_and_not_a_figure(mode):
    with serving(example("echo_server"), "--port", "0") as url:
        got = measure("--deflate", *mode, url, status=1)
        r = bench("--deflate", *mode, *QUICK, url)
    declined = got["deflate"]["declined"]
    assert declined == got["faults"]["declined"] and got["deflate"]["agreed"] == 0
    assert declined > 20 if mode else declined == 8
    assert "terms" not in got["deflate"]
    assert r.returncode == 1
    assert re.search("fault +\\d+ %s declined compression" % ("handshakes" if mode else
                                                              "connections"), r.stdout), r.stdout
    assert "declined permessage-deflate" in r.stdout and "leave --deflate out" in r.stdout


def test_connections_that_decline_compression_are_counted_one_by_one():
    turn = []

    async def forget_every_second_offer(path, request):
        turn.append(path)
        if len(turn) % 2:
            del request["Sec-WebSocket-Extensions"]

    async def echo(ws):
        async for message in ws:
            await ws.send(message)

    with server(echo, process_request=forget_every_second_offer) as url:
        got = measure("--deflate", url, status=1)
    assert got["deflate"]["agreed"] == got["deflate"]["declined"] == 4



@pytest.mark.parametrize("deaf, how, words", [
    (1, ["--rate", "20", "--time", "1.5"], "1 of 7 listeners heard nothing"),
    (7, [], "7 of 7 listeners heard nothing"),
])
def test_listeners_of_a_broadcast_who_hear_nothing_are_counted(deaf, how, words):
    there = []

    async def tell_others(ws):
        there.append(ws)
        async for message in ws:
            for other in [w for w in there if w is not ws][deaf:]:
                await other.send(message)

    with server(tell_others) as url:
        got = measure("--broadcast", "--size", "64", *how, url, status=1)
    assert words in got["faults"]["first"] and got["faults"]["missing"] >= deaf


async def change(ws):
    async for message in ws:
        await ws.send(message[:-1] + "X")


async def repeat(ws):
    async for message in ws:
        await ws.send(message)
        await ws.send(message)


async def forget(ws):
    n = 0
    async for message in ws:
        n += 1
        if n % 5:
            await ws.send(message)


async def leave(ws):
    async for message in ws:
        await ws.close(4001, "enough")


@pytest.mark.parametrize("handler, words, fault", [
    (change, "came back changed: .*with other words: without --broadcast", "wrong"),
    (repeat, "changed|nobody had sent", "wrong"),
    (forget, "came back changed", "wrong"),
    (leave, "4001 enough", "ended"),
])
def test_a_server_that_does_not_echo_is_found_out(handler, words, fault):
    with server(handler) as url:
        got = measure("--in-flight", "4", url, status=1)
    assert re.search(words, got["faults"]["first"])
    assert got["faults"][fault] == 8


def test_a_stall_is_counted_for_all_that_it_kept_waiting():
    """One second in which nothing is answered: by the clock, hundreds were due."""
    async def stall(ws):
        n = 0
        async for message in ws:
            n += 1
            if n == 300:
                await asyncio.sleep(1)
            await ws.send(message)

    how = ["-c", "1", "--time", "2", "--warm-up", "0"]
    # (what is on its way at the end is late, and no fault)
    with server(stall) as url:
        due = measure(*how, "--rate", "500", url)["latency_us"]
        asked = measure(*how, url)["latency_us"]
    assert due["p90"] > 200_000 and due["max"] > 900_000
    assert asked["p90"] < 200_000


def test_who_does_not_listen_or_refuses_is_named_and_the_doctor_with_it():
    url = "ws://127.0.0.1:%d/x?token=s3cret" % free_port()
    r = bench(*QUICK, url)
    assert r.returncode == 1
    assert "refused" in r.stderr and "sesame doctor" in r.stderr
    assert "s3cret" not in r.stdout + r.stderr


@pytest.mark.parametrize("words, complaint", [
    (["--size", "big"], "big is no size"),
    (["-c", "0"], "0 is not a number of connections"),
    (["--kind", "json"], "text, binary or both"),
    (["--broadcast", "--idle"], "one of --broadcast, --handshakes and --idle"),
    (["--broadcast", "--size", "8"], "--size 16 or more"),
    (["--broadcast", "-c", "1"], "-c 2 or more"),
    (["--threads", "9", "-c", "8"], "9 threads for 8 connections"),
    (["--expect", "403"], "--expect goes with --handshakes"),
    (["--source", "127.0.0.9-127.0.0.2"], "not a range of addresses"),
    (["--time", "0"], "measures nothing"),
    (["--source", "foo"], "an address of this machine, such as 192.0.2.7, and not foo"),
    (["--pid", "x"], "x is not a number of a process"),
    (["--pid", "1,,2"], "--pid has an empty place"),
    (["--pid", ""], "--pid has an empty place"),
    (["--handshakes", "--size", "1K"], "--size is of messages"),
    (["--idle", "--in-flight", "2"], "--in-flight is of messages"),
])
def test_wrong_usage_is_told(words, complaint):
    r = bench(*words, "ws://127.0.0.1:1")
    assert r.returncode == 2 and complaint in r.stderr
    assert bench().returncode == 2


def test_more_connections_than_descriptors_are_not_begun():
    code = "ulimit -n 100; exec %s bench -c 500 ws://127.0.0.1:1" % SESAME
    r = subprocess.run(["sh", "-c", code], capture_output=True, text=True, timeout=20)
    assert r.returncode == 3 and "ulimit -n" in r.stderr


def test_several_addresses_are_taken_in_turn():
    seen = set()

    async def note(ws):
        seen.add(ws.remote_address[0])
        await greet_nobody(ws)

    async def greet_nobody(ws):
        async for message in ws:
            await ws.send(message)

    with server(note) as url:
        measure("--source", "127.0.0.2-127.0.0.5", url)
    assert seen == {"127.0.0.%d" % i for i in (2, 3, 4, 5)}


# ---- what is told ----

def test_a_report_says_what_was_done_and_a_plot_is_a_picture(tmp_path):
    with serving(example("echo_server"), "--port", "0") as url:
        r = bench(*QUICK, "--rate", "500", "--plot", str(tmp_path / "p.svg"), url)
    assert r.returncode == 0, r.stderr
    rate = re.search(r"messages +\d+, (\d+)/s", r.stdout)
    assert 0 < int(rate.group(1)) <= 600, r.stdout  # a busy machine: fewer
    assert "from when each was due" in r.stdout and "p99.9" in r.stdout
    assert max(map(len, r.stdout.splitlines())) <= 110
    picture = ET.parse(tmp_path / "p.svg").getroot()
    ns = "{http://www.w3.org/2000/svg}"
    lines = [p.get("d") for p in picture.iter(ns + "path") if p.get("class") == "line"]
    assert len(lines) == 2 and all(line.count("L") > 2 for line in lines)


def test_a_picture_that_cannot_be_written_is_told_before_the_run(tmp_path):
    file = str(tmp_path / "none/p.svg")
    with serving(example("echo_server"), "--port", "0") as url:
        r = bench("--time", "600", "--plot", file, url)
    assert r.returncode == 3 and file + " cannot be written: No such file" in r.stderr


def test_an_interrupted_run_tells_what_it_has(tmp_path):
    with serving(example("echo_server"), "--port", "0") as url:
        p = subprocess.Popen([SESAME, "bench", "-c", "4", "--time", "30", "--warm-up", "0.1",
                              "--json", url], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            p.wait(1)
        p.terminate()
        out, _ = p.communicate(timeout=10)
    assert p.returncode == 130
    got = json.loads(out)
    assert got["interrupted"] and got["messages"] > 0 and got["seconds"] < 5
