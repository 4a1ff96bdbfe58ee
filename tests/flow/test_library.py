# SPDX-License-Identifier: MIT
"""The library and other implementations understand each other: Python's
websockets and Node's ws, both ways, with compression and with TLS."""
import asyncio
import os
import shutil
import ssl
import subprocess
import textwrap

import pytest
from rawsocket import example, serving

MESSAGES = ["", "hi", "ä☕" * 1000, b"", b"\x00\xff" * 70000, "x" * 3_000_000]


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A certificate for 127.0.0.1 that is its own CA."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    at = tmp_path_factory.mktemp("papers")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", at / "key.pem", "-out", at / "cert.pem"],
                   check=True, capture_output=True)
    return at


def echo_by_websockets(url, **options):
    websockets = pytest.importorskip("websockets")

    async def talk():
        async with websockets.connect(url, max_size=None, **options) as peer:
            for message in MESSAGES:
                await peer.send(message)
                assert await peer.recv() == message
            await peer.send(iter(["in ", "three ", "parts"]))
            assert await peer.recv() == "in three parts"
            await (await peer.ping())
            extensions = peer.response_headers.get("Sec-WebSocket-Extensions", "")
            await peer.close(4002, "enough")
            return peer.close_code, extensions

    return asyncio.run(asyncio.wait_for(talk(), 60))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_websockets_talks_to_our_server(compression):
    with serving(example("echo_server"), "--deflate") as url:
        code, extensions = echo_by_websockets(url, compression=compression)
        assert code == 4002
        assert ("permessage-deflate" in extensions) == bool(compression)


PARAMETERS = [
    {},
    {"server_no_context_takeover": True},
    {"client_no_context_takeover": True},
    {"server_max_window_bits": 9},
    {"client_max_window_bits": 9},
    {"server_no_context_takeover": True, "client_no_context_takeover": True,
     "server_max_window_bits": 10, "client_max_window_bits": 12},
]


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda p: "+".join(p) or "none")
def test_every_parameter_of_compression_is_understood(parameters):
    pytest.importorskip("websockets")
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
    with serving(example("echo_server"), "--deflate") as url:
        factory = ClientPerMessageDeflateFactory(**parameters)
        code, extensions = echo_by_websockets(url, compression=None, extensions=[factory])
        assert code == 4002
        assert "permessage-deflate" in extensions


def test_websockets_talks_to_our_server_over_tls(papers):
    with serving(example("echo_server"), "--deflate", "--cert", papers / "cert.pem",
                 "--key", papers / "key.pem") as url:
        assert url.startswith("wss://")
        trust = ssl.create_default_context(cafile=papers / "cert.pem")
        assert echo_by_websockets(url, ssl=trust)[0] == 4002


def test_a_message_over_the_limit_is_answered_with_1009_and_heard():
    websockets = pytest.importorskip("websockets")

    async def send_too_much(url):
        async with websockets.connect(url, compression=None, max_size=None) as peer:
            with pytest.raises(websockets.ConnectionClosed):
                await peer.send(b"x" * 20_000_000)
                await peer.recv()
            return peer.close_code

    with serving(example("echo_server"), "--max-message", "1000000") as url:
        assert asyncio.run(asyncio.wait_for(send_too_much(url), 30)) == 1009


def run_client(*args):
    return subprocess.run([example("echo_client"), *args], capture_output=True, text=True,
                          timeout=60)


@pytest.mark.parametrize("deflate", [[], ["--deflate"]])
@pytest.mark.parametrize("tls", [False, True])
def test_our_client_talks_to_websockets(papers, deflate, tls):
    websockets = pytest.importorskip("websockets")

    async def echo(peer, *_):
        async for message in peer:
            await peer.send(message)

    async def play():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(papers / "cert.pem", papers / "key.pem")
        async with websockets.serve(echo, "127.0.0.1", 0, ssl=context if tls else None) as server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.to_thread(
                run_client, *deflate, "--cacert", papers / "cert.pem",
                f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/", "hello", "ä" * 50000)

    got = asyncio.run(asyncio.wait_for(play(), 60))
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout == "hello\n" + "ä" * 50000 + "\n"


def node(script, *args):
    if not shutil.which("node"):
        pytest.skip("needs node")
    environment = os.environ | {"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}
    found = subprocess.run(["node", "-e", "require('ws')"], env=environment, capture_output=True)
    if found.returncode:
        pytest.skip("needs ws (node-ws)")
    return subprocess.Popen(["node", "-e", textwrap.dedent(script), *map(str, args)],
                            env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("deflate", [False, True])
def test_ws_talks_to_our_server(deflate):
    with serving(example("echo_server"), "--deflate") as url:
        client = node("""
            const [url, deflate] = process.argv.slice(1);
            const WebSocket = require('ws');
            const ws = new WebSocket(url, {perMessageDeflate: deflate === 'True'});
            const sent = ['', 'hi', 'ä☕'.repeat(10000), 'x'.repeat(3000000)];
            let n = 0;
            ws.on('open', () => sent.forEach(m => ws.send(m)));
            ws.on('message', data => {
                if (data.toString() !== sent[n]) throw new Error('message ' + n);
                if (++n === sent.length) ws.close(4003, 'enough');
            });
            ws.on('close', (code, why) => console.log(n, code, ws.extensions));
        """, url, deflate)
        out, _ = client.communicate(timeout=60)
        assert out.split() == ["4", "4003"] + (["permessage-deflate"] if deflate else [])


@pytest.mark.parametrize("deflate", [[], ["--deflate"]])
def test_our_client_talks_to_ws(deflate):
    server = node("""
        const {WebSocketServer} = require('ws');
        const wss = new WebSocketServer({port: 0, host: '127.0.0.1', perMessageDeflate:
            {threshold: 10}}, () => console.log(wss.address().port));
        wss.on('connection', ws => ws.on('message', (data, binary) => ws.send(data, {binary})));
    """)
    try:
        port = int(server.stdout.readline())
        got = run_client(*deflate, f"ws://127.0.0.1:{port}/", "hello", "ä☕" * 20000, "")
        assert (got.returncode, got.stderr) == (0, "")
        assert got.stdout == "hello\n" + "ä☕" * 20000 + "\n\n"
    finally:
        server.kill()
        server.communicate()
