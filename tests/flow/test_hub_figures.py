# SPDX-License-Identifier: MIT
"""What is counted of channels."""
import asyncio
import json
import re
import urllib.request

from gateways import gateway
from hubs import config, envelopes, leave

CONFIG = config("hub: {channels: 2, history: {messages: 5}}") + "admin: {address: 127.0.0.1:0}\n"


def figures(g):
    text = urllib.request.urlopen(g.admin + "/metrics").read().decode()
    return {k: float(v) for k, v in re.findall(r"^sesame_(channel\w+) (\S+)$", text, re.M)}


def test_channels_their_members_and_gaps_are_counted(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for i in range(9):
            last = (await a.ask(publish="x"))["id"]
        b = await envelopes(g, since=last[:9] + "1")
        assert (await b.next())["missing"] == 3
        f = await asyncio.to_thread(figures, g)
        assert (f["channels"], f["channels_idle"], f["channel_members"]) == (1, 0, 2)
        assert f["channel_gaps_total"] == 1 and f["channel_missed_total"] == 3
        assert 500 < f["channel_kept_bytes"] < 3000
        await leave(a, b)
        for name in ("two", "three"):
            c = await envelopes(g, name)
            await c.ask(publish="x")
            await leave(c)
        await asyncio.sleep(0.2)
        f = await asyncio.to_thread(figures, g)
        assert (f["channels"], f["channels_idle"], f["channel_members"]) == (2, 2, 0)
        assert f["channels_evicted_total"] == 1 and f["channel_on_way_bytes"] == 0
        status = json.loads(urllib.request.urlopen(g.admin + "/status.json").read())
        assert status["channels"]["idle"] == 2 and status["channels"]["evicted"] == 1

    with gateway(tmp_path, CONFIG) as g:
        asyncio.run(play(g))
