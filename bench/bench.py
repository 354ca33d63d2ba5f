"""Measure asynwsgi beside the servers that are installed, in one run.

The figure is requests per second of the server's CPU time: run time of all its threads from
/proc/PID/task/*/schedstat, over the requests that wrk counted meanwhile.  Servers take turns within
each round, pinned to one core with the client on another, and the best of the rounds counts: noise
only ever adds.  Ratios are to asynwsgi; nginx answers without Python and is the ceiling.
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

FIELDS = "".join(f"wrk.headers['X-Field-{n}'] = 'value-{n}-0123456789abcdef'\n" for n in range(19))
PIPELINE = """
init = function() pipelined = string.rep(wrk.format('GET', '/'), 16) end
request = function() return pipelined end
"""
POST = "wrk.method = 'POST'\nwrk.body = string.rep('x', 16384)\n"

# name: path, connections, Lua for wrk
SCENARIOS = {
    "hello": ("/", 32, ""),
    "64 KiB body": ("/large", 32, ""),
    "20 fields": ("/", 32, FIELDS),
    "16 KiB POST": ("/post", 32, POST),
    "16 pipelined": ("/", 32, PIPELINE),
    "1,000 connections": ("/", 1000, ""),
}

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {folder};
    proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
    scgi_temp_path {folder}; default_type text/plain; root {folder};
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location = /large {{ }}
        location / {{ return 200 "Hello, world!\\n"; }}
    }}
}}
"""


def commands(asynwsgi, folder):
    """How each server that is here is started: name -> function from a port to its arguments."""

    def nginx(port):
        with open(f"{folder}/large", "wb") as large:
            large.write(b"x" * 65536)
        with open(f"{folder}/nginx.conf", "w") as conf:
            conf.write(NGINX.format(folder=folder, port=port))
        return ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"]

    known = {
        "asynwsgi": lambda port: [asynwsgi, "--bind", f"127.0.0.1:{port}", "app"],
        "nginx": nginx,
        "uwsgi": lambda port: [
            *("uwsgi", "--plugin", "python3", "--http11-socket", f"127.0.0.1:{port}"),
            *("--master", "--disable-logging", "--listen", "1024", "--module", "app")],
        "gunicorn": lambda port: [
            *("gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"),
            *("--threads", "4", "--worker-connections", "2000", "app")],
        "waitress": lambda port: [
            *("waitress-serve", f"--listen=127.0.0.1:{port}", "--connection-limit=2000", "app:application")],
    }
    return {name: make for name, make in known.items() if shutil.which(make(0)[0])}


class Server:
    """A running server, and the CPU time of all the processes of its session."""

    def __init__(self, command, cpu):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            command(self.port), cwd=HERE, start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{self.process.args[0]} did not start")
                time.sleep(0.05)

    def cpu_ns(self):
        total = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    session = int(stat.read().rpartition(")")[2].split()[3])
                if session != self.process.pid:
                    continue
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as schedstat:
                        total += int(schedstat.read().split()[0])
            except OSError:
                pass
        return total

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def measure(server, scenario, seconds, cpu, folder):
    """CPU nanoseconds a request; None when there were errors."""
    path, connections, lua = SCENARIOS[scenario]
    script = f"{folder}/wrk.lua"
    with open(script, "w") as file:
        file.write(lua)
    before = server.cpu_ns()
    output = subprocess.run(
        ["taskset", "-c", str(cpu), "wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", script,
         f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True, text=True, timeout=seconds + 60).stdout
    spent = server.cpu_ns() - before
    requests = re.search(r"(\d+) requests in", output)
    if not requests or int(requests[1]) < 100 or "Non-2xx" in output or "Socket errors" in output:
        return None
    return spent / int(requests[1])


def run(args, folder):
    cpus = sorted(os.sched_getaffinity(0))
    servers = commands(os.path.abspath(args.asynwsgi), folder)
    if args.only:
        servers = {name: make for name, make in servers.items() if name in ("asynwsgi", *args.only)}
    samples = {scenario: {name: [] for name in servers} for scenario in SCENARIOS}
    for scenario in SCENARIOS:
        for turn in range(args.rounds):
            for name, command in servers.items():
                if name == "nginx" and scenario == "16 KiB POST":
                    continue  # it would not read the body
                server = Server(command, cpus[0])
                try:
                    samples[scenario][name].append(
                        measure(server, scenario, args.seconds, cpus[-1], folder))
                finally:
                    server.stop()
            print(f"{scenario}: round {turn + 1} of {args.rounds}", file=sys.stderr)
    return samples


def summarize(samples):
    """For each scenario and server: requests per CPU second (best, median), ratio to asynwsgi."""
    table = {}
    for scenario, servers in samples.items():
        row = table[scenario] = {}
        for name, taken in servers.items():
            good = [ns for ns in taken if ns]
            row[name] = {"failed_rounds": len(taken) - len(good)}
            if good:
                row[name] |= {"requests_per_cpu_second": round(1e9 / min(good)),
                              "median": round(1e9 / statistics.median(good))}
        best = row["asynwsgi"].get("requests_per_cpu_second")
        for figures in row.values():
            if best and "requests_per_cpu_second" in figures:
                figures["ratio"] = round(figures["requests_per_cpu_second"] / best, 3)
    return table


def show(table):
    names = list(next(iter(table.values())))
    print("Requests per second of server CPU time, thousands (ratio to asynwsgi)")
    print("| " + " | ".join(["", *names]) + " |")
    print("|" + " --- |" * (len(names) + 1))
    for scenario, row in table.items():
        cells = []
        for name in names:
            figures = row[name]
            if "ratio" in figures:
                cells.append(f"{figures['requests_per_cpu_second'] / 1000:.1f} ({figures['ratio']:.2f})")
            else:
                cells.append("errors" if figures["failed_rounds"] else "-")
        print("| " + " | ".join([scenario, *cells]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asynwsgi", help="the command to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--json", metavar="FILE", help="write all samples there too")
    parser.add_argument("--only", nargs="*", metavar="PEER")
    args = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if not shutil.which(tool):
            sys.exit(f"bench: {tool} not found; on Debian: apt-get install wrk util-linux")
    with tempfile.TemporaryDirectory() as folder:
        samples = run(args, folder)
    table = summarize(samples)
    show(table)
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"machine": platform.platform(), "cpus": os.cpu_count(), "rounds": args.rounds,
                       "seconds": args.seconds, "cpu_ns_per_request": samples, "summary": table},
                      file, indent=1)


if __name__ == "__main__":
    main()
