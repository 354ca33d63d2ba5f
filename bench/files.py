"""Measure what it costs to send a file, beside nginx's sendfile, in one run.

The figure is nanoseconds of the server's CPU time for each KiB that wrk read: as in bench.py, whose
servers these are.  asynwsgi sends the same file in two ways, by wsgi.file_wrapper and as blocks
that the application reads.  They take turns within each round, and the best of the rounds counts.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from measure.process import Server

SIZES = {"1 MiB": 1 << 20, "100 MiB": 100 << 20}
COUNT = """
done = function(summary)
    local errors = summary.errors
    io.write("errors ", errors.connect + errors.read + errors.write + errors.status, "\\n")
    io.write("bytes ", string.format("%.0f", summary.bytes), "\\n")
end
"""
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {folder};
    proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
    scgi_temp_path {folder}; default_type application/octet-stream; root {folder};
    sendfile on;
    server {{ listen 127.0.0.1:{port}; }}
}}
"""


def commands(asynwsgi, folder):
    """name -> (function from a port to a server's arguments, what is behind a file's name)"""

    def nginx(port):
        with open(f"{folder}/nginx.conf", "w") as conf:
            conf.write(NGINX.format(folder=folder, port=port))
        return ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"]

    def ours(port):
        return [asynwsgi, "--bind", f"127.0.0.1:{port}", "app"]

    return {"asynwsgi": (ours, ""), "nginx": (nginx, ""), "asynwsgi, read()": (ours, "?read")}


def measure(server, path, args, cpu, folder):
    """CPU nanoseconds a KiB; None when there were errors."""
    with open(f"{folder}/count.lua", "w") as script:
        script.write(COUNT)
    before = server.cpu_ns()
    output = subprocess.run(
        ["taskset", "-c", str(cpu), "wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}",
         "-s", f"{folder}/count.lua", f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True, text=True, timeout=args.seconds + 60).stdout
    spent = server.cpu_ns() - before
    sent = re.search(r"^errors 0\nbytes (\d+)$", output, re.M)
    return spent / int(sent[1]) * 1024 if sent and int(sent[1]) > 0 else None


def run(args, folder):
    cpus = sorted(os.sched_getaffinity(0))
    servers = commands(os.path.abspath(args.asynwsgi), folder)
    samples = {size: {name: [] for name in servers} for size in SIZES}
    for size, length in SIZES.items():
        with open(f"{folder}/{length}", "wb") as file:
            for _ in range(length >> 20):
                file.write(os.urandom(1 << 20))
        for turn in range(args.rounds):
            for name, (command, query) in servers.items():
                server = Server(command, cpus[0])
                try:
                    samples[size][name].append(
                        measure(server, f"/{length}{query}", args, cpus[-1], folder))
                finally:
                    server.stop()
            print(f"{size}: round {turn + 1} of {args.rounds}", file=sys.stderr)
    return samples


def show(samples):
    names = list(next(iter(samples.values())))
    print("Nanoseconds of server CPU time a KiB (ratio to nginx)")
    print("| " + " | ".join(["", *names]) + " |")
    print("|" + " --- |" * (len(names) + 1))
    for size, servers in samples.items():
        best = {name: min((ns for ns in taken if ns), default=None)
                for name, taken in servers.items()}
        cells = [f"{best[name]:.1f} ({best[name] / best['nginx']:.2f})"
                 if best[name] and best["nginx"] else "errors" for name in names]
        print("| " + " | ".join([size, *cells]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asynwsgi", help="the command to measure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--json", metavar="FILE", help="write all samples there too")
    args = parser.parse_args()
    for tool in ("wrk", "taskset", "nginx"):
        if not shutil.which(tool):
            sys.exit(f"bench: {tool} not found; on Debian: "
                     "apt-get install wrk util-linux nginx-light")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # nginx's worker is another user
        os.environ["FILES"] = folder
        samples = run(args, folder)
    show(samples)
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"rounds": args.rounds, "seconds": args.seconds, "cpu_ns_per_kib": samples},
                      file, indent=1)


if __name__ == "__main__":
    main()
