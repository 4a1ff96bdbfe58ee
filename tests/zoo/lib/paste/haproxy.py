# SPDX-License-Identifier: MIT
"""HAProxy: sections of lines; see paste/__init__.py."""
import re

from paste import NoPlace, matches, more, only, removals, without, words_out

STARTS = {"global", "defaults", "frontend", "backend", "listen", "userlist", "peers", "resolvers"}
FRONT = {"bind", "use_backend", "acl", "http-request", "http-response", "redirect", "stick-table", "tcp-request",
         "option", "maxconn"}
TAKES = {"verify", "maxconn", "ws", "alpn", "proto", "ca-file", "crt", "ssl-min-ver", "ssl-max-ver",
         "ciphers", "curves", "cookie", "inter"}
INSTEAD = {"timeout": 2, "http-check": 2, "balance": 1}  # how many words make a line another's like


def parse(text):
    """[[words of the section's line, [words, ...]], ...]"""
    sections = [[[], []]]
    for line in text.splitlines():
        words = re.findall(r"""(?:"[^"]*"|'[^']*'|\\.|[^\s#])+|#.*""", line)
        words = [w for w in words if not w.startswith("#")]
        if words and words[0] in STARTS:
            sections.append([words, []])
        elif words:
            sections[-1][1].append(words)
    return sections


def write(sections):
    return "".join(" ".join(head) + "\n" + "".join("  " + " ".join(w) + "\n" for w in lines)
                   for head, lines in sections)


def refuses(words):
    return words[0] == "http-request" and words[1] in (
        "deny", "reject", "tarpit", "return", "auth", "silent-drop", "redirect")


class Paste:
    def __init__(self, sections, request):
        self.sections, self.done, self.port = sections, 0, request.port
        fronts = [s for s in sections if any(self.binds(w) for w in s[1])]
        inner = [s for s in sections if s[0][:1] in (["frontend"], ["listen"])]
        self.front = (fronts or only(inner, "frontend", request.port))[0][1]
        names = [w[1] for w in self.front if w[0] in ("default_backend", "use_backend")]
        backs = [s[1] for s in sections if s[0][:1] == ["backend"] and s[0][1] in names]
        self.backs = backs
        self.back = backs[0] if backs else self.front
        self.chain = [self.front] + backs + [s[1] for s in sections if s[0][:1] == ["defaults"]]

    def binds(self, words):
        return words[0] == "bind" and re.search(r":%s\b" % self.port, words[1])

    def remove(self, pattern):
        for lines in self.chain:
            gone = [w for w in lines if matches(pattern, w)]
            self.done += len(gone)
            lines[:] = [w for w in lines if w not in gone]

    def take_out(self, name, gone):
        for lines in self.chain:
            for i, old in enumerate(lines):
                if old[0] == name and (name != "bind" or self.binds(old)):
                    lines[i] = without(old, gone)
                    self.done += lines[i] != old

    def put(self, words):
        name = words[0]
        if "..." in words:
            return self.extend(words)
        if name == "http-request":
            for lines in [self.front] + [b for b in self.backs if words[1] == "allow" and any(map(refuses, b))]:
                self.before(lines, words, ("http-request", "redirect"))
            return
        if name in ("tcp-request", "use_backend"):
            return self.before(self.front, words, (name,))
        if name == "acl":
            at = next((i for i, w in enumerate(self.front) if w[0] in ("acl", "http-request")), 1)
            self.front.insert(at, words)
            self.done += 1
            return
        if name in INSTEAD:
            return self.replace(words, INSTEAD[name])
        if name.startswith(("tune.", "ssl-default")):
            globals_ = [s for s in self.sections if s[0][:1] == ["global"]]
            if not globals_:
                self.sections.insert(1, [["global"], []])
            (globals_ or self.sections[1:2])[0][1].append(words)
            self.done += 1
            return
        (self.front if name in FRONT else self.back).append(words)
        self.done += 1

    def before(self, lines, words, rules):
        """An exemption goes before the rules, since the first that fits wins."""
        at = next((i for i, w in enumerate(lines) if w[0] in rules), len(lines))
        lines.insert(at, words)
        self.done += 1

    def replace(self, words, n):
        places = [(lines, i) for lines in self.chain for i, w in enumerate(lines) if w[:n] == words[:n]]
        for lines, i in places:
            lines[i] = words
        if not places:
            self.back.append(words)
        self.done += 1

    def extend(self, words):
        name = words[0]
        process = [s[1] for s in self.sections if s[0][:1] == ["global"] and name == "maxconn"]
        for lines in self.chain + process:
            for i, old in enumerate(lines):
                if old[0] == name and (name != "bind" or self.binds(old)):
                    lines[i] = more(old, words, TAKES)
                    self.done += 1


def answers_at(text, port):
    return any(w[0] == "bind" and re.search(r":%s\b" % port, w[1])
               for _, lines in parse(text) for w in lines)


def paste(text, snippet, request):
    sections = parse(text)
    job = Paste(sections, request)
    for pattern in removals(snippet):
        job.remove(pattern)
    for name, gone in words_out(snippet):
        job.take_out(name, gone)
    for head, lines in parse(snippet):
        if head:
            sections.append([head, lines])
        for words in () if head else lines:
            job.put(words)
    if not job.done:
        raise NoPlace("nothing in the configuration to change")
    return write(sections)
