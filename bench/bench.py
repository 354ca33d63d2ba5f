"""Measure asynwsgi beside a bare loop and other servers, in one run.

CPU time is the run time of all threads of a server, from /proc/PID/task/*/schedstat, for each request
that its clients had answered meanwhile: requests a second would only tell how fast the clients are.
A server has one worker, pinned to one core, and the clients have another.  Servers take turns within
each round, and the least counts: what else the machine does only ever adds.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import sys
import tempfile
import time

from measure import page, report, run
from measure.scenarios import FILE_SIZE, KINDS, SCENARIOS
from measure.servers import Servers


def contenders(scenario, servers, only):
    names = ["asynwsgi", "raw", *servers.versions]
    if scenario.servers:
        names = [name for name in scenario.servers if name in names or name == scenario.subject]
    return [name for name in dict.fromkeys(names)
            if name not in scenario.without and servers.can(name, scenario.traffic) and (not only or name in (*only, "asynwsgi", "raw", scenario.subject))]


def measure(options, folder, results):
    """Fills `results`, so that what there is can be told when it is interrupted. Gives the versions."""
    with open(f"{folder}/file", "wb") as file:
        file.write(os.urandom(FILE_SIZE))
    servers = Servers(os.path.abspath(options.asynwsgi), os.path.abspath(options.raw), options.venv, folder)
    options.load = os.path.abspath(options.load)
    for scenario in SCENARIOS:
        if options.scenario and scenario.name not in options.scenario:
            continue
        print(f"measuring {scenario.name}", file=sys.stderr)
        samples = run.Samples(contenders(scenario, servers, options.only))
        results.append((scenario, samples))
        try:
            getattr(run, f"of_{scenario.kind}")(servers, scenario, options, samples)
        except KeyboardInterrupt:
            print("interrupted: what follows is what there is so far", file=sys.stderr)
            break
        for name, why in samples.wrong.items():
            print(f"{scenario.name}: {name}: {why}", file=sys.stderr)
    return servers.versions


def about(options, versions):
    """What a reader needs to know of the run."""
    return {"machine": platform.platform(), "cpu": cpu_name(), "cpus": os.cpu_count(),
            "python": platform.python_version(), "rounds": options.rounds, "seconds": options.seconds,
            "servers": versions, "date": time.strftime("%Y-%m-%d", time.gmtime())}


def cpu_name():
    with open("/proc/cpuinfo") as info:
        return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "")


def tables(results):
    for title, kinds in (("Microseconds of CPU time a request", ("cpu", "framework")),
                         ("Other figures", set(KINDS) - {"cpu", "framework"})):
        if any(scenario.kind in kinds for scenario, _ in results):
            yield f"{title}:\n\n{report.figure_table(results, kinds)}\n"
    yield "\n".join(report.shares(results)) + "\n"
    yield f"Limits:\n\n{report.verdict_table(results)}\n"


def as_json(results, information):
    figures = report.figures(results)
    return information | {
        "scenarios": {scenario.name: {"unit": KINDS[scenario.kind][0], "figures": figures[scenario.name],
                                      "failed": samples.wrong} for scenario, samples in results},
        "limits": [vars(verdict) | {"held": verdict.held} for verdict in report.verdicts(results)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asynwsgi", help="the command to measure")
    parser.add_argument("raw", help="the bare loop, of raw.c")
    parser.add_argument("load", help="asynwsgi-load")
    parser.add_argument("--venv", metavar="DIR", help="a virtual environment with more servers")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.25, help="of each measurement")
    parser.add_argument("--only", nargs="*", metavar="PEER", default=[])
    parser.add_argument("--scenario", nargs="*", default=[], choices=[s.name for s in SCENARIOS], metavar="NAME",
                        help="; ".join(scenario.name for scenario in SCENARIOS))
    parser.add_argument("--json", metavar="FILE", help="write all samples there too")
    parser.add_argument("--html", metavar="FILE", help="write a page with plots there")
    options = parser.parse_args()
    if not shutil.which("taskset"):
        sys.exit("bench: taskset not found; on Debian: apt-get install util-linux")
    for program in (options.asynwsgi, options.raw, options.load):
        if not os.access(program, os.X_OK):
            sys.exit(f"bench: {program}: no such program")
    options.cpus = sorted(os.sched_getaffinity(0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # servers are not to be left
    results = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # nginx's worker is another user
        versions = measure(options, folder, results)
    information = about(options, versions)
    print("\n".join(tables(results)))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(as_json(results, information), file, indent=1)
    if options.html:
        with open(options.html, "w") as file:
            file.write(page.html(results, information))


if __name__ == "__main__":
    main()
