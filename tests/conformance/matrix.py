#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Plays the table to every implementation that is here and prints what each
rule meets, as docs/conformance.md has it.

    matrix.py [--write] [--rules | --servers | --clients] [NAME...]

NAMEs are parts of the names of peers; rows that went otherwise are listed on
the standard error. --write puts it into the page; --rules plays nothing."""
import collections
import itertools
import re
import subprocess
import sys
import tempfile
import threading
import time
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
CLIENT_SECONDS = 1200  # for a client to walk all rows
LONG = ("size.", "many.", "deflate.bomb")  # these may take their time


def patience_for(case):
    return 20 if case.rule.startswith(LONG) else PATIENCE


def cases_for(role):
    return [c for c in table.cases(role) if c.limit == LIMIT]


class Server:
    """A peer that is started again when it ended."""

    def __init__(self, peer):
        self.peer, self.program, self.address = peer, None, None
        self.lock = threading.Lock()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.program.kill()
        self.program.communicate()

    def start(self):
        self.program = self.peer.start()
        self.address = ("127.0.0.1", int(re.search(r":(\d+)", self.program.stdout.readline())[1]))

    def play(self, case):
        try:
            verdict = play_to_server(self.address, case, patience_for(case))
        except Unoffered:
            verdict = "does not compress"
        except OSError as error:
            verdict = str(error)
        with self.lock:
            if self.died():
                verdict = "crashes"
                self.start()
        return case.id, verdict

    def died(self):
        if self.peer.alone:
            time.sleep(0.002)
        return self.program.poll() is not None


def play_server(peer, cases):
    """{id: verdict}"""
    def is_apart(case):
        return peer.alone and case.rule.startswith("deflate.")

    apart, together = filter(is_apart, cases), itertools.filterfalse(is_apart, cases)
    verdicts = {}
    with Server(peer) as server:
        for width, some in ((24, together), (1, apart)):
            with ThreadPoolExecutor(width) as pool:
                verdicts.update(pool.map(server.play, some))
    return verdicts


def play_client(peer, cases):
    page = (HERE / "peers/page.html").read_bytes()
    with Host(cases, patience_for, page) as host:
        client = peer.start(host.url)
        try:
            client.communicate(timeout=CLIENT_SECONDS)
        except subprocess.TimeoutExpired:  # what it has not asked for by now was not played
            print("%s was not done after %d s" % (peer.name, CLIENT_SECONDS), file=sys.stderr)
        finally:
            client.kill()
            client.communicate()
        host.settle()
        return {c.id: host.verdicts.get(c.id, "was not played") for c in cases}


def tally(cases, verdicts):
    """{rule: Counter of what was done instead}"""
    out = {rule: collections.Counter() for rule in table.RULES}
    for case in cases:
        said = re.sub(r"answers \d+ of \d+", "answers some", verdicts[case.id])
        if case.ends[0] != "open":
            said = re.sub(r"^answers some, (closes with %s|ends TCP)$" % (case.ends[1] or "no code"),
                          "ends before its echo", said)
        said = re.sub(r"(answers|chooses|agrees to it:) permessage.*", r"\1 otherwise", said)
        if said:
            out[case.rule][said] += 1
    return out


def cell(counter):
    if not counter:
        return "as asked"
    common = "; ".join("%d × %s" % (k, said) for said, k in counter.most_common(3))
    more = sum(counter.values()) - sum(k for _, k in counter.most_common(3))
    return common + ("; %d × otherwise" % more if more else "")


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
            for name, verdict in verdicts.items():
                if verdict:
                    print("%s\t%s\t%s" % (peer.name, name, verdict), file=sys.stderr)
            tallies[peer.name] = tally(cases, verdicts)
    lines = ["| rule | rows | " + " | ".join(tallies) + " |", "|---" * (2 + len(tallies)) + "|"]
    for rule in table.RULES:
        if counts[rule]:
            cells = [cell(tallies[p][rule]) for p in tallies]
            lines.append("| `%s` | %d | %s |" % (rule, counts[rule], " | ".join(cells)))
    return "\n".join(lines)


def rules():
    counts = collections.Counter((c.rule, role) for role in "sc" for c in table.cases(role))
    lines = ["| rule | | section | to a server | to a client |", "|---|---|---|---|---|"]
    for rule, (section, sentence) in table.RULES.items():
        lines.append("| `%s` | %s | %s | %d | %d |" % (rule, sentence, section, counts[rule, "s"], counts[rule, "c"]))
    return "\n".join(lines)


def write(name, lines):
    """Between the marks of the page."""
    begin, end = "<!-- %s -->" % name, "<!-- end of %s -->" % name
    text = PAGE.read_text()
    before, rest = text.split(begin)
    PAGE.write_text(before + begin + "\n" + lines + "\n" + end + rest.split(end)[1])


OPTIONS = {"--write", "--rules", "--servers", "--clients"}


def main(arguments):
    if unknown := [a for a in arguments if a.startswith("-") and a not in OPTIONS]:
        print("matrix.py: unknown option %s; there are %s" % (unknown[0], ", ".join(sorted(OPTIONS))), file=sys.stderr)
        sys.exit(2)
    names = [a for a in arguments if not a.startswith("--")]
    asked = {"--rules", "--servers", "--clients"} & set(arguments) or {"--servers", "--clients"}
    tables = {"rules": rules}
    tables.update({name: lambda role=name[0]: matrix(role, names)
                   for name in ("servers", "clients") if "--" + name in asked})
    for name, make in tables.items():
        lines = make()
        print(lines + "\n")
        if "--write" in arguments:
            write(name, lines)


if __name__ == "__main__":
    main(sys.argv[1:])
