"""Measure what a request costs the load generator itself, beside wrk, in one run.

The figure is microseconds of the client's CPU time, user and system, for each request that was
answered; both ask the same nginx, whose answer is made of its configuration, over connections that
are kept.  They take turns within each round, on a CPU that the server does not have, and the best of
the rounds counts.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

from measure.process import Server

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {folder};
    proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "Hello world\\n"; }} }}
}}
"""


def count_of_wrk(output):
    errors = re.search(r"Socket errors|Non-2xx", output)
    return 0 if errors else int(re.search(r"(\d+) requests in", output)[1])


def count_of_load(output):
    end = json.loads(output.splitlines()[-1])
    return 0 if any(end["errors"].values()) else end["requests"]


def cost(command, cpu, count):
    """CPU microseconds a request; None when there were errors."""
    process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=subprocess.PIPE, text=True)
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    requests = count(output) if process.returncode == 0 else 0
    return (usage.ru_utime + usage.ru_stime) / requests * 1e6 if requests else None


def run(args, folder):
    def nginx(port):
        with open(f"{folder}/nginx.conf", "w") as conf:
            conf.write(NGINX.format(folder=folder, port=port))
        return ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"]

    cpus = sorted(os.sched_getaffinity(0))
    server = Server(nginx, cpus[0])
    url = f"http://127.0.0.1:{server.port}/"
    found = {}
    try:
        for connections in args.connections:
            how = [f"-c{connections}", f"-d{args.seconds}s", url]
            samples = {"wrk": [], "asynwsgi-load": []}
            for _ in range(args.rounds):
                samples["wrk"].append(cost(["wrk", "-t1", *how], cpus[-1], count_of_wrk))
                samples["asynwsgi-load"].append(cost([args.load, *how], cpus[-1], count_of_load))
            found[connections] = {name: min(filter(None, costs), default=None)
                                  for name, costs in samples.items()}
    finally:
        server.stop()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("load", help="the asynwsgi-load to measure")
    parser.add_argument("--json", metavar="FILE", help="write the figures there, too")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=int, default=1, metavar="N", help="of each measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 2, 16, 64, 256], metavar="N")
    args = parser.parse_args()
    args.load = os.path.abspath(args.load)
    with tempfile.TemporaryDirectory() as folder:
        found = run(args, folder)
    print("CPU microseconds of the client for a request, and requests of asynwsgi-load in the time of one of wrk:")
    for connections, costs in found.items():
        wrk, ours = costs["wrk"], costs["asynwsgi-load"]
        if wrk and ours:
            print(f"{connections:5} connections: wrk {wrk:6.2f}, asynwsgi-load {ours:6.2f}, {wrk / ours:5.2f}")
        else:
            print(f"{connections:5} connections: there were errors")
    if args.json:
        with open(args.json, "w") as file:
            json.dump(found, file, indent=1)
    return 0 if all(None not in costs.values() for costs in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
