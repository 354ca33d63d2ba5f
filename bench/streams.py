"""Measure what many streams at once take of one worker: uploads, slow readers, events, waits.

The worker has a core of its own, the clients the other.  Memory is what the worker's resident memory
(VmHWM) rose to over what it was when idle, by the connection; latencies are those of bench/slow.py's
ordinary client, alone and beside, in turn.  Every byte that was sent is checked: uploads by a digest
that the application makes, downloads by one that is made here, events by their numbers.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import resource
import sys
import time

from measure.process import HERE, Server
from clients import Failure, ask_upstream, listen, read_late, run, slow_service, upload
from slow import at_rest, child, describe, descriptors, latencies, options, pinned

EXAMPLES = os.path.join(HERE, os.pardir, "examples")
KIB, MB = 1024, 1_000_000
MARK = 48 * KIB  # of the output, at which the iterable is not advanced


# -- The worker's memory --------------------------------------------------------------------------

def status(pid, name):
    """Bytes."""
    with open(f"/proc/{pid}/status") as file:
        return KIB * int(re.search(rf"^{name}:\s+(\d+) kB", file.read(), re.M)[1])


@contextlib.contextmanager
def peak(pid):
    """Gives a function that says how far resident memory has risen since."""
    with open(f"/proc/{pid}/clear_refs", "w") as file:
        file.write("5")
    before = status(pid, "VmRSS")
    yield lambda: status(pid, "VmHWM") - before


@contextlib.contextmanager
def serving(args, *arguments, variables=()):
    """A server and its worker, that have warmed up."""
    words = [word for variable in variables for word in ("--env", variable)]
    server = Server(lambda port: [args.asynwsgi, "--bind", f"127.0.0.1:{port}",
                                  *options(args.asynwsgi), *words, *arguments], args.cpus[0])
    try:
        worker = child(server.process.pid)
        # Not in real time as in slow.py: one that has always something to do is stopped for 50 ms a
        # second there (sched_rt_runtime_us).
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, worker, -20)
        yield server, worker
    finally:
        server.stop()


@contextlib.contextmanager
def clients(args, function, *arguments):
    """A process of clients on a core of theirs, and a pipe to it."""
    process, pipe = pinned(args.cpus[-1], run, function, *arguments)
    try:
        yield pipe
        process.join(60)
    finally:
        process.kill()


def answer(pipe):
    value = pipe.recv()
    if isinstance(value, Failure):
        raise value
    return value


# -- Uploads --------------------------------------------------------------------------------------

def measure_uploads(args, framing, pace):
    alone, beside, risen, rates = [], [], [], []
    with serving(args, "--streaming", "/digest", "app") as (server, worker):
        with clients(args, upload, server.port, framing, None, 1, 100_000) as pipe:
            answer(pipe)
            pipe.send("stop")
            answer(pipe)
        for _ in range(args.rounds):
            alone.append(latencies(server.port, args, args.cpus[-1]))
            empty = at_rest(worker)
            with peak(worker) as rise:
                with clients(args, upload, server.port, framing, pace, args.n, args.size) as pipe:
                    answer(pipe)
                    beside.append(latencies(server.port, args, args.cpus[-1]))
                    pipe.send("stop")
                    rates.append(answer(pipe))
                risen.append(rise())
            if at_rest(worker) > empty:
                raise Failure("the worker keeps what it had open for uploads")
    alone, beside = describe(alone), describe(beside)
    return {"memory_each": max(risen) / args.n, "allowed_each": 64 * KIB + MB / args.n,
            "alone": alone, "beside": beside, "ratio": beside["p99"] / alone["p99"],
            "allowed_ratio": 2, "uploads": sum(done for done, _ in rates),
            "bytes_per_second": max(rate for _, rate in rates)}


# -- Slow readers ---------------------------------------------------------------------------------

def settle(pid):
    """Until the worker has nothing to do: its CPU time rests."""
    def spent():
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[0])
    before = None
    while before is None or spent() - before > 2_000_000:
        before = spent()
        time.sleep(0.2)


def measure_readers(args):
    with serving(args, "app") as (server, worker):
        with clients(args, read_late, server.port, 1, 100_000) as pipe:
            answer(pipe)
            pipe.send("read")
            answer(pipe)
        at_rest(worker)
        with peak(worker) as rise, \
                clients(args, read_late, server.port, args.n, args.size) as pipe:
            answer(pipe)
            settle(worker)
            stalled = rise()
            pipe.send("read")
            answer(pipe)
            return {"memory_each": stalled / args.n, "allowed_each": MARK,
                    "peak_while_read_each": rise() / args.n}


# -- Events ---------------------------------------------------------------------------------------

def measure_events(args):
    with serving(args, "--chdir", EXAMPLES, "events",
                 variables=[f"TICK={args.tick}"]) as (server, worker):
        with clients(args, listen, server.port, 1, 1) as pipe:
            answer(pipe), answer(pipe)
            pipe.send("stop")
            answer(pipe)
        empty = at_rest(worker)
        with peak(worker) as rise, \
                clients(args, listen, server.port, args.listeners, args.ticks) as pipe:
            answer(pipe)
            held = descriptors(worker) - empty
            answer(pipe)
            risen = rise()
            pipe.send("stop")
            figures = answer(pipe)
        if held < args.listeners or at_rest(worker) > empty:
            raise Failure(f"the worker had {held} connections, and keeps some")
    if figures["ticks_to_all"] < args.ticks - 1:
        raise Failure(f"only {figures['ticks_to_all']} ticks went to all")
    return {"memory_each": risen / args.listeners, "allowed_each": 4 * KIB, **figures}


# -- A slow service behind it ---------------------------------------------------------------------

def measure_upstream(args):
    with clients(args, slow_service, args.delay) as service:
        port = answer(service)
        with serving(args, "--chdir", EXAMPLES, "upstream",
                     variables=[f"UPSTREAM=127.0.0.1:{port}"]) as (server, worker):
            taken = {}
            for n in (1, args.waiting):
                at_rest(worker)
                with peak(worker) as rise, clients(args, ask_upstream, server.port, n) as pipe:
                    answer(pipe)
                    taken[n] = answer(pipe)
                    risen = rise()
        service.send("stop")
        most = answer(service)
    if most < args.waiting:
        raise Failure(f"the service had only {most} requests at once")
    return {"memory_each": risen / args.waiting, "one_seconds": taken[1],
            "all_seconds": taken[args.waiting]}


# -- The report -----------------------------------------------------------------------------------

def kinds(args):
    found = {}
    for framing in ("sized", "chunked"):
        for pace, rate in (("slow", args.pace), ("fast", None)):
            found[f"{pace} {framing} uploads"] = \
                lambda framing=framing, rate=rate: measure_uploads(args, framing, rate)
    return {**found, "stalled readers": lambda: measure_readers(args),
            "event listeners": lambda: measure_events(args),
            "waits for a service": lambda: measure_upstream(args)}


def show(table, args):
    print(f"{args.n} uploads of {args.size / MB:g} MB (slow: {args.pace / KIB:.0f} KiB/s each), {args.n} "
          f"readers of as much, {args.listeners} listeners, {args.waiting} waiting; memory in KiB each, "
          f"latencies of {args.rate} other requests a second in us, median of {args.rounds} rounds")
    print("| | memory | allowed | p99 alone -> beside | ratio | |")
    print("|" + " --- |" * 6)
    for kind, row in table.items():
        cells = ["-"] * 5
        cells[0] = f"{row['memory_each'] / KIB:.1f}"
        if "allowed_each" in row:
            cells[1] = f"{row['allowed_each'] / KIB:.1f}"
        if "ratio" in row:
            cells[2] = f"{row['alone']['p99']:.0f} -> {row['beside']['p99']:.0f}"
            cells[3] = f"{row['ratio']:.2f}"
            cells[4] = f"{row['uploads']} uploads, {row['bytes_per_second'] / MB:.0f} MB/s"
        elif "longest_tick" in row:
            cells[4] = f"{row['ticks_to_all']} ticks to all, each within {row['longest_tick'] * 1000:.0f} ms"
        elif "all_seconds" in row:
            cells[4] = f"one took {row['one_seconds']:.2f} s, all {row['all_seconds']:.2f} s"
        else:
            cells[4] = f"{row['peak_while_read_each'] / KIB:.1f} while they read"
        print("| " + " | ".join([kind, *cells]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asynwsgi", help="the command to measure", type=os.path.abspath)
    parser.add_argument("-n", type=int, default=256, help="uploads and readers at once")
    parser.add_argument("--size", type=int, default=20 * MB, help="bytes of each")
    parser.add_argument("--pace", type=int, default=MB, help="bytes a second of each slow upload")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement of latencies")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second of the ordinary client")
    parser.add_argument("--listeners", type=int, default=10000)
    parser.add_argument("--ticks", type=int, default=5, help="that each listener awaits")
    parser.add_argument("--tick", type=float, default=1, help="seconds from one to the next")
    parser.add_argument("--waiting", type=int, default=500, help="requests that wait for a service")
    parser.add_argument("--delay", type=float, default=1, help="seconds that the service takes")
    parser.add_argument("--kind", action="append", help="only this kind; repeatable")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    args = parser.parse_args()
    known = kinds(args)
    if args.kind and not set(args.kind) <= set(known):
        sys.exit(f"streams: the kinds are: {', '.join(known)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < args.listeners + 100:
        sys.exit(f"streams: {args.listeners} listeners need more than {hard} descriptors (ulimit -Hn)")
    args.cpus = sorted(os.sched_getaffinity(0))
    table, failed = {}, False
    for kind in args.kind or known:
        print(f"{kind} ...", file=sys.stderr)
        try:
            table[kind] = known[kind]()
        except Failure as failure:
            print(f"{kind}: {failure}", file=sys.stderr)
            failed = True
    show(table, args)
    if args.json:
        parameters = {name: value for name, value in vars(args).items() if name not in ("json", "kind")}
        with open(args.json, "w") as file:
            json.dump({"machine": platform.platform(), "cpus": os.cpu_count(), **parameters,
                       "summary": table}, file, indent=1)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
