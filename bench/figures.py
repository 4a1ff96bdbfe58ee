# SPDX-License-Identifier: MIT
"""What came of a run, as text, as a table for a page, and as a picture."""
import statistics
from xml.sax.saxutils import escape

from machine import machine_text

BASES = ["sesame", "sesame, io_uring"]


def quartiles(values):
    """Low quartile, median, high quartile."""
    if len(values) < 2:
        return tuple(values) * 3
    return tuple(statistics.quantiles(values, n=4))


def ratios(ours, theirs):
    """Round by round; a round in which one was not measured gives none."""
    return [t / o for o, t in zip(ours, theirs) if o and t]


def servers_of(workload):
    return {s["name"]: s for s in workload["servers"]}


def figures(server):
    return [x for x in server["figures"] if x is not None]


def with_unit(value, unit):
    if unit == "connection":
        return f"{value:,.0f} B"
    return f"{value:,.0f} ns" if value < 20000 else f"{value / 1000:,.1f} us"


def rate(server):
    values = [x for x in server["per_second"] if x]
    return f"{statistics.median(values):,.0f}" if values else ""


def told(pair, rounds):
    if not pair:  # they were never both measured in a round
        return ""
    low, middle, high = quartiles(pair)
    text = f"{middle:.2f}" + (f" ({low:.2f}-{high:.2f})" if len(pair) > 1 else "")
    return text + (f", {len(pair)} of {rounds}" if len(pair) < rounds else "")


def compared(ours, theirs):
    """Median and quartiles of the rounds that have both; how many, if not all."""
    return told(ratios(ours, theirs), len(ours))


def rows(workload):
    """name, cost, a second, against each of BASES"""
    servers = servers_of(workload)
    for name, server in servers.items():
        against = []
        for base in BASES:
            against.append(compared(servers[base]["figures"], server["figures"])
                           if base in servers and base != name else "")
        yield (name, with_unit(statistics.median(figures(server)), workload["unit"]),
               rate(server), *against)


def scaling(workload):
    """Two workers against one: each round's, of two at most."""
    servers = servers_of(workload)
    if not {"one worker", "two workers"} <= set(servers):
        return None
    one, two = (servers[name]["figures"] for name in ["one worker", "two workers"])
    return told([2 / r for r in ratios(one, two)], len(one))


def shares(workload):
    """Of a core: each worker's, the most loaded first, and the load's; medians."""
    for name, server in servers_of(workload).items():
        rounds = server.get("workers")
        if rounds:
            each = [statistics.median(share) for share in zip(*rounds)]
            yield (f"{name}: " + " and ".join(f"{share:.2f}" for share in each) + " of a core, "
                   f"the load {statistics.median(x for x in server['load'] if x):.2f}")


def text(workload):
    lines = [f"{workload['name']}: {workload['title']}"]
    cost = "memory" if workload["unit"] == "connection" else "CPU a " + workload["unit"]
    form = "  {:18} {:>17} {:>12}   {:18} {:18}"
    lines.append(form.format("", cost, "a second", "/ sesame", "/ sesame, io_uring").rstrip())
    lines += [form.format(*row).rstrip() for row in rows(workload)]
    if workload.get("generator_limited"):
        lines.append("  (the load worked nearly all the time for: "
                     + ", ".join(workload["generator_limited"]) + ")")
    agreed = workload.get("agreed", {})
    for terms in sorted(set(agreed.values())):
        lines.append(f"  ({terms}: " + ", ".join(
            name for name, its in agreed.items() if its == terms) + ")")
    if scaling(workload):
        lines.append("  two workers do the work of one " + scaling(workload) + " times")
    lines += ["  " + line for line in shares(workload)]
    lines += [f"  {name}: {why}" for name, why in workload["absent"].items()]
    return "\n".join(lines) + "\n"


def decisions_text(lines):
    names = list(next(iter(lines.values())))
    out = ["admission: a decision, by the entries of its lists",
           "  {:>9}".format("entries") + "".join(f"{n:>10}" for n in names)]
    for n, costs in lines.items():
        out.append(f"  {int(n):9,}" + "".join(f"{costs[name]:7.0f} ns" for name in names))
    return "\n".join(out) + "\n"


def pivot(run, base):
    """A row for each workload, a column for each server: times the cost of @base."""
    there = [w for w in run["workloads"] if base in servers_of(w)]
    names = [name for name in dict.fromkeys(n for w in there for n in servers_of(w))
             if name != base]
    yield f"| workload | {base} | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 2) + "|"
    for workload in there:
        servers = servers_of(workload)
        cells = [compared(servers[base]["figures"], servers[name]["figures"])
                 if name in servers else "" for name in names]
        yield (f"| {workload['name']} | "
               f"{with_unit(statistics.median(figures(servers[base])), workload['unit'])} | "
               + " | ".join(cells) + " |")


def markdown(run):
    out = [f"`{run['command']}`: " + machine_text(run) + ".", ""]
    for base in BASES:
        out += [*pivot(run, base), ""]
    out += ["Two workers do the work of one " + scaling(w) + " times." for w in run["workloads"]
            if scaling(w)]
    if run.get("admission"):
        names = list(next(iter(run["admission"].values())))
        out += ["", "| entries | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        out += [f"| {int(n):,} | " + " | ".join(f"{costs[name]:.0f} ns" for name in names) + " |"
                for n, costs in run["admission"].items()]
    out += ["", "Versions: " + "; ".join(f"{k} {v}" for k, v in run["versions"].items()) + ".", ""]
    return "\n".join(out)


# ---- the picture ----

WIDTH, LEFT, RIGHT, LINE = 860, 250, 150, 18
FULL = 4.0  # times sesame's cost; longer bars are cut
COLOURS = {"sesame, io_uring": "#1b7f79", "bytes": "#9aa0a6", "bytes, io_uring": "#9aa0a6"}


def bar(y, name, pair):
    low, middle, high = quartiles(pair)
    scale = (WIDTH - LEFT - RIGHT) / FULL
    shown = min(middle, FULL)
    parts = [f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
             f'<rect x="{LEFT}" y="{y + 2}" width="{shown * scale:.1f}" height="{LINE - 5}" '
             f'fill="{COLOURS.get(name, "#c26a3d")}"/>']
    if high < FULL:
        middle_y = y + LINE / 2
        parts.append(f'<path d="M{LEFT + low * scale:.1f} {middle_y}H{LEFT + high * scale:.1f}" '
                     'stroke="#222" stroke-width="1.5"/>')
    parts.append(f'<text x="{WIDTH - 20}" y="{y + 12}" text-anchor="end">'
                 f'{middle:.2f} ({low:.2f}-{high:.2f})</text>')
    return parts


def picture(run):
    """What each server costs as a multiple of sesame on epoll, by workload."""
    parts, y = [], 58
    for workload in run["workloads"]:
        servers = servers_of(workload)
        pairs = {name: ratios(servers[BASES[0]]["figures"], s["figures"])
                 for name, s in servers.items()
                 if BASES[0] in servers and name != BASES[0]}
        pairs = {name: pair for name, pair in pairs.items() if pair}
        if not pairs:
            continue
        cost = with_unit(statistics.median(figures(servers[BASES[0]])), workload["unit"])
        parts.append(f'<text x="10" y="{y + 13}" class="h">{escape(workload["name"])}: '
                     f'{escape(workload["title"])}; sesame {cost}</text>')
        y += LINE + 2
        for name, pair in pairs.items():
            parts += bar(y, name, pair)
            y += LINE
        y += 8
    one = LEFT + (WIDTH - LEFT - RIGHT) / FULL
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" '
            f'viewBox="0 0 {WIDTH} {y + 10}" font-family="sans-serif" font-size="12">\n'
            '<style>.h{font-weight:bold}.d{fill:#666;font-size:11px}</style>\n'
            '<rect width="100%" height="100%" fill="#fff"/>\n'
            '<text x="10" y="20" font-size="15">Cost beside sesame on epoll: longer is '
            'dearer</text>\n'
            f'<text x="10" y="38" class="d">{escape(machine_text(run))}</text>\n'
            + "\n".join(parts) +
            f'\n<path d="M{one:.1f} 48V{y}" stroke="#222" stroke-dasharray="3 3"/>\n</svg>\n')
