"""Measure what slow clients cost an ordinary one: its latencies alone and beside N slow connections.

One worker on a core of its own.  On the other, a client that asks at a fixed rate over one kept
connection, and a process that holds the slow connections, one byte a second each.  Alone and beside
take turns within one run, each against the same worker, and the median of the rounds counts.  Memory is
what the worker has for itself alone (smaps_rollup), by the connection, at the end of the first round.

The kernel asks a reader that takes nothing after 0.2 s, 0.4 s, 0.8 s ... up to two minutes whether it
has room now, and answers for it too where both ends are on one machine.  Of 10,000 that came at once
that is a burst of 0.2 s each time, on the worker's core; so slow readers are measured half a minute
after they came, when it is rare.
"""

import argparse
import contextlib
import gc
import json
import multiprocessing
import os
import platform
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time

from bench import Server

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"

# kind: the path, and the options of asynwsgi-sclients, which moves a byte a second.
KINDS = {
    "idle": ("/", ["--idle"]),
    "slow head": ("/", ["-H", "X-Long: " + "a" * 160, "--slow-head"]),
    "slow body": ("/post", ["--slow-body"]),
    "slow read": ("/huge", ["--slow-read"]),
}

# Nothing here is to end by a time-out or a limit. The options are those that the command has.
UNLIMITED = {"timeout-head": "1h", "timeout-body": "1h", "timeout-idle": "1h", "timeout-write": "1h",
             "min-rate-body": "0", "min-rate-write": "0", "memory-budget": "0"}


def hurry(pid, priority):
    """Before what else this machine does, which is not to be measured; if we may."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))


# -- The ordinary client --------------------------------------------------------------------------

def ask(port, seconds, rate, pipe):
    """Sends latencies in ns. A request that was due before the answer to the last counts from then on."""
    gc.disable()
    hurry(0, 2)
    taken = []
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = done = time.perf_counter_ns()
        for n in range(int(seconds * rate)):
            due = start + n * 1_000_000_000 // rate
            late = done > due
            if not late:
                time.sleep((due - done) / 1e9)
            began = due if late else time.perf_counter_ns()
            client.sendall(HEAD + b"\r\n")
            answer = client.recv(4096)
            done = time.perf_counter_ns()
            if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(b"world!\n"):
                raise RuntimeError(f"the ordinary client got {answer!r}")
            if n >= rate // 10:  # the first are to warm up
                taken.append(done - began)
    pipe.send(taken)


def latencies(port, args, cpu):
    process, pipe = pinned(cpu, ask, port, args.seconds, args.rate)
    try:
        return pipe.recv()
    finally:
        process.join()


# -- The slow ones --------------------------------------------------------------------------------

def pinned(cpu, function, *arguments):
    """A process on that core for a function, whose last argument is a pipe to us."""
    ours, theirs = multiprocessing.Pipe()

    def run():
        os.sched_setaffinity(0, {cpu})
        ours.close()
        function(*arguments, theirs)

    process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    process.start()
    theirs.close()
    return process, ours


@contextlib.contextmanager
def slow_clients(asynwsgi, port, kind, args, cpu):
    """Those that there are meanwhile; asynwsgi-sclients holds them."""
    path, options = KINDS[kind]
    with subprocess.Popen(
            [f"{asynwsgi}-sclients", f"http://127.0.0.1:{port}{path}", *options, str(args.n), "-d", "1h",
             "--probe-rate", "0", "--reconnect", "0", "--json", "-"],
            stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, {cpu})) as process:
        try:
            hurry(process.pid, 1)
            yield
            process.send_signal(signal.SIGINT)
            figures = json.load(process.stdout)
        finally:
            process.kill()
    held = sum(figure["held"] for figure in figures["kinds"].values())
    if held < args.n:
        raise RuntimeError(f"{kind}: only {held} connections were left at the end")


# -- The worker -----------------------------------------------------------------------------------

def child(pid):
    """The one that it has, or will have: it listens before it starts a worker."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            if found := file.read().split():
                return int(found[0])
        time.sleep(0.01)
    raise RuntimeError("no worker was started")


def private(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return 1024 * sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+)", file.read(), re.M)))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_for(pid, count):
    deadline = time.monotonic() + 60
    while descriptors(pid) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the worker has only {descriptors(pid)} descriptors of {count}")
        time.sleep(0.1)


def at_rest(pid):
    """The number of its descriptors, once it has closed those of the clients that are gone."""
    before = None
    while before != (before := descriptors(pid)):
        time.sleep(0.3)
    return before


def options(asynwsgi):
    known = subprocess.run([asynwsgi, "--help"], capture_output=True, text=True).stdout
    return [word for name, value in UNLIMITED.items() if f"--{name} " in known
            for word in (f"--{name}", value)]


def measure(asynwsgi, kind, args, cpus):
    """Samples of each round, alone and beside, and the bytes of memory of a connection."""
    server = Server(lambda port: [asynwsgi, "--bind", f"127.0.0.1:{port}", *options(asynwsgi), "app"],
                    cpus[0])
    alone, beside, memory = [], [], None
    try:
        worker = child(server.process.pid)
        hurry(worker, 2)
        for turn in range(args.rounds):
            alone.append(latencies(server.port, args, cpus[-1]))
            empty, before = at_rest(worker), private(worker)
            with slow_clients(asynwsgi, server.port, kind, args, cpus[-1]):
                wait_for(worker, empty + args.n)
                if kind == "slow read":
                    time.sleep(args.settle)
                beside.append(latencies(server.port, args, cpus[-1]))
                if memory is None:
                    memory = (private(worker) - before) / args.n
            if at_rest(worker) > empty:
                raise RuntimeError(f"{kind}: the worker keeps connections whose clients are gone")
            print(f"{kind}: round {turn + 1} of {args.rounds}", file=sys.stderr)
    finally:
        server.stop()
    return {"alone": alone, "beside": beside, "memory": memory}


# -- The report -----------------------------------------------------------------------------------

def describe(rounds):
    """p50, p99 and max in us, each the median of the rounds."""
    def at(samples, share):
        return sorted(samples)[min(int(len(samples) * share), len(samples) - 1)] / 1000
    return {name: statistics.median(at(samples, share) for samples in rounds)
            for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))}


def summarize(measured):
    table = {}
    for kind, taken in measured.items():
        alone, beside = describe(taken["alone"]), describe(taken["beside"])
        table[kind] = {"alone": alone, "beside": beside,
                       "p99_ratio": round(beside["p99"] / alone["p99"], 2),
                       "bytes_per_connection": round(taken["memory"])}
    return table


def show(table, args):
    print(f"Latencies in us of {args.rate} requests a second, alone -> beside {args.n} slow connections, "
          f"median of {args.rounds} rounds")
    print("| | p50 | p99 | max | ratio of p99s | private bytes a connection |")
    print("|" + " --- |" * 6)
    for kind, row in table.items():
        cells = [f"{row['alone'][name]:.0f} -> {row['beside'][name]:.0f}" for name in ("p50", "p99", "max")]
        print("| " + " | ".join([kind, *cells, f"{row['p99_ratio']:.2f}",
                                 str(row["bytes_per_connection"])]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asynwsgi", help="the command to measure")
    parser.add_argument("-n", type=int, default=10000, help="slow connections")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--settle", type=float, default=30, help="seconds before slow readers count")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second of the ordinary client")
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="only this kind; repeatable")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < args.n + 100:
        sys.exit(f"slow: {args.n} connections need more than {hard} descriptors (ulimit -Hn)")
    cpus = sorted(os.sched_getaffinity(0))
    measured = {kind: measure(os.path.abspath(args.asynwsgi), kind, args, cpus)
                for kind in args.kind or KINDS}
    table = summarize(measured)
    show(table, args)
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"machine": platform.platform(), "cpus": os.cpu_count(), "n": args.n,
                       "rounds": args.rounds, "seconds": args.seconds, "rate": args.rate,
                       "summary": table}, file, indent=1)


if __name__ == "__main__":
    main()
