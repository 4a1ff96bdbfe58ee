#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPU per echoed message of echo_server against a raw TCP byte echo.

Both servers run on one core and the load on another. Each round measures both,
in an order that is reversed every second round, and gives one ratio; the
median of the rounds is the result. Ratios of one round are comparable, numbers
of different rounds on a shared machine are not.

    bench/run.py BUILD_FOLDER [--rounds 5] [--seconds 1]
"""
import argparse
import os
import re
import statistics
import subprocess

# bytes, messages in flight on a connection, connections
WORKLOADS = [(20, 1, 100), (20, 50, 100), (1024, 20, 100), (16384, 4, 50), (1 << 20, 1, 4)]


def start(core, *command):
    server = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.PIPE,
                              text=True)
    port = int(re.search(r":(\d+)", server.stdout.readline()).group(1))
    return server, port


def load(build, core, server, port, workload, seconds, *more):
    size, depth, connections = workload
    out = subprocess.run(
        ["taskset", "-c", str(core), f"{build}/bench/echo_bench", "--port", str(port),
         "--pid", str(server.pid), "--size", str(size), "--depth", str(depth),
         "--connections", str(connections), "--seconds", str(seconds), *more],
        check=True, capture_output=True, text=True).stdout.split()
    return dict(zip(out[::2], map(float, out[1::2])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    asked = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    servers = {
        "sesame": (*start(server_core, f"{asked.build}/examples/echo_server"), []),
        "tcp": (*start(server_core, f"{asked.build}/bench/tcp_echo"), ["--tcp"]),
    }
    try:
        print(f"{'bytes x depth x connections':30} {'sesame':>10} {'tcp':>10}   "
              "tcp/sesame: median (least-most)")
        for workload in WORKLOADS:
            cpu = {name: [] for name in servers}
            for i in range(asked.rounds):
                for name in sorted(servers, reverse=i % 2 == 1):
                    server, port, more = servers[name]
                    got = load(asked.build, load_core, server, port, workload, asked.seconds,
                               *more)
                    cpu[name].append(got["cpu_ns_per_message"])
            ratios = sorted(t / s for s, t in zip(cpu["sesame"], cpu["tcp"]))
            print(f"{' x '.join(map(str, workload)):30} "
                  f"{statistics.median(cpu['sesame']):7.0f} ns "
                  f"{statistics.median(cpu['tcp']):7.0f} ns   "
                  f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})",
                  flush=True)
    finally:
        for server, _, _ in servers.values():
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
