# SPDX-License-Identifier: MIT
"""Whether what an endpoint did is what the row asks for, and in few words what
it did otherwise."""
from case import DEFLATE, Terms
from squeezing import C_BITS, C_FRESH, S_BITS, S_FRESH


def judge(case, heard, end):
    """"" when it did as the row says. @heard: events; @end: how TCP ended."""
    what, code = case.ends
    asked = [*case.hears]
    if what != "gone":
        asked.append(("close", code))
    if heard == asked and end == "eof":
        return ""
    return describe(case, heard, end)


def describe(case, heard, end):
    said = [e for e in heard if e[0] != "close"]
    codes = [e[1] for e in heard if e[0] == "close"]
    words = []
    if said != [*case.hears]:
        words.append(describe_answers([*case.hears], said))
    if codes:
        words.append("closes with %s" % (codes[0] or "no code"))
    if not codes or end != "eof":
        words.append({"eof": "ends TCP", "reset": "resets TCP", "open": "stays open"}.get(end, end))
    return ", ".join(words)


def describe_answers(asked, said):
    if not asked:
        return "answers"
    rest = iter(asked)
    if all(event in rest for event in said):  # those that there are stand in order
        return "answers %d of %d" % (len(said), len(asked))
    return "answers in another order" if sorted(said) == sorted(asked) else "answers otherwise"


# ---- the bargain over compression, read independently ----

def parse(field):
    """[(name, [(parameter, value or None)])], of a broken field whatever can be made of it.
    For fields as endpoints write them; the table's own are what a row says."""
    out = []
    for element in filter(None, (e.strip() for e in field.split(","))):
        name, *parameters = (p.strip() for p in element.split(";"))
        pairs = []
        for parameter in parameters:
            key, equals, value = parameter.partition("=")
            pairs.append((key.strip(), value.strip().strip('"').replace("\\", "") if equals else None))
        out.append((name, pairs))
    return out


def terms_of(answer):
    """Terms of an answer (field or ""), or None; ValueError when it is not one."""
    chosen = parse(answer)
    if not chosen:
        return None
    if len(chosen) > 1 or chosen[0][0] != DEFLATE:
        raise ValueError("chooses %s" % answer)
    pairs = chosen[0][1]
    said = dict(pairs)
    if len(said) != len(pairs) or set(said) - {S_FRESH, C_FRESH, S_BITS, C_BITS}:
        raise ValueError("chooses %s" % answer)
    for name in (S_BITS, C_BITS):
        if name in said and not (said[name] or "").isdigit() or not 8 <= int(said.get(name, 15)) <= 15:
            raise ValueError("chooses %s" % answer)
    return Terms(S_FRESH not in said, C_FRESH not in said, int(said.get(S_BITS, 15)), int(said.get(C_BITS, 15)))


def keeps_to(offer, answer):
    """Whether the answer meets one of these offers (RFC 7692 7.1)."""
    terms, answered = terms_of(answer), dict(parse(answer)[0][1])
    for name, pairs in parse(offer):
        asked = dict(pairs)
        if name != DEFLATE or (S_FRESH in asked and terms.server_takeover):
            continue
        if S_BITS in asked and (S_BITS not in answered or terms.server_bits > int(asked[S_BITS])):
            continue
        if C_BITS in answered and (C_BITS not in asked or terms.client_bits > int(asked[C_BITS] or 15)):
            continue
        return True
    return False
