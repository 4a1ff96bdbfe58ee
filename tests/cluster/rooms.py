# SPDX-License-Identifier: MIT
"""Machines of a cluster: network namespaces, each with a cable to the clients'
bridge or to that of Redis. All of it is in namespaces of its own, and ends with
the program that made it."""
import os
import shutil
import subprocess
import sys

# The bridges: 10.88.1.0/24 and so on. PAIR is between a Redis and its stand-in.
CLIENTS, BACK, PAIR = BRIDGES = "clients", "back", "pair"
TOOLS = ("unshare", "nsenter", "ip")
os.environ["PATH"] += os.pathsep + "/usr/sbin:/sbin"


def command():
    """What puts a program into namespaces of its own, or None: not here."""
    base = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if not all(shutil.which(tool) for tool in TOOLS):
        return None
    for more in ([], ["--user", "--map-root-user"]):
        probe = base + more + ["sh", "-c", "ip link add name b0 type bridge && "
                               "ip link add name v0 type veth peer name v1 && unshare -n true"]
        if subprocess.run(probe, capture_output=True).returncode == 0:
            return base + more
    return None


def enter():
    """This program again, in namespaces of its own; 77 where that is forbidden."""
    if os.environ.get("CLUSTER_ROOM"):
        return
    way = command()
    if not way:
        print("skipped: network namespaces, bridges or iproute2 are not to be had here")
        sys.exit(77)
    os.environ["CLUSTER_ROOM"] = "1"
    os.execvp(way[0], way + [sys.executable] + sys.argv)


def sh(*words, check=True):
    r = subprocess.run([str(w) for w in words], capture_output=True, text=True)
    assert r.returncode == 0 or not check, "%s: %s" % (" ".join(map(str, words)), r.stderr)
    return r.returncode == 0


def build():
    sh("ip", "link", "set", "lo", "up")
    for bridge in BRIDGES:
        sh("ip", "link", "add", bridge, "type", "bridge", "forward_delay", 0)
        sh("ip", "link", "set", bridge, "up")
        sh("ip", "addr", "add", address_at(bridge, 1) + "/24", "dev", bridge)


def address_at(bridge, number):
    return "10.88.%d.%d" % (BRIDGES.index(bridge) + 1, number)


class Machine:
    """A namespace; @number is the end of its addresses."""

    def __init__(self, name, number, bridges):
        self.name, self.number = name, number
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        while os.readlink("/proc/%d/ns/net" % self.holder.pid) == os.readlink("/proc/self/ns/net"):
            pass
        self.inside("ip", "link", "set", "lo", "up")
        for bridge in bridges:
            self._plug(bridge, number)
            self.find(bridge)

    def pose_as(self, other, bridge):
        """It has the place of @other at @bridge, once that has lost it and this
        one finds it."""
        self._plug(bridge, other.number)

    def _plug(self, bridge, number):
        ours, theirs = self.port(bridge), "to-" + bridge
        sh("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs,
           "address", "02:00:00:00:00:%02x" % number, "netns", self.holder.pid)
        sh("ip", "link", "set", ours, "up")
        self.inside("ip", "addr", "add", address_at(bridge, number) + "/24", "dev", theirs)
        self.inside("ip", "link", "set", theirs, "up")

    def port(self, bridge):
        """The end of its cable at @bridge."""
        return "%s-%s" % (self.name, bridge)

    def address(self, bridge):
        return address_at(bridge, self.number)

    def words(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "-n", "--"] + [str(w) for w in words]

    def inside(self, *words, check=True):
        return sh(*self.words(*words), check=check)

    def lose(self, bridge):
        """What is sent goes nowhere; nobody is told."""
        sh("ip", "link", "set", self.port(bridge), "nomaster")

    def find(self, bridge):
        sh("ip", "link", "set", self.port(bridge), "master", bridge)

    def unplug(self, bridge):
        """The cable is out, and both ends know."""
        sh("ip", "link", "set", self.port(bridge), "down")

    def replug(self, bridge):
        sh("ip", "link", "set", self.port(bridge), "up")

    def mute(self, address):
        """What it sends to @address is lost; what comes from there is not."""
        self.inside("ip", "route", "add", "blackhole", address + "/32")

    def unmute(self, address):
        self.inside("ip", "route", "del", "blackhole", address + "/32")

    def delay_to(self, bridge):
        """What is sent to it comes seconds late, if there is much of it."""
        sh("tc", "qdisc", "add", "dev", self.port(bridge), "root", "tbf", "rate", "400kbit",
           "burst", "16kb", "latency", "3s", check=False)

    def undelay_to(self, bridge):
        sh("tc", "qdisc", "del", "dev", self.port(bridge), "root", check=False)

    def hinder(self, bridge, ms):
        """Makes what it sends slow: @ms later or, where the system cannot do
        that, at a few hundred kilobits a second. Returns what it is."""
        where = ["dev", "to-" + bridge, "root"]
        if self.inside("tc", "qdisc", "add", *where, "netem", "delay", "%dms" % ms, check=False):
            return "%d ms late" % ms
        if self.inside("tc", "qdisc", "add", *where, "tbf", "rate", "800kbit", "burst", "16kb",
                       "latency", "%dms" % (4 * ms), check=False):
            return "at 800 kbit/s"
        return ""

    def unhinder(self, bridge):
        self.inside("tc", "qdisc", "del", "dev", "to-" + bridge, "root", check=False)
