# SPDX-License-Identifier: MIT
"""What ran, and on what: a figure without it is none."""
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

from servers import NODE


def first_line(*command, env=None):
    try:
        r = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
        return (r.stdout + r.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return None


def versions():
    commands = {
        "libwebsockets": ["pkg-config", "--modversion", "libwebsockets"],
        "node": ["node", "--version"],
        "ws": ["node", "-p", "require('ws/package.json').version"],
        "uwebsockets (npm)": ["node", "-p", "require('uwebsockets/package.json').version"],
        "Socket.IO": ["node", "-p", "require('socket.io/package.json').version"],
        "its Redis adapter": ["node", "-p",
                              "require('@socket.io/redis-adapter/package.json').version"],
        "Redis": ["redis-server", "--version"],
        "nchan": ["dpkg-query", "-W", "-f", "${Version}", "libnginx-mod-nchan"],
        "nginx": ["nginx", "-v"], "HAProxy": ["haproxy", "-v"],
        "OpenSSL": ["openssl", "version"], "zlib": ["pkg-config", "--modversion", "zlib"],
        "liburing": ["pkg-config", "--modversion", "liburing"]}
    env = dict(NODE, PATH=os.environ["PATH"] + ":/usr/sbin")
    found = {name: first_line(*words, env=env) for name, words in commands.items()}
    numbers = {name: re.search(r"\d+(\.\d+)+", line or "") for name, line in found.items()}
    return {name: number.group(0) for name, number in numbers.items()
            if number and "rror" not in found[name]}


def command_text(tool, argv):
    """How to do the same again; where a peer lies is another matter elsewhere."""
    words, rest = [f"bench/{tool}"], list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("--json", "--markdown", "--plot"):
            rest.pop(0)
        elif word == "--peer":
            words += [word, shlex.quote(rest.pop(0).partition("=")[0] + "=...")]
        else:
            words.append(shlex.quote(word))
    return " ".join(words)


def program_of(build):
    """The program of the folder @build; ends this one when there is none."""
    program = Path(build) / "sesame"
    if not os.access(program, os.X_OK):
        sys.exit(f"{Path(sys.argv[0]).name}: {program} cannot be run: {build} is no folder of a "
                 "build; `make build` makes build/")
    return program


def about(asked, **more):
    program = program_of(asked.build)
    cpu = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"),
                    re.M)
    system = re.search(r'^PRETTY_NAME="(.*)"',
                       Path("/etc/os-release").read_text(encoding="utf-8"), re.M)
    return {"date": time.strftime("%Y-%m-%d"), "command": asked.command,
            "sesame": first_line(program, "--version").split()[-1],
            "commit": first_line("git", "-C", str(Path(__file__).parent), "rev-parse", "--short",
                                 "HEAD"),
            "kernel": platform.release().split("-")[0], "cpu": cpu.group(1) if cpu else platform.machine(),
            "system": system.group(1) if system else platform.system(),
            "cores": len(os.sched_getaffinity(0)), "rounds": asked.rounds,
            "seconds": asked.seconds, "versions": versions(), **more}


def machine_text(run):
    return (f"{run['date']}, sesame {run['sesame']}, {run['cpu']}, {run['cores']} cores, "
            f"Linux {run['kernel']}, {run['system']}; {run['rounds']} rounds of "
            f"{run['seconds']} s")
