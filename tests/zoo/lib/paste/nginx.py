# SPDX-License-Identifier: MIT
"""nginx: a tree of [words, block or None]; see paste/__init__.py."""
import re

from paste import NoPlace, matches, more, only, plain, removals, without, words_out

HTTP = {"map", "geo", "upstream", "limit_req_zone", "limit_conn_zone", "log_format"}
SERVER = {"listen", "underscores_in_headers", "large_client_header_buffers", "client_header_buffer_size", "http2"}
BY_FIRST_WORD = {"proxy_set_header", "add_header", "allow", "deny", "set", "listen"}
INSTEAD = r"(?m)# (.*) where auth_request asks$"
TOKEN = re.compile(r"""\s*(\#[^\n]*|[;{}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\$\{|[^\s;{}])+)""")


def parse(text):
    tokens = [t for t in TOKEN.findall(text) if not t.startswith("#")]
    return block(iter(tokens))


def block(tokens):
    nodes, words = [], []
    for token in tokens:
        if token == "}":
            break
        if token == ";":
            nodes.append([words, None])
            words = []
        elif token == "{":
            nodes.append([words, block(tokens)])
            words = []
        else:
            words.append(token)
    return nodes


def write(nodes, depth=0):
    out = ""
    for words, inside in nodes:
        out += "\t" * depth + " ".join(words)
        out += ";\n" if inside is None else " {\n" + write(inside, depth + 1) + "\t" * depth + "}\n"
    return out


def named(nodes, name):
    return [n for n in nodes if n[0][0] == name]


def port_of(words):
    return re.sub(r"^.*:", "", words[1]) if len(words) > 1 else "80"


def has_websocket(server):
    return any(named(place[1], "proxy_pass") for place in named(server[1], "location"))


def server_of(http, request):
    """The server block that answers."""
    those = [s for s in named(http, "server")
             if any(port_of(n[0]) == request.port for n in named(s[1], "listen"))]
    for s in those:
        if any(request.host in n[0][1:] for n in named(s[1], "server_name")):
            return s
    default = [s for s in those if any("default_server" in n[0] for n in named(s[1], "listen"))]
    return (default or those or only(named(http, "server"), "server listens", request.port))[0]


def location_of(server, path):
    """The location that answers, or None."""
    best = None
    for place in named(server[1], "location"):
        how, what = place[0][1:] if len(place[0]) > 2 else ["", place[0][1]]
        what = plain(what)
        if how == "=" and what == path:
            return place
        if how in ("~", "~*") and re.search(what, path, re.I if "*" in how else 0):
            return place
        if how in ("", "^~") and path.startswith(what):
            if best is None or len(what) > len(plain(best[0][-1])):
                best = place
    return best


def refuses(node):
    words, inside = node
    return words[0] in ("return", "rewrite") or (words[0] == "if" and any(map(refuses, inside)))


class Paste:
    def __init__(self, tree, request, instead):
        self.request, self.done, self.instead = request, 0, instead
        self.main = tree
        self.http = named(tree, "http")[0][1]
        self.server = server_of(self.http, request)
        self.location = location_of(self.server, request.path)
        # From the inside out, as nginx inherits.
        self.chain = [n[1] for n in (self.location, self.server) if n] + [self.http, tree]

    def remove(self, pattern):
        for nodes in self.chain:
            gone = [n for n in nodes if matches(pattern, n[0])]
            self.done += len(gone)
            nodes[:] = [n for n in nodes if n not in gone]

    def upstreams(self):
        """What the groups hold that requests are passed on to from here."""
        targets = " ".join(n[0][1] for b in self.chain for n in named(b, "proxy_pass"))
        return [n[1] for n in named(self.http, "upstream") if "//" + n[0][1] in targets]

    def take_out(self, name, gone):
        for nodes in self.chain + self.upstreams():
            for node in named(nodes, name):
                left = without(node[0], gone)
                self.done += left != node[0]
                node[0] = left

    def put(self, node):
        words = node[0]
        name = words[0]
        if "..." in words:
            return self.extend(words, node[1])
        if name == "location":
            return self.put_location(node)
        if name == "if":
            return self.put_before_refusal(node)
        if name in ("allow", "deny"):
            return self.put_access(node)
        if name in ("map", "geo"):
            return self.put_map(node)
        if name in HTTP:
            return self.replace(self.http, node)
        if name in SERVER or name.startswith("ssl_"):
            at = next((b for b in self.chain[-3:] if named(b, name)), self.server[1])
            return self.replace(at, node)
        if name in ("worker_rlimit_nofile", "events"):
            return self.merge(self.main, node)
        if not self.location:
            raise NoPlace("no location serves " + self.request.path)
        self.replace(self.location[1], node)

    def replace(self, nodes, node):
        """Instead of its like, or beside the others."""
        name, first = node[0][0], node[0][1:2]
        by_first = name in BY_FIRST_WORD
        like = [n for n in named(nodes, name) if not by_first or n[0][1:2] == first]
        if like:
            nodes[nodes.index(like[0])] = node
        else:
            nodes.insert(0, node)
        self.done += 1

    def merge(self, nodes, node):
        like = [n for n in nodes if n[0] == node[0]]
        if not like or node[1] is None:
            return self.replace(nodes, node)
        for child in node[1]:
            self.replace(like[0][1], child)

    def put_location(self, node):
        like = [n for n in named(self.server[1], "location") if n[0] == node[0]]
        if not like:
            self.server[1].append(node)
        for child in node[1] if like else ():
            self.replace(like[0][1], child)
        self.done += 1

    def put_before_refusal(self, node):
        blocks = self.chain[:2] if self.location else self.chain[:1]
        asked = self.asked()
        for nodes in blocks + ([asked] if asked else []):
            at = next((i for i, n in enumerate(nodes) if refuses(n)), None)
            if at is not None:
                nodes.insert(at, [node[0], self.instead] if nodes is asked else node)
                self.done += 1

    def asked(self):
        """What the location holds that auth_request asks, or None."""
        auth = next((n for b in self.chain for n in named(b, "auth_request")), None)
        place = auth and auth[0][1] != "off" and location_of(self.server, auth[0][1])
        return place[1] if place else None

    def put_access(self, node):
        nodes = next((b for b in self.chain if named(b, "allow") or named(b, "deny")),
                     self.location[1] if self.location else self.server[1])
        at = next((i for i, n in enumerate(nodes) if n[0][0] in ("allow", "deny")), 0)
        nodes.insert(at, node)
        self.done += 1

    def put_map(self, node):
        like = [n for n in named(self.http, node[0][0]) if n[0] == node[0]]
        if not like:
            self.http.insert(0, node)
        for entry in node[1] if like else ():
            like[0][1][:] = [e for e in like[0][1] if plain(e[0][0]) != plain(entry[0][0])] + [entry]
        self.done += 1

    def extend(self, words, inside):
        if words[0] == "server_name":  # of the block that has the WebSocket
            blocks = [s[1] for s in named(self.http, "server") if has_websocket(s)][:1]
        else:
            blocks = self.chain
        for nodes in blocks:
            for node in named(nodes, words[0]):
                if inside is None:
                    node[0] = more(node[0], words)
                elif words[0] in ("map", "geo") and words[1] != node[0][1]:
                    continue
                else:
                    node[1][:0] = inside
                self.done += 1


def answers_at(text, port):
    return any(port_of(n[0]) == port for http in named(parse(text), "http")
               for s in named(http[1], "server") for n in named(s[1], "listen"))


def paste(text, snippet, request):
    tree = parse(text)
    job = Paste(tree, request, parse("".join(re.findall(INSTEAD, snippet))))
    for pattern in removals(snippet):
        job.remove(pattern)
    for name, gone in words_out(snippet):
        job.take_out(name, gone)
    for node in parse(snippet):
        job.put(node)
    if not job.done:
        raise NoPlace("nothing in the configuration to change")
    return write(tree)
