"""What run.py prints: rows of ratios with their goals, and the table of all servers."""

import statistics

import peers

OURS, BARE = peers.OURS, peers.BARE


def cells(rows, right=True):
    """A table as lines; the first row is its head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for i, row in enumerate(rows):
        padded = [c.ljust(w) if n == 0 or not right else c.rjust(w)
                  for n, (c, w) in enumerate(zip(row, widths))]
        lines.append("| " + " | ".join(padded) + " |")
        if i == 0:
            lines.append("|" + "|".join("-" * (w + 1) + ("-" if n == 0 else ":")
                                        for n, w in enumerate(widths)) + "|")
    return lines


# ---- Ratios ----

def ratio_of(round_, variant, bare, how):
    """How we compare: 'of' is throughput as a multiple; 'cost' time as a multiple, of rates;
    'less' a cost as a multiple, of costs; 'saves' theirs as a multiple of our cost."""
    return (round_[bare] / round_[variant] if how in ("cost", "saves")
            else round_[variant] / round_[bare])


def is_more(how):
    """Whether more is better."""
    return how in ("of", "saves")


def verdict(ratio, how, floor, goal, moonshot=None):
    """The highest mark that is reached, and what share of the next one."""
    def reaches(mark):
        return ratio >= mark if is_more(how) else ratio <= mark

    marks = [(n, m) for n, m in (("floor", floor), ("goal", goal), ("moonshot", moonshot))
             if m is not None]
    if not marks:
        return ""
    reached = [name for name, mark in marks if reaches(mark)]
    beyond = [(name, mark) for name, mark in marks if not reaches(mark)]
    word = reached[-1] if reached else "below"
    if beyond:
        name, mark = beyond[0]
        share = ratio / mark if is_more(how) else mark / ratio
        word += f", {share * 100:.0f}% of {name}"
    return word


HEAD = ("what", "bare", "ours", "ratio", "min..max", "floor", "goal", "moonshot", "reached")


def figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio_row(what, variant, bare, how, floor, goal, moonshot, rounds):
    """One row over all rounds; None if no round has both."""
    rounds = [r for r in rounds if variant in r and bare in r]
    if not rounds:
        return None
    ratios = [ratio_of(r, variant, bare, how) for r in rounds]
    ratio = statistics.median(ratios)
    sign = ">=" if is_more(how) else "<="
    return (what, figure(statistics.median(r[bare] for r in rounds)),
            figure(statistics.median(r[variant] for r in rounds)),
            f"{ratio:.2f}", f"{min(ratios):.2f}..{max(ratios):.2f}",
            *("-" if m is None else f"{sign} {m:.3g}" for m in (floor, goal, moonshot)),
            verdict(ratio, how, floor, goal, moonshot))


# ---- Peers ----

CALL, CPU = ("tools/call", peers.TYPICAL), ("tools/call", "cpu us")
TS_ONE, TS = "TypeScript SDK 2, 1 tool", "TypeScript SDK 2"
TS_ONCE = "TypeScript SDK 2, schemas once"
# As in run.py: what, ours, theirs (server, figure), how, floor, goal, moonshot.
PEER_ROWS = [
    ("tools/call / TypeScript SDK 2, 1 tool", (OURS, CALL), (TS_ONE, CALL), "of", 15, 22, 30),
    ("the same, 20 tools", (OURS, CALL), (TS, CALL), "of", 40, 60, 80),
    ("and their schemas made once", (OURS, CALL), (TS_ONCE, CALL), "of", None, None, None),
    ("processor time of a call, 1 tool", (OURS, CPU), (TS_ONE, CPU), "saves", 15, 22, 30),
    ("the same, 20 tools: theirs / ours", (OURS, CPU), (TS, CPU), "saves", 40, 60, 80),
    ("memory at rest / TypeScript SDK 2", (OURS, "rest MiB"), (TS, "rest MiB"), "less",
     1 / 4, 1 / 8, 1 / 12),
    ("memory under load / TypeScript SDK 2", (OURS, "load MiB"), (TS, "load MiB"), "less",
     None, 1 / 15, 1 / 25),
    ("exec to first answer / TypeScript SDK 2", (OURS, "start ms"), (TS, "start ms"), "less",
     1 / 10, 1 / 30, 1 / 60),
    ("KB of a listen stream", (OURS, "KB a stream"), ("unit", "one"), "less", 16, 11, 7),
]


def flat(results, streams):
    """Rounds whose figures are named (server, what)."""
    rounds = [{(name, what): value for name, figures in found.items()
               for what, value in figures.items()} for found in results]
    if streams.get(OURS):
        rounds.append({(OURS, "KB a stream"): streams[OURS]["bytes"] / 1000,
                       ("unit", "one"): 1})
    return rounds


def peer_ratios(results, streams):
    rounds = flat(results, streams)
    rows = (ratio_row(*row, rounds) for row in PEER_ROWS)
    return [row for row in rows if row]


def median(results, name, what):
    found = [r[name][what] for r in results if name in r and what in r[name]]
    return statistics.median(found) if found else None


def times(results, name, what, other=OURS):
    """The figure of 'other' as a multiple of that of 'name', formed inside each round."""
    found = [r[other][what] / r[name][what] for r in results
             if name in r and other in r and r[name].get(what) and r[other].get(what)]
    return statistics.median(found) if found else None


def throughput(results, method):
    """Requests a second of each server at each number of connections, and latencies."""
    rows = [(method, *(str(n) for n in peers.CONNECTIONS), "ours/theirs", "CPU us",
             "theirs/ours", "p50 p99 ms", "at half rate")]
    for name in peers.SERVERS:
        if median(results, name, (method, peers.TYPICAL)) is None:
            continue
        times_ = times(results, name, (method, peers.TYPICAL))
        rows.append((
            name, *(f"{median(results, name, (method, n)):,.0f}" for n in peers.CONNECTIONS),
            "" if name == OURS else optional(times_, "{:.1f}"),
            f"{median(results, name, (method, 'cpu us')):.0f}",
            "" if name == OURS else optional(times(results, OURS, (method, "cpu us"), name),
                                             "{:.1f}"),
            *(" ".join(f"{median(results, name, (method, prefix + p)):.2f}"
                       for p in ("p50", "p99")) for prefix in ("", "open "))))
    return rows


def optional(value, form):
    return "-" if value is None else form.format(value)


def sizes(results, streams):
    rows = [("", "exec to answer ms", "at rest MiB", "after load MiB", "listen streams",
             "KB each", "told in ms")]
    for name in peers.SERVERS:
        if median(results, name, "start ms") is None:
            continue
        s = streams.get(name, {})
        rows.append((name, f"{median(results, name, 'start ms'):.1f}",
                     f"{median(results, name, 'rest MiB'):.1f}",
                     f"{median(results, name, 'load MiB'):.1f}",
                     optional(s.get("streams"), "{:,}"),
                     optional(s["bytes"] / 1000 if s else None, "{:.1f}"),
                     optional(s.get("tell_ms"), "{:.0f}")))
    return rows


def peer_lines(results, streams, missing):
    lines = ["", "Requests a second at so many connections; what follows them at "
             f"{peers.TYPICAL}."]
    for method in peers.METHODS:
        lines += ["", *cells(throughput(results, method))]
    lines += ["", *cells(sizes(results, streams))]
    if missing:
        lines += [""] + [f"left out: {name}: {why}" for name, why in missing.items()]
    return lines
