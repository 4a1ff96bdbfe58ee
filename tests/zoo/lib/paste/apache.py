# SPDX-License-Identifier: MIT
"""Apache: a tree of [words, section or None]; see paste/__init__.py."""
import re

from paste import NoPlace, matches, more, plain, removals, under

BY_FIRST_WORD = {"proxypass", "setenvif", "secruleremovebyid"}
MAIN = {"listen", "serverlimit", "maxrequestworkers", "threadsperchild"}
BY_TWO_WORDS = {"header", "requestheader"}


def parse(text):
    """[[words, children or None], ...]; a section's words are ["<Location", "/chat"]."""
    root = []
    stack = [root]
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("</"):
            stack.pop()
            continue
        section = line.startswith("<")
        words = re.findall(r'"(?:\\.|[^"\\])*"|\S+', line.rstrip(">") if section else line)
        node = [words, [] if section else None]
        stack[-1].append(node)
        if section:
            stack.append(node[1])
    return root


def write(nodes, depth=0):
    out = ""
    for words, inside in nodes:
        line = "\t" * depth + " ".join(words)
        if inside is None:
            out += line + "\n"
        else:
            out += line + ">\n" + write(inside, depth + 1) + "\t" * depth + "</" + words[0][1:] + ">\n"
    return out


def name_of(node):
    return node[0][0].lower()


def named(nodes, name):
    return [n for n in nodes if name_of(n) == name.lower()]


def host_of(tree, request):
    """What the virtual host holds that answers, or the server as a whole."""
    hosts = [n for n in named(tree, "<virtualhost")
             if any(w.endswith((":" + request.port, ":*")) or w == "*" for w in n[0][1:])]
    for host in hosts:
        names = [w for n in host[1] if name_of(n) in ("servername", "serveralias") for w in n[0][1:]]
        if request.host in names:
            return host[1]
    return hosts[0][1] if hosts else tree


def refuses(node):
    return name_of(node) == "rewriterule" and re.search(r"\[[^\]]*\b(F|R|G)\b", node[0][-1], re.I)


class Paste:
    def __init__(self, tree, request):
        self.tree, self.request, self.done = tree, request, 0
        self.host = host_of(tree, request)
        self.chain = [self.host] + ([tree] if tree is not self.host else [])

    def places(self):
        """The sections that the path falls into, nearest last."""
        found = []
        for nodes in reversed(self.chain):
            for n in nodes:
                what = plain(n[0][1]) if len(n[0]) > 1 else ""
                if (name_of(n) == "<location" and under(what, self.request.path)
                        or name_of(n) == "<locationmatch" and re.search(what, self.request.path)
                        or name_of(n) == "<proxy" and what == "*"):
                    found.append(n)
        return found

    def below(self, nodes):
        """With what is nested in it: RequireAll and its like, IfModule."""
        yield nodes
        for n in nodes:
            if n[1] is not None and name_of(n).startswith(("<require", "<if")):
                yield from self.below(n[1])

    def remove(self, pattern):
        for nodes in [b for top in self.chain + [p[1] for p in self.places()] for b in self.below(top)]:
            gone = [n for n in nodes if matches(pattern, n[0])]
            self.done += len(gone)
            nodes[:] = [n for n in nodes if n not in gone]

    def put_all(self, nodes):
        own = named(nodes, "rewriterule")
        for i, node in enumerate(nodes):
            name = name_of(node)
            if own and name.startswith("rewrite"):
                if node is own[0] or name == "rewriteengine":
                    conditions = [n for n in nodes[:i] if name_of(n) == "rewritecond"]
                    self.put_rule(conditions + [node] if node is own[0] else [node])
            else:
                self.put(node)

    def put_rule(self, group):
        """A rule of its own goes before those that are there."""
        if name_of(group[0]) == "rewriteengine":
            return self.replace(self.host, group[0], 1)
        at = next((i for i, n in enumerate(self.host) if name_of(n) in ("rewritecond", "rewriterule")),
                  len(self.host))
        self.host[at:at] = group
        self.done += 1

    def put(self, node):
        words, name = node[0], name_of(node)
        if "..." in words:
            return self.extend(words)
        if node[1] is not None:
            return self.put_section(node)
        if name == "rewritecond":
            return self.put_condition(node)
        if name == "require":
            return self.put_require(node)
        if name == "proxypass":
            return self.put_proxypass(node)
        if name == "serveralias":
            return self.put_alias(node)
        if name in MAIN:
            return self.replace(self.tree, node, 2 if name == "listen" else 1)
        n = 3 if name in BY_TWO_WORDS else 2 if name in BY_FIRST_WORD else 1
        at = next((b for b in [p[1] for p in self.places()][::-1] + self.chain if named(b, name)), self.host)
        self.replace(at, node, n)

    def put_alias(self, node):
        """A name more, if there are virtual hosts."""
        if self.host is not self.tree:
            self.host.append(node)
            self.done += 1

    def replace(self, nodes, node, n):
        key = [w.lower() for w in node[0][:n]]
        like = [o for o in nodes if [w.lower() for w in o[0][:n]] == key]
        if like:
            nodes[nodes.index(like[0])] = node
        else:
            nodes.append(node)
        self.done += 1

    def put_section(self, node):
        if name_of(node) == "<ifmodule":
            return self.put_before_like(node)
        key = [plain(w) for w in node[0]]
        for nodes in self.chain:
            for like in nodes:
                if like[1] is not None and [plain(w) for w in like[0]] == key:
                    for child in node[1]:
                        self.replace(like[1], child, 2 if name_of(child) == "require" else 1)
                    return
        self.host.append(node)
        self.done += 1

    def put_before_like(self, node):
        """What depends on a module goes before the first line of its kind."""
        kinds = {name_of(n) for n in node[1]}
        at = next((i for i, n in enumerate(self.host) if name_of(n) in kinds), len(self.host))
        self.host.insert(at, node)
        self.done += 1

    def put_condition(self, node):
        """One more before every rule that refuses."""
        for nodes in self.chain:
            for rule in [n for n in nodes if refuses(n)]:
                nodes.insert(nodes.index(rule), node)
                self.done += 1

    def put_require(self, node):
        """Beside the others of the section that serves the path, of which
        one is enough."""
        those = [b for p in self.places() for b in [p[1]] + [n[1] for n in named(p[1], "<requireany")]
                 if named(b, "require")]
        if those:
            those[-1].append(node)
            self.done += 1

    def passing(self):
        """The lines that pass the path on without naming it, in a Location."""
        return [n for p in self.places() if name_of(p) == "<location"
                for n in named(p[1], "proxypass") if "://" in n[0][1]]

    def put_proxypass(self, node):
        """Before the others, unless a Location passes the path on: that goes
        before them all, and gets what this line has more."""
        first = plain(node[0][1])
        for old in self.passing():
            old[0] = more(old[0], [node[0][0], "..."] + node[0][3:])
            self.done += 1
            return
        like = [n for n in named(self.host, "proxypass") if plain(n[0][1]) == first]
        for old in like:
            self.host.remove(old)
        at = next((i for i, n in enumerate(self.host) if name_of(n) == "proxypass"), len(self.host))
        self.host.insert(at, node)
        self.done += 1

    def balancers(self):
        return [n[1] for nodes in self.chain for n in named(nodes, "<proxy")
                if plain(n[0][1]).startswith("balancer:")]

    def extend(self, words):
        name = words[0].lower()
        places = self.balancers() if name == "balancermember" else [p[1] for p in self.places()]
        for nodes in self.chain + places:
            for node in named(nodes, name):
                if name == "proxypass":
                    if "://" in node[0][1]:  # the path is that of its Location
                        node[0] = more(node[0], words[:1] + words[words.index("..."):])
                        self.done += 1
                        continue
                    target = plain(node[0][2] if len(node[0]) > 2 else "")
                    if target.startswith("balancer:") or not under(plain(node[0][1]), self.request.path):
                        continue
                    node[0] = more(node[0], [words[0], node[0][1]] + words[words.index("..."):])
                else:
                    node[0] = more(node[0], words)
                self.done += 1


def answers_at(text, port):
    return any(re.search(r"(^|:)%s$" % port, n[0][1]) for n in named(parse(text), "listen"))


def paste(text, snippet, request):
    tree = parse(text)
    job = Paste(tree, request)
    for pattern in removals(snippet):
        job.remove(pattern)
    job.put_all(parse(snippet))
    if not job.done:
        raise NoPlace("nothing in the configuration to change")
    return write(tree)
