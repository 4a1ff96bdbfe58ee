# SPDX-License-Identifier: MIT
"""Caddy: a tree of [words, block or None]; see paste/__init__.py."""
import re
from fnmatch import fnmatchcase

from paste import NoPlace, matches, more, only, removals

INTO = r"(?m)^\s*# into the matcher of (\S+): (.+?)\s*$"


def parse(text):
    root = []
    stack = [root]
    for line in text.splitlines():
        words = re.findall(r'"(?:\\.|[^"\\])*"|`[^`]*`|#.*|\S+', line.strip())
        words = [w for w in words if not (w.startswith("#"))]
        if not words:
            continue
        if words == ["}"]:
            stack.pop()
            continue
        opens = words[-1] == "{"
        node = [words[:-1] if opens else words, [] if opens else None]
        stack[-1].append(node)
        if opens:
            stack.append(node[1])
    return root


def write(nodes, depth=0):
    out = ""
    for words, inside in nodes:
        line = "\t" * depth + " ".join(words)
        if inside is None:
            out += line + "\n"
        else:
            out += (line + " {" if words else line + "{") + "\n" + write(inside, depth + 1) + "\t" * depth + "}\n"
    return out


def is_matcher(word):
    return word.startswith(("@", "/", "*"))


def named(nodes, name):
    return [n for n in nodes if n[0][:1] == [name]]


class Paste:
    def __init__(self, tree, request):
        self.tree, self.request, self.done = tree, request, 0
        sites = [n for n in tree if n[0] and is_at(n, request.port)]
        self.site = (sites or only([n for n in tree if n[0]], "site", request.port))[0][1]
        self.block = next((n[1] for n in named(self.site, "handle")
                           if len(n[0]) == 2 and fnmatchcase(request.path, n[0][1])), self.site)

    def everywhere(self, nodes):
        yield nodes
        for n in nodes:
            if n[1]:
                yield from self.everywhere(n[1])

    def remove(self, pattern):
        for nodes in self.everywhere(self.site):
            gone = [n for n in nodes if n[1] is None and matches(pattern, n[0])]
            self.done += len(gone)
            nodes[:] = [n for n in nodes if n not in gone]

    def into_matcher(self, name, line):
        """A line more in the matcher that the directives of this name have."""
        nodes = [n for b in self.everywhere(self.site) for n in b]
        used = {n[0][1] for n in nodes if n[0][:1] == [name] and n[0][1:] and n[0][1].startswith("@")}
        for node in nodes:
            if node[0][0] in used:
                own = [] if node[1] is not None else [[node[0][1:], None]]
                node[:] = [node[0][:1], (node[1] or own) + parse(line)]
                self.done += 1

    def put(self, node):
        words, inside = node
        if not words:  # the global options
            return self.put_global(node)
        if "://" in words[0]:
            return self.put_site(node)
        if "..." in words or (inside and named(inside, "...")):
            return self.extend(node)
        # Where a handle has the path already, that is where rules are looked at.
        block = self.site if words[0] == "bind" else self.block
        like = [n for n in block if n[0] == words and n[1] is not None]
        if words[0].startswith("@"):
            like = named(block, words[0])
        if like:
            block[block.index(like[0])] = node
        else:
            block.insert(0, node)
        self.done += 1

    def put_site(self, node):
        if any(n[0] == node[0] for n in self.tree):
            return  # it is there
        self.tree.append(node)
        self.done += 1

    def put_global(self, node):
        there = [n for n in self.tree if not n[0]]
        if there:
            there[0][1].extend(node[1])
        else:
            self.tree.insert(0, node)
        self.done += 1

    def extend(self, node):
        """The directive that is there, with another matcher, more words, or
        more lines in its block."""
        words, inside = node
        own = words[1:words.index("...")] if "..." in words else words[1:]
        for nodes in list(self.everywhere(self.site)):
            for old in named(nodes, words[0]):
                rest = old[0][1:]
                if own and is_matcher(own[0]):
                    rest = own[:1] + (rest[1:] if rest and is_matcher(rest[0]) else rest)
                old[0] = [words[0]] + rest
                if "..." in words:
                    old[0] = more(old[0], ["..."] + words[words.index("...") + 1:])
                for line in inside or ():
                    if line[0] != ["..."]:
                        old[1] = (old[1] or []) + [line]
                self.done += 1


def is_at(site, port):
    return any(re.search(r":%s$" % port, w.rstrip(",")) for w in site[0])


def answers_at(text, port):
    return any(is_at(n, port) for n in parse(text))


def paste(text, snippet, request):
    tree = parse(text)
    job = Paste(tree, request)
    for pattern in removals(snippet):
        job.remove(pattern)
    for name, line in re.findall(INTO, snippet):
        job.into_matcher(name, line)
    for node in parse(snippet):
        job.put(node)
    if not job.done:
        raise NoPlace("nothing in the configuration to change")
    return write(tree)
