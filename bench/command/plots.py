"""Which plots a run has."""

from . import histogram
from .result import error_count, rate
from .svg import Extent, Linear, Log, Percentile, figure, short, short_time
from .units import show_count, show_time


def xs(series):
    return [point[0] for _, points, _ in series for point in points]


def ys(series):
    return [point[1] for _, points, _ in series for point in points]


def by_percentile(lines):
    """`lines`: [(label, result)]."""
    series = []
    for label, result in lines:
        kinds = [(label, "histogram", "latency", False)]
        if "uncorrected" in result:
            kinds.append((f"{label}, uncorrected", "uncorrected_histogram", "uncorrected", True))
        for name, counts, latency, dashed in kinds:
            if not result[counts]:
                continue
            # The last, whose share is 1, has no place on the axis: it is where all but one are below.
            steps = histogram.steps(result[counts], result[latency]["max"])
            whole = max(histogram.total(result[counts]), 2)
            points = [(min(share, 1 - 1 / whole), value, f"{share:.5%}: {show_time(value)}")
                      for value, share, _ in steps]
            series.append((name, points, dashed))
    return figure("latency", "Latency by percentile", "share of the requests that took no longer",
                  Percentile(xs(series)), Log(ys(series), short_time), series)


def over_time(name, title, lines, show, *, log=False, dashed=()):
    """`lines`: [(label, intervals, value of one)]."""
    series = [(label, [(one["to"], value(one), f"{one['to']:.1f} s: {show(value(one))}") for one in intervals],
               label in dashed) for label, intervals, value in lines]
    return figure(name, title, "seconds", Extent(xs(series)),
                  Log(ys(series), short_time) if log else Linear(ys(series), short), series)


def a_second(count):
    return lambda one: count(one) / max(one["to"] - one["from"], 1e-9)


def rates(lines, target=None):
    drawn = [(label, result["intervals"], a_second(lambda one: one["requests"])) for label, result in lines]
    if target:
        drawn.append(("asked for", lines[0][1]["intervals"], lambda one: target))
    return over_time("rate", "Requests a second", drawn, show_count, dashed=["asked for"])


def latencies(lines):
    if len(lines) == 1:
        intervals = lines[0][1]["intervals"]
        drawn = [(name, intervals, lambda one, name=name: one[name]) for name in ("p50", "p99", "max")]
    else:
        drawn = [(f"{label}, p99", result["intervals"], lambda one: one["p99"]) for label, result in lines]
    return over_time("latency-over-time", "Latency over time", drawn, show_time, log=True)


def errors(lines):
    """Of one result also by class, as far as there were any."""
    if len(lines) == 1:
        result = lines[0][1]
        drawn = [("all errors", result["intervals"], a_second(error_count))]
        drawn += [(kind, result["intervals"], a_second(lambda one, kind=kind: one["errors"].get(kind, 0)))
                  for kind, count in result["errors"].items() if count]
    else:
        drawn = [(label, result["intervals"], a_second(error_count)) for label, result in lines]
    return over_time("errors", "Errors a second", drawn, show_count)


def of_results(lines, target=None):
    lines = [(label, result) for label, result in lines if result["intervals"]]
    return [by_percentile(lines), rates(lines, target), latencies(lines), errors(lines)] if lines else []


def curve(label, steps, value, show):
    return (label, [(step["offered"], value(step), f"{step['offered']:,} a second: {show(value(step))}"
                     + (f", {step['broken']}" if step["broken"] else "")) for step in steps], False)


def of_steps(runs):
    """The rate-latency curve, and what was achieved; of the tries of a rate the better one."""
    runs = [{**run, "steps": list({step["offered"]: step for step in
                                   sorted(run["steps"], key=rate)}.values())} for run in runs]
    for run in runs:
        run["steps"].sort(key=lambda step: step["offered"])
    names = ("p50", "p99", "p99.9") if len(runs) == 1 else ("p99",)
    latency = [curve(name if len(runs) == 1 else f"{run['label']}, {name}", answered(run),
                     lambda step, name=name: step["latency"][name], show_time)
               for run in runs for name in names]
    achieved = [curve(run["label"], run["steps"], rate, show_count) for run in runs]
    most = max(xs(achieved), default=1)
    achieved.append(("asked for", [(0, 0, "0"), (most, most, show_count(most))], True))
    return [
        figure("rate-latency", "Latency by rate", "requests a second that were asked for",
               Extent(xs(latency), short), Log(ys(latency), short_time), latency),
        figure("achieved", "Requests a second that were answered", "requests a second that were asked for",
               Extent(xs(achieved), short), Linear(ys(achieved), short), achieved)]


def answered(run):
    return [step for step in run["steps"] if step["latency"]]
