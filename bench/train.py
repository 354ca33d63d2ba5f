"""Have a command that was compiled to be profiled serve what most requests are like, so that it writes
down which ways they go: `make profiled` compiles it for these."""

import argparse
import os
import tempfile
from dataclasses import replace

from measure.client import load
from measure.process import Server
from measure.scenarios import BROWSER, HELLO, Traffic
from measure.servers import APPS

KEPT = (HELLO, BROWSER)
TRAFFIC = (*KEPT, *(replace(traffic, unix=True) for traffic in KEPT), replace(HELLO, pipelined=16),
           replace(BROWSER, close=True), Traffic("bodies", "/large", body=65536),
           Traffic("bodies", "/pieces", body=102400), Traffic("bodies", "/post", post=16384, body=5))


def train(options, traffic, folder):
    def command(address):
        bind = f"unix:{address}" if traffic.unix else f"127.0.0.1:{address}"
        return [os.path.abspath(options.asynwsgi), "--bind", bind, traffic.app]

    server = Server(command, options.cpus[0], f"{folder}/socket" if traffic.unix else None, APPS,
                    os.environ | {"BENCH_FILE": __file__})
    try:
        load(server.address, traffic, options, traffic.connections)
        server.process.terminate()
        server.process.wait(20)
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("asynwsgi", help="the command to train")
    parser.add_argument("load", help="asynwsgi-load")
    parser.add_argument("--seconds", type=float, default=0.25, help="of each kind of traffic")
    options = parser.parse_args()
    options.load = os.path.abspath(options.load)
    options.cpus = sorted(os.sched_getaffinity(0))
    for traffic in TRAFFIC:
        with tempfile.TemporaryDirectory() as folder:
            train(options, traffic, folder)


if __name__ == "__main__":
    main()
