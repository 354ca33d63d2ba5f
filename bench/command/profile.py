"""What a server writes with --profile FILE: for each worker the Python profile, FILE or FILE.2 and so
on, and beside it, with .json, the seconds that its phases took."""

import json
import os
import pstats
import time

from .failure import Failure
from .units import show_count, show_time

TOP = 15
FRESH = 2  # seconds, in which a server has written what there was to write


def files(path):
    """Of the workers."""
    found, number = [path], 2
    while os.path.exists(f"{path}.{number}"):
        found.append(f"{path}.{number}")
        number += 1
    return found


def wait_until_fresh(path):
    """Each was written after now; or there was nothing new to write, or the server has ended."""
    now, deadline = time.time(), time.monotonic() + FRESH
    while time.monotonic() < deadline:
        if all(os.path.exists(name) and os.stat(name).st_mtime > now
               for one in files(path) for name in (one, f"{one}.json")):
            return
        time.sleep(0.05)


def read(path):
    """{"requests", "seconds", "phases": {name: seconds}, "functions": [...]} of all workers."""
    wait_until_fresh(path)
    phases, requests, seconds = {}, 0, 0
    try:
        stats = pstats.Stats(*files(path))
        for one in files(path):
            with open(f"{one}.json", encoding="utf-8") as file:
                worker = json.load(file)
            requests += worker["requests"]
            seconds = max(seconds, worker["seconds"])
            for name, spent in worker["phases"].items():
                phases[name] = phases.get(name, 0) + spent
        functions = [{"function": name_of(*where), "calls": calls, "own": own, "cumulative": cumulative}
                     for where, (_, calls, own, cumulative, _) in stats.stats.items()]
    except OSError as error:
        raise Failure(f"--profile {error.filename}: {error.strerror}") from error
    except (ValueError, EOFError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Failure(f"--profile {path}: not a profile that the server writes: {error}") from error
    functions.sort(key=lambda one: -one["own"])
    return {"requests": requests, "seconds": seconds, "phases": phases, "functions": functions[:TOP]}


def name_of(file, line, name):
    return name if file == "~" else f"{'/'.join(file.split(os.sep)[-2:])}:{line} {name}"


def phase_rows(profile):
    total = sum(profile["phases"].values()) or 1
    rows = [["phase", "seconds", "share", "a request"]]
    for name, spent in sorted(profile["phases"].items(), key=lambda item: -item[1]):
        each = show_time(spent / profile["requests"] * 1e9) if profile["requests"] else "-"
        rows.append([name, f"{spent:.3f}", f"{spent / total:.1%}", each])
    return rows


def function_rows(profile):
    rows = [["function, by own time", "calls", "own s", "all s"]]
    for one in profile["functions"]:
        rows.append([one["function"], show_count(one["calls"]), f"{one['own']:.3f}", f"{one['cumulative']:.3f}"])
    return rows


def title(profile):
    return f"The server's profile, since it began: {profile['requests']:,} requests in {profile['seconds']:.1f} s"
