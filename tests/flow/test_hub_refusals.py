# SPDX-License-Identifier: MIT
"""What members are refused: each with a cause, and with a reference that an operator
finds the same refusal by."""
import asyncio

import pytest
from crowds import masked
from gateways import REFERENCE, gateway
from hubs import config, envelopes, join, leave, post, write_tokens
from test_hub_presence import SECRET, jwt

STATE = "hub: {kind: state, key: k, keys: 1}"
MAY = ("hub: {may: {publish: {role: editor}}}\n"
       "allow: {token: {from: query:token, jwt: {secret_file: secret}}}")

# (what the route says, what is said before, what is refused; its code, cause, status,
#  and a word of the note)
REFUSED = [
    ("", [], {"unheard-of": 1}, "bad", "client.bad-handshake", 400, "one of publish"),
    ("", [], {"publish": 7}, "bad", "client.bad-handshake", 400, "publish"),
    ("", [], {"publish_base64": "?"}, "bad", "client.bad-handshake", 400, "base64"),
    ("", [], {"resume": "aaaaaaaa-1"}, "late", "client.bad-handshake", 400, "resume"),
    (STATE, [], {"publish": "x"}, "key", "client.bad-handshake", 400, ""),
    (STATE, [{"publish": {"k": "a", "v": 1}}], {"publish": {"k": "b", "v": 1}}, "full", "server.limit", 503,
     "hub.keys"),
    ("", [], {"presence": "list"}, "permission", "access.permission", 403, "hub.presence"),
    (MAY, [], {"publish": "x"}, "permission", "access.permission", 403, "hub.may.publish"),
    ("hub: {rates: {member: 1/minute}}", [{"publish": "x"}], {"publish": "y"}, "rate",
     "access.rate", 429, "it sent more"),
    ("hub: {rates: {channel: 1/minute}}", [{"publish": "x"}], {"publish": "y"}, "rate",
     "access.rate", 429, "its channel got more"),
]


@pytest.mark.parametrize("more,before,said,code,cause,status,word", REFUSED,
                         ids=["%s-%d" % (row[3], i) for i, row in enumerate(REFUSED)])
def test_a_refusal_has_a_cause_and_a_reference(tmp_path, more, before, said, code, cause, status,
                                               word):
    async def play(g):
        a = await envelopes(g, "lobby?token=" + jwt(sub="alice") if more == MAY else "lobby")
        for demand in before:
            assert (await a.ask(**demand))["type"] == "ack"
        e = await a.ask(**said)
        assert (e["type"], e["code"], e["cause"]) == ("error", code, cause), e
        assert REFERENCE.fullmatch(e["reference"])
        story = g.story(e["reference"])
        assert (story["cause"], story["status"]) == (cause, status)
        assert word in story["note"] and story["target"].startswith("/chat/lobby")
        await leave(a)

    (tmp_path / "secret").write_bytes(SECRET)
    with gateway(tmp_path, config(more)) as g:
        asyncio.run(play(g))


def test_of_many_refusals_each_has_the_reference_of_one_of_its_kind(tmp_path):
    async def play(g):
        a = await envelopes(g)
        first = [await a.ask(publish=str(i)) for i in range(40)][-1]
        second = await a.ask(presence="count")
        third = await a.ask(publish="one more")
        for e, cause in ((first, "access.rate"), (second, "access.permission"),
                         (third, "access.rate")):
            assert e["cause"] == cause and g.story(e["reference"])["cause"] == cause
        await leave(a)

    with gateway(tmp_path, config("hub: {rates: {member: 1/minute}}")) as g:
        asyncio.run(play(g))


def test_why_opens_with_the_limit_of_messages_that_it_was(tmp_path):
    async def play(g):
        a, plain = await envelopes(g), await join(g)
        await a.ask(publish="one")
        e = await a.ask(publish="two")
        await plain.send("one")
        await plain.send("two")
        await asyncio.wait_for(plain.wait_closed(), 10)
        assert plain.close_code == 1008 and plain.close_reason.endswith(" too many messages")
        for reference in (e["reference"], plain.close_reason.split()[0]):
            head = g.headline(reference)
            assert "It sent more messages than its rate allows." in head
            assert "handshakes" not in head
        await leave(a)

    with gateway(tmp_path, config("hub: {rates: {member: 1/minute}}")) as g:
        asyncio.run(play(g))


# (what the route says, what is sent by whom, what `sesame why` opens with, what is expected)
UNREADABLE = [
    ("", '{"publish": "x", }', "A message could not be taken: an envelope is a JSON object; its JSON "
     "breaks at byte 18.", '{"publish": ...}, {"publish_base64": ...}'),
    ("", '{"publish": 7}', "A message could not be taken: publish is a text, an object or a list.",
     '{"publish": ...}'),
    ("", '{"resume": "aaaaaaaa-1"}', "A message could not be taken: resume is for the first message, "
     "after ?since=later.", '{"resume": ID} before anything else'),
    (STATE, '{"publish": {"key": 1}}', "A message could not be taken: the payload has no key: a text or "
     "a whole number.", "a JSON object with its key in the member k,"),
    ("", ("?batch", b'["one", two]'), "A POST could not be taken: a batch is a JSON list of payloads; "
     "its JSON breaks at byte 9.", "a JSON list of 1 to 1000 texts, objects and lists"),
    ("", ("", b"x", "Content-Encoding: gzip"), "A POST could not be taken: a message is sent as it is, "
     "without a Content-Encoding.", "a body as it is to be published, with its Content-Length"),
    ("", ("", b"x", "Idempotency-Key: " + "k" * 256), "A POST could not be taken: the Idempotency-Key is "
     "longer than 255 bytes.", "one Idempotency-Key of 255 bytes at most"),
    (STATE, ("", b"[]"), "A POST could not be taken: a payload of this channel is a JSON object.",
     "a JSON object with its key in the member k,"),
]


async def refused(g, sent):
    """The reference of what was sent, as a text of sesame.v1 or by POST."""
    if not isinstance(sent, str):
        query, body, *fields = sent
        return (await asyncio.to_thread(post, g, body, "lobby" + query, fields)).reference
    a = await envelopes(g)
    await a.ws.send(sent)
    e = await a.next("error")
    await leave(a)
    return e["reference"]


@pytest.mark.parametrize("more,sent,head,expected", UNREADABLE,
                         ids=["%d" % i for i in range(len(UNREADABLE))])
def test_why_opens_with_what_could_not_be_read(tmp_path, more, sent, head, expected):
    hub = more[:-1].replace("hub: {", "") or "presence: true"
    write_tokens(tmp_path)
    with gateway(tmp_path, config("hub: {%s, publish: {hashes_file: hashes}}" % hub)) as g:
        reference = asyncio.run(refused(g, sent))
        assert g.headline(reference).endswith(head), g.headline(reference)
        told = " ".join(g.why(reference).stdout.split())
        assert " expected " + expected in told
        assert ("The handshake was in order" if isinstance(sent, str) else
                "The rules let it in") in told
        assert "decided" not in told and "to: hub" not in told
        assert g.story(reference)["cause"] == "client.bad-handshake"


@pytest.mark.parametrize("limit,channel,words,head", [
    ("channels: 1", "second", "There is no room for a further channel.",
     "hub.channels of this route is reached."),
    ("members: 1", "lobby", "There is no room for a further member of this channel.",
     "hub.members of this channel is reached.")])
def test_who_finds_no_room_is_told_for_what(tmp_path, limit, channel, words, head):
    async def play(g):
        a, late = await envelopes(g), await join(g, channel)
        await asyncio.wait_for(late.wait_closed(), 10)
        reference, said = late.close_reason.split(" ", 1)
        assert REFERENCE.fullmatch(reference) and words in said
        assert head in g.headline(reference) and "connection" not in g.headline(reference)
        await leave(a)

    more = config("hub: {%s}" % limit).replace("refusal: {", "refusal: {close: true, ")
    with gateway(tmp_path, more) as g:
        asyncio.run(play(g))


# (frames, the close code, the cause, and a word of the note)
CUTS = [
    (masked(b"x" * 1001), 1009, "server.limit", "longer"),
    (masked(b"\xff"), 1007, "client.bad-handshake", "UTF-8"),
    (b"\x83\x80\0\0\0\0", 1002, "client.bad-handshake", ""),
]


@pytest.mark.parametrize("protocol", [[], ["sesame.v1"]])
@pytest.mark.parametrize("frames,code,cause,word", CUTS, ids=[str(row[1]) for row in CUTS])
def test_who_is_cut_off_for_its_frames_is_told_a_reference(tmp_path, frames, code, cause, word,
                                                           protocol):
    async def play(g):
        a, b = await join(g, subprotocols=protocol or None), await envelopes(g)
        a.transport.write(frames)
        await asyncio.wait_for(a.wait_closed(), 10)
        assert a.close_code == code
        reference = a.close_reason.split()[0]
        assert REFERENCE.fullmatch(reference), a.close_reason
        story = g.story(reference)
        assert (story["cause"], story["status"]) == (cause, code) and word in story["note"]
        if code == 1009:
            assert story["rule"] == "message: 1000"
        else:
            assert "opening request" not in g.headline(reference)
            assert "The handshake was in order" in g.why(reference).stdout
        assert (await b.ask(publish="others are served"))["type"] == "ack"
        await leave(b)

    with gateway(tmp_path, config("limits: {message: 1000}")) as g:
        asyncio.run(play(g))
