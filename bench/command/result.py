"""What asynwsgi-load has counted, of one process or of several: dicts as in its JSON."""

from collections import Counter

from . import histogram

BUSY = 0.9  # of a client's time, from which on it has none to spare
LATE = 0.25  # of a latency, from which on too much of it is the client's own


def sum_of(dicts):
    """{key: sum}, in the order in which the keys come."""
    counter = Counter()
    for one in dicts:
        counter.update(one)
    return dict(counter)


def largest_of(dicts):
    return {key: max(one.get(key, 0) for one in dicts) for key in dict.fromkeys(k for d in dicts for k in d)}


def merge(results):
    """One result of those of clients that ran at the same time."""
    merged = {name: sum(one[name] for one in results)
              for name in ("requests", "bytes_in", "bytes_out", "connections_opened", "cpu_seconds")}
    # Of mismatches, which are among the errors of reading, only a client that checks digests tells.
    merged |= {name: sum(one.get(name, 0) for one in results) for name in ("unfinished", "mismatches")}
    merged["in_time"] = sum(one.get("in_time", one["requests"]) for one in results)
    merged |= {
        "clients": len(results),
        "interrupted": any(one.get("interrupted") for one in results),
        "seconds": max(one["seconds"] for one in results),
        "busy": max(one["busy"] for one in results),
        "errors": sum_of(one["errors"] for one in results),
        "statuses": sum_of(one["statuses"] for one in results),
        "late": largest_of([one.get("late") or {} for one in results]),
        "histogram": histogram.merge(one["histogram"] for one in results),
    }
    merged["latency"] = histogram.summary(
        merged["histogram"], max(one["latency"].get("max", 0) for one in results))
    # Of clients with a rate: those without have nothing to correct.
    if any(one.get("uncorrected_histogram") for one in results):
        both = [(one.get("uncorrected_histogram") or one["histogram"],
                 one.get("uncorrected") or one["latency"]) for one in results]
        merged["uncorrected_histogram"] = histogram.merge(one for one, _ in both)
        merged["uncorrected"] = histogram.summary(
            merged["uncorrected_histogram"], max(one.get("max", 0) for _, one in both))
    merged["intervals"] = merge_intervals([one["intervals"] for one in results])
    return merged


def merge_intervals(clients):
    """Those of all clients, which began together: the first of each, the second of each, and so on.
    Percentiles cannot be merged: p50 is the mean of theirs, by requests, and p99 the largest."""
    rows = []
    for number in range(max(map(len, clients), default=0)):
        parts = [intervals[number] for intervals in clients if number < len(intervals)]
        requests = sum(part["requests"] for part in parts)
        rows.append({
            "from": min(part["from"] for part in parts), "to": max(part["to"] for part in parts),
            "requests": requests, "bytes": sum(part["bytes"] for part in parts),
            "errors": sum_of(part["errors"] for part in parts),
            "p50": sum(part["p50"] * part["requests"] for part in parts) / requests if requests else 0,
            "p99": max(part["p99"] for part in parts), "max": max(part["max"] for part in parts)})
    return rows


def rate(result):
    """Answers a second, without those that were awaited after the end, which would make it look the
    higher the more connections there are; 0 if a signal came before it began to count."""
    return result.get("in_time", result["requests"]) / result["seconds"] if result["seconds"] else 0


def error_count(result):
    return sum(result["errors"].values())


def error_rate(result):
    """The share of what was tried that failed; None if nothing was. Statuses and wrong digests are of
    requests that were answered."""
    errors = error_count(result)
    tried = result["requests"] + errors - result["errors"]["status"] - result.get("mismatches", 0)
    return errors / tried if tried else None


def bottleneck(result):
    """A sentence, if the client and not the server was what limited it, or that time was spent in."""
    if result["busy"] >= BUSY:
        return f"the client was the bottleneck, not the server: it was busy {result['busy']:.0%} of the time; " \
            "give it more processes with -t, or less to do"
    late, latency = result["late"].get("p99", 0), result["latency"].get("p99", 0)
    if late > LATE * latency > 0:
        return f"the client was late itself: {late / latency:.0%} of the latency at p99 is its own; " \
            "the server is quicker than this says"
    return None
