"""Reports on the terminal."""

import sys

from . import document, histogram
from .result import bottleneck, error_count, rate
from .units import show_count, show_size, show_time

COLUMNS = [*map(histogram.name_of, histogram.PERCENTILES), "max"]
COUNTED = ["errors", "unfinished"]


def grid(rows, left=1):
    """Lines of a table, with its columns aligned; the first `left` to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) if i < left else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows]


def indented(lines):
    return [f"  {line}" if line else "" for line in lines]


def latency_rows(results):
    """A row for each percentile, of (title, result)s; a second column for what is uncorrected."""
    columns = []
    for title, result in results:
        if "uncorrected" in result:
            columns.append((f"{title} corrected".strip(), result["latency"]))
            columns.append(("uncorrected", result["uncorrected"]))
        else:
            columns.append((title, result["latency"]))
    rows = [["latency", *(title for title, _ in columns)]]
    for name in [*COLUMNS, "mean"]:
        rows.append([name, *(show_time(latency.get(name)) for _, latency in columns)])
    return rows


def errors_line(result):
    """By class, those that there were."""
    errors = [f"{kind} {count:,}" for kind, count in result["errors"].items() if count]
    if result.get("mismatches"):
        errors.append(f"of read, wrong digest {result['mismatches']:,}")
    statuses = [f"{status}: {count:,}" for status, count in sorted(result["statuses"].items())]
    return f"{', '.join(errors) or 'none'}; by status {', '.join(statuses) or 'no answers'}"


def figures(result):
    """[(name, text)] of what is no latency."""
    cpu, requests = result["cpu_seconds"], result["requests"]
    each = f", {show_time(cpu / requests * 1e9)} a request" if requests else ""
    found = [("partial", f"interrupted after {result['seconds']:.2f} s")] if result.get("interrupted") else []
    found += [
        ("requests", f"{requests:,} in {result['seconds']:.2f} s, {show_count(rate(result))} a second"),
        ("data", f"{show_size(result['bytes_in'])} in, {show_size(result['bytes_out'])} out, "
                 f"{result['connections_opened']:,} connections opened"),
        ("errors", errors_line(result)),
        ("client", f"{cpu:.2f} s of CPU{each}; busy {result['busy']:.0%} of the time")]
    if result.get("unfinished"):
        found.append(("unfinished", f"{result['unfinished']:,} were not answered when it ended"))
    if "server_cpu_seconds" in result:
        cpu = result["server_cpu_seconds"]
        each = f", {show_time(cpu / requests * 1e9)} a request" if requests else ""
        found.append(("server", f"{cpu:.2f} s of CPU{each}"))
    return found


def details(result):
    """Lines, for all but the latencies."""
    found = figures(result)
    width = max(len(name) for name, _ in found)
    lines = indented(f"{name.ljust(width)}  {text}" for name, text in found)
    sentence = bottleneck(result)
    return [*lines, "", f"  Note: {sentence}."] if sentence else lines


def comparison(pairs):
    """Rows of figures for [(label, result)], and of their ratios to the first."""
    names = ["rate", *COLUMNS, "mean", *COUNTED]
    rows = [["", *(label for label, _ in pairs)]]
    for name in names:
        values = [value_of(result, name) for _, result in pairs]
        show = show_count if name == "rate" or name in COUNTED else show_time
        rows.append([name, *(with_ratio(show, value, values[0]) for value in values)])
    if all("server_cpu_seconds" in result and result["requests"] for _, result in pairs):
        values = [result["server_cpu_seconds"] / result["requests"] * 1e9 for _, result in pairs]
        rows.append(["server CPU", *(with_ratio(show_time, value, values[0]) for value in values)])
    return rows


def value_of(result, name):
    if name == "rate":
        return rate(result)
    if name == "errors":
        return error_count(result)
    return result[name] if name in COUNTED else result["latency"].get(name)


def with_ratio(show, value, base):
    if value is None:
        return "-"
    return f"{show(value)} ({value / base:.2f})" if base else show(value)


def write(lines, file=None):
    document.write_out("\n".join([*lines, ""]), file or sys.stdout)
