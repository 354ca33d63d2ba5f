"""What a search for the highest rate has found, as rows and sentences: dicts as in its JSON."""

from . import table
from .result import bottleneck, error_count, rate
from .units import show_count, show_time

HEADS = ["rate", "achieved", "p50", "p99", "p99.9", "max", "errors", "unfinished", "client", ""]
INTERRUPTED = "The search was interrupted: there may be a higher rate that is sustained"


def row(step):
    latency = step["latency"]
    return [f"{step['offered']:,}", show_count(rate(step)), *(show_time(latency.get(name)) for name in HEADS[2:6]),
            f"{error_count(step):,}", f"{step['unfinished']:,}", f"{step['busy']:.0%}", step["broken"] or ""]


def best(run):
    """The step at the rate that was sustained, or the estimate."""
    return next((step for step in run["steps"] if step["offered"] == run["sustained"] and not step["broken"]),
                run["estimate"])


def conclusion(run):
    """Sentences."""
    lines = [INTERRUPTED] if run.get("interrupted") else []
    if not run["sustained"]:
        return [f"{run['label']}: no rate was sustained", *lines]
    above = next((step for step in run["steps"] if step["offered"] > run["sustained"]), None)
    ended = f"; at {above['offered']:,}: {above['broken']}" if above else ""
    lines.insert(0, f"{run['label']} sustains {run['sustained']:,} requests a second{ended}")
    sentence = bottleneck(best(run)) or above and bottleneck(above)
    return [*lines, f"Note: {sentence}"] if sentence else lines


def comparison(pairs):
    """Rows of what was sustained, and its ratio to the first."""
    base = pairs[0][1]["sustained"]
    rows = [["", "sustained", "p50", "p99", "p99.9", "server CPU a request"]]
    for label, run in pairs:
        step = best(run)
        each = step["server_cpu_seconds"] / step["requests"] * 1e9 if step["requests"] else None
        rows.append([label, table.with_ratio(show_count, run["sustained"], base),
                     *(show_time(step["latency"].get(name)) for name in ("p50", "p99", "p99.9")), show_time(each)])
    return rows
