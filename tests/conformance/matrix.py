#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Plays the table to every implementation that is here and prints what each
rule meets, as docs/conformance.md has it.

    matrix.py [--write] [--servers | --clients] [NAME...]

NAMEs are parts of the names of peers; rows that went otherwise are listed on
the standard error."""
import collections
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "flow"))

import others  # noqa: E402
import table  # noqa: E402
from case import LIMIT  # noqa: E402
from host import Host  # noqa: E402
from play import Unoffered, play_to_server  # noqa: E402

PAGE = HERE.parents[1] / "docs/conformance.md"
PATIENCE = 1.5
MARKS = {"s": ("<!-- servers -->", "<!-- end of servers -->"), "c": ("<!-- clients -->", "<!-- end of clients -->")}


def cases_for(role):
    return [c for c in table.cases(role) if c.limit == LIMIT]


def play_server(peer, cases):
    """{id: verdict}"""
    program = peer.start()
    try:
        port = int(re.search(r":(\d+)", program.stdout.readline())[1])

        def play(case):
            try:
                return case.id, play_to_server(("127.0.0.1", port), case, PATIENCE)
            except Unoffered:
                return case.id, "does not compress"
            except OSError as error:
                return case.id, "is gone: %s" % error

        with ThreadPoolExecutor(8) as pool:
            return dict(pool.map(play, cases))
    finally:
        program.kill()
        program.communicate()


def play_client(peer, cases):
    page = (HERE / "peers/page.html").read_bytes()
    with Host(cases, PATIENCE, page) as host:
        client = peer.start(host.url)
        try:
            client.communicate(timeout=1200)
        finally:
            client.kill()
            client.communicate()
        return {c.id: host.verdicts.get(c.id, "was not played") for c in cases}


def tally(cases, verdicts):
    """{rule: Counter of what was done instead}"""
    out = {rule: collections.Counter() for rule in table.RULES}
    for case in cases:
        said = re.sub(r"answers \d+ of \d+", "answers some", verdicts[case.id])
        said = re.sub(r"(answers|chooses|agrees to it:) permessage.*", r"\1 otherwise", said)
        if said:
            out[case.rule][said] += 1
    return out


def cell(counter, n):
    if not counter:
        return "as asked"
    common = ", ".join("%d %s" % (k, said) for said, k in counter.most_common(3))
    more = sum(counter.values()) - sum(k for _, k in counter.most_common(3))
    return common + (", %d more" % more if more else "")


def matrix(role, names):
    cases = cases_for(role)
    counts = collections.Counter(c.rule for c in cases)
    with tempfile.TemporaryDirectory() as build:
        peers = [p for p in (others.servers(build) if role == "s" else others.clients())
                 if not names or any(n in p.name for n in names)]
        tallies = {}
        for peer in peers:
            print("playing %d rows to %s" % (len(cases), peer.name), file=sys.stderr)
            verdicts = (play_server if role == "s" else play_client)(peer, cases)
            for case in cases:
                if verdicts[case.id]:
                    print("%s\t%s\t%s" % (peer.name, case.id, verdicts[case.id]), file=sys.stderr)
            tallies[peer.name] = tally(cases, verdicts)
    lines = ["| rule | rows | " + " | ".join(tallies) + " |", "|---" * (2 + len(tallies)) + "|"]
    for rule in table.RULES:
        if counts[rule]:
            cells = [cell(tallies[p][rule], counts[rule]) for p in tallies]
            lines.append("| `%s` | %d | %s |" % (rule, counts[rule], " | ".join(cells)))
    return "\n".join(lines)


def write(role, lines):
    begin, end = MARKS[role]
    text = PAGE.read_text()
    before, rest = text.split(begin)
    PAGE.write_text(before + begin + "\n" + lines + "\n" + end + rest.split(end)[1])


def main(arguments):
    names = [a for a in arguments if not a.startswith("--")]
    roles = [r for r, option in (("s", "--servers"), ("c", "--clients")) if option in arguments]
    for role in roles or "sc":
        lines = matrix(role, names)
        print(lines + "\n")
        if "--write" in arguments:
            write(role, lines)


if __name__ == "__main__":
    main(sys.argv[1:])
