# SPDX-License-Identifier: MIT
"""Puts the lines that the doctor prints into a server's configuration, as a
person would who follows them to the letter and knows where that server's
directives belong. Nothing in here knows a case.

What the lines may hold, beside directives:

    # remove: LINE     the line goes away; a "..." in it stands for anything
    # take out of NAME: WORDS
                       these go out of the lines of this name; a "..." in them
                       stands for anything
    # into the matcher of NAME: LINE
                       the matcher that a line of this name has gets that more
    NAME ... WORDS     the line that is there stays, with these words more;
                       words before the "..." replace its first ones
    LINE # OTHER where auth_request asks
                       in the location that an auth_request names, OTHER stands
                       instead of LINE
    # anything else    is for the reader
    127.0.0.1:3000     the reader's own application
"""
import fnmatch
import re

SAMPLE = "127.0.0.1:3000"


class NoPlace(Exception):
    """The configuration has no place for these lines."""


class Request:
    """What is asked, as far as it decides which block answers."""

    def __init__(self, host, port, path, app):
        self.host, self.port, self.path, self.app = host, str(port), path, app


def removals(snippet):
    return re.findall(r"(?m)^\s*# remove: (.*?);?\s*$", snippet)


def words_out(snippet):
    """[(name of a line, [words that go out of it]), ...]"""
    found = re.findall(r"(?m)^\s*# take out of (\S+): (.+?)\s*$", snippet)
    return [(name, words.split()) for name, words in found]


def without(words, gone):
    """@words without those that stand there as @gone does, one after another."""
    n, globs = len(gone), [g.replace("...", "*") for g in gone]
    for i in range(1, len(words) - n + 1):
        if all(map(fnmatch.fnmatchcase, words[i:i + n], globs)):
            return words[:i] + words[i + n:]
    return words


def plain(word):
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


def matches(pattern, words):
    """Do the words of a line match "NAME ... WORD"? Names of fields may be
    written either way."""
    text = " ".join(plain(w) for w in words).lower()
    glob = " ".join(plain(w) for w in pattern.split()).lower()
    glob = re.sub(r"([\[\]*?])", r"[\1]", glob).replace(" ...", "*").replace("...", "*")
    return fnmatch.fnmatchcase(text, glob)


def is_number(word):
    return re.fullmatch(r"\d+", word) is not None


def key_of(word):
    return word.partition("=")[0] if "=" in word else None


def more(old, new, takes=()):
    """The words of @old with those of @new, of which one is "...": a key=value,
    a number or a keyword of @takes (with the value behind it) replaces its
    like, what is there already stays, anything else is added."""
    at = new.index("...")
    words, rest = new[:at] + old[at:], new[at + 1:]
    while rest:
        n = 2 if rest[0] in takes else 1
        word, value = rest[0], rest[:n]
        rest = rest[n:]
        if word in takes and word in words:
            i = words.index(word)
            words[i:i + 2] = value
            continue
        like = [i for i, w in enumerate(words[1:], 1)
                if (key_of(word) and key_of(w) == key_of(word)) or (is_number(word) and is_number(w))]
        if like:
            words[like[-1]] = word
        elif word not in words:
            words += value
    return words


def under(prefix, path):
    prefix = prefix.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def only(those, what, port):
    """Behind another server nothing is at the port that was asked; one that
    is alone must be it all the same."""
    if len(those) != 1:
        raise NoPlace("no %s at port %s" % (what, port))
    return those


def language_of(stack):
    from paste import apache, caddy, haproxy, nginx
    return {"nginx": nginx, "apache": apache, "haproxy": haproxy, "caddy": caddy}[stack]


def answers_at(stack, text, port):
    """Whether this configuration is that of the server which is asked first."""
    return language_of(stack).answers_at(text, str(port))


def paste(stack, text, snippet, request):
    """The configuration @text with @snippet in it."""
    return language_of(stack).paste(text, snippet.replace(SAMPLE, request.app), request)
