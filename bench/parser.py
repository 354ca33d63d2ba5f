"""Measure the parsers of http: a small request's head, a browser's, and the chunked coding.

Instructions are those of user space by callgrind, the difference of two runs.  Nanoseconds are CPU
time; all take turns within each round, and the least of the rounds counts.  With a picohttpparser
(make bench-parser PICOHTTPPARSER=FOLDER, which holds its source) it reads the same heads, compiled for
SSE4.2, which callgrind can't run.
"""

import argparse
import json
import subprocess
import sys

COUNTS = {"small": 300000, "browser": 60000, "chunked": 200}


def run(program, what, how, count, wrap=()):
    """(bytes, nanoseconds) of a message; None: this can't be done here."""
    done = subprocess.run([*wrap, program, what, how, str(count)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return None
    length, each = done.stdout.split()
    return int(length), float(each)


def instructions(program, what, how, counts):
    """Of one message; None: callgrind could not."""
    totals = []
    for count in counts:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, what, how,
             str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        found = [line for line in done.stderr.splitlines() if "Collected" in line]
        if done.returncode != 0 or not found:
            return None
        totals.append(int(found[0].split()[-1]))
    return (totals[1] - totals[0]) / (counts[1] - counts[0])


def measure(program, what, ways, rounds):
    rows = {}
    for _ in range(rounds):
        for name, how in ways.items():
            found = run(program, what, how, COUNTS[what])
            if found:
                row = rows.setdefault(name, {"bytes": found[0], "ns": found[1]})
                row["ns"] = min(row["ns"], found[1])
    for name, row in rows.items():
        row["instructions"] = instructions(program, what, ways[name],
                                           (2, 12) if what == "chunked" else (1000, 3000))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="t/http/parse")
    parser.add_argument("--pico", metavar="FILE", help="picohttpparser as a shared library")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    heads = {"the machine alone": "machine", "plain lines": "base", "plain lines, AVX2": "avx2"}
    if args.pico:
        heads["picohttpparser"] = args.pico
    result = {}
    print("| message | bytes | how | ns | instructions | a byte |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for what, ways in (("small", heads), ("browser", heads),
                       ("chunked", {"decoded and copied": "decode", "copied": "copy"})):
        result[what] = measure(args.program, what, ways, args.rounds)
        for name, row in result[what].items():
            count = row["instructions"]
            cells = (f"{count:,.0f}", f"{count / row['bytes']:.2f}") if count else ("-", "-")
            print(f"| {what} | {row['bytes']:,} | {name} | {row['ns']:,.1f} | {' | '.join(cells)} |")
            sys.stdout.flush()
    if args.json:
        with open(args.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
