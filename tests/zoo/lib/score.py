# SPDX-License-Identifier: MIT
"""How good verdicts are: one row for each case, and what all rows come to."""
import collections
import statistics

HEADING = "%-30s %-22s %-22s %4s %3s %6s" % ("case", "expected", "got", "conf", "n", "sec")
NO_VERDICT = 0.5  # the confidence that is scored where nothing was said

# Bins of confidence; the last ones are narrow, since most verdicts are there.
BINS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.001)

# What has to be reached, for `make zoo` and for `make zoo-blind`.
EXACT, BRIER = 0.97, 0.03
EXACT_BLIND = 0.85
HANDSHAKES_MEDIAN, HANDSHAKES_MOST = 8, 20
# What is only told, since a machine that does other work as well is slower: the
# seconds of the cases that do not wait for a timeout.
SECONDS_MEDIAN, SECONDS_MOST = 1.0, 10.0
WHO = ("client", "server", "proxy", "network", "nobody")


def category(cause):
    return (cause or "").split(".")[0]


class Row:
    """One case: what was expected of the doctor, and what it said."""

    def __init__(self, case, document, seconds):
        verdict = (document or {}).get("verdict") or {}
        self.case, self.seconds = case, seconds
        self.got, self.who = verdict.get("cause"), verdict.get("who")
        self.confidence = verdict.get("confidence", NO_VERDICT)
        self.handshakes = len((document or {}).get("probes", []))
        self.right = self.got in case["accept"]
        self.near = category(self.got) in {category(a) for a in case["accept"]}
        self.right_who = self.who == case["who"]
        self.miss = (self.confidence - self.right) ** 2

    def __str__(self):
        told = "ok" if self.right else "category" if self.near else "WRONG"
        if self.right and not self.right_who:
            told += ", but for %s to mend, not %s" % (self.case["who"], self.who)
        return "%-30s %-22s %-22s %4.2f %3d %6.2f  %s" % (
            self.case["id"], self.case["cause"], self.got, self.confidence,
            self.handshakes, self.seconds, told)


def share(values):
    values = list(values)
    return sum(values) / len(values)


def brier(rows):
    return share(r.miss for r in rows)


def reliability(rows):
    """Lines: of the verdicts of about one confidence, how many were right."""
    yield "%-12s %5s %10s %6s" % ("confidence", "cases", "mean", "right")
    for low, high in zip(BINS, BINS[1:]):
        these = [r for r in rows if low <= r.confidence < high]
        if these:
            yield "%.2f - %.2f  %5d %10.3f %6.3f" % (
                low, min(high, 1), len(these), share(r.confidence for r in these),
                share(r.right for r in these))


def blamed(rows):
    """Lines: who has to act, and whom the verdicts named."""
    pairs = collections.Counter((r.case["who"], r.who or "-") for r in rows)
    said = [w for w in WHO + ("-",) if any(pairs[x, w] for x in WHO)]
    yield ("%-10s" + " %8s" * len(said)) % ("who, said:", *said)
    for who in WHO:
        if any(pairs[who, w] for w in said):
            yield ("%-10s" + " %8d" * len(said)) % (who, *(pairs[who, w] for w in said))


def summary(rows):
    seconds = [r.seconds for r in rows]
    handshakes = [r.handshakes for r in rows]
    return "\n".join([
        "%d cases: exact %.3f, category %.3f, Brier score %.4f, who %.3f" % (
            len(rows), share(r.right for r in rows), share(r.near for r in rows),
            brier(rows), share(r.right_who for r in rows)),
        "handshakes median %g, most %d; seconds median %.2f, longest %.2f" % (
            statistics.median(handshakes), max(handshakes),
            statistics.median(seconds), max(seconds)),
        ""] + list(reliability(rows)) + [""] + list(blamed(rows)))


def targets(rows, blind):
    """(what was to be reached and what came of it, whether it is, whether a miss
    counts)..."""
    exact = share(r.right for r in rows)
    handshakes = [r.handshakes for r in rows]
    quick = [r for r in rows if not r.case.get("waits")]
    median = statistics.median(r.seconds for r in quick) if quick else 0
    over = ["%s (%.1f)" % (r.case["id"], r.seconds) for r in quick if r.seconds >= SECONDS_MOST]
    many = [r.case["id"] for r in rows if r.handshakes > HANDSHAKES_MOST]
    least = EXACT_BLIND if blind else EXACT
    yield "exact %.3f, at least %.2f" % (exact, least), exact >= least, True
    if not blind:
        yield "Brier score %.4f, at most %.2f" % (brier(rows), BRIER), brier(rows) <= BRIER, True
    yield ("handshakes, median %g, at most %d" % (statistics.median(handshakes), HANDSHAKES_MEDIAN),
           statistics.median(handshakes) <= HANDSHAKES_MEDIAN, True)
    yield ("handshakes, never above %d%s" % (
        HANDSHAKES_MOST, ": " + " ".join(many) if many else ""), not many, True)
    yield ("seconds, median %.2f of the %d that wait for nothing, below %g" % (
        median, len(quick), SECONDS_MEDIAN), median < SECONDS_MEDIAN, False)
    yield ("seconds, none of them %g or more%s" % (
        SECONDS_MOST, ": " + " ".join(over) if over else ""), not over, False)


def told_targets(rows, blind):
    return "\n".join("%-8s %s" % ("reached" if ok else "MISSED" if counts else "missed", text)
                     for text, ok, counts in targets(rows, blind))


def reaches_targets(rows, blind):
    return all(ok for _, ok, counts in targets(rows, blind) if counts)
