"""Measure dispatch's turns and timers beside libev's and libuv's, which do the same work.

Takes the programs of loop.c that were built, one for each library.  Instructions are those of user
space by callgrind, of the loop alone, without what the callbacks read and write.  Time is CPU time
with the kernel's and the callbacks' share; all take turns within each round, and the least and the
median of the rounds are given.  Both are per ready event: a turn costs that times those ready.
"""

import argparse
import io
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

TARGETS = (10, 1000, 10000, 50000)
SPARE = 100  # descriptors that are no targets


def contenders(programs):
    """name -> (program, back end)"""
    found = {}
    for program in programs:
        name = os.path.basename(program).partition("_")[2]
        backends = subprocess.run([program, "backends"], capture_output=True, text=True, check=True)
        for backend in backends.stdout.split():
            found[f"{name} {backend}"] = (program, backend)
    return found


def run(contender, mode, *arguments, wrap=()):
    """phase -> (how often, nanoseconds); None: it could not."""
    program, backend = contender
    done = subprocess.run([*wrap, program, mode, backend, *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=1200)
    if done.returncode != 0:
        return None
    lines = (line.split() for line in done.stdout.splitlines())
    return {phase: (int(count), int(ns)) for phase, count, ns in lines}


def instructions(contender, mode, *arguments):
    """phase -> instructions each time; None: callgrind could not."""
    with tempfile.TemporaryDirectory() as folder:
        counts = run(contender, mode, *arguments, wrap=[
            "env", "LD_BIND_NOW=1", "valgrind", "--tool=callgrind", "--toggle-collect=bench_ready",
            f"--callgrind-out-file={folder}/out"])
        result = {}
        for n, (phase, (count, _)) in enumerate((counts or {}).items(), 1):
            try:
                with open(f"{folder}/out.{n}") as dump:
                    result[phase] = int(re.search(r"^totals: (\d+)", dump.read(), re.M)[1]) / count
            except (OSError, TypeError):
                return None  # without valgrind's header when it was compiled
        return result or None


def nanoseconds(all_contenders, rounds, mode, *arguments):
    """name -> phase -> the samples of all rounds"""
    samples = {name: {} for name in all_contenders}
    for _ in range(rounds):
        for name, contender in all_contenders.items():
            for phase, (count, ns) in (run(contender, mode, *arguments) or {}).items():
                samples[name].setdefault(phase, []).append(ns / count)
    return samples


def measure(all_contenders, rounds, callgrind, mode, *arguments, short=None):
    """phase -> name -> figures; `short`: the arguments under callgrind"""
    print("measuring", mode, *arguments, file=sys.stderr)
    result = {}
    for name, phases in nanoseconds(all_contenders, rounds, mode, *arguments).items():
        for phase, samples in phases.items():
            result.setdefault(phase, {})[name] = {
                "ns_least": min(samples), "ns_median": statistics.median(samples),
                "samples": samples}
    for name, contender in all_contenders.items() if callgrind else ():
        for phase, each in (instructions(contender, mode, *(short or arguments)) or {}).items():
            result[phase][name]["instructions"] = each
    return result


def turns(all_contenders, args):
    """One row for each number of targets and of those ready."""
    rows = []
    for targets in args.targets:
        for ready in sorted({1, min(100, targets), targets}):
            count = 300 if ready == 1 else max(4, 20000 // ready) * ready
            short = 100 if ready == 1 else max(4, 10000 // ready) * ready
            figures = measure(all_contenders, args.rounds, args.callgrind, "turns", targets, ready,
                              count, short=(targets, ready, short))
            rows.append({"targets": targets, "ready": ready, "figures": figures.get("turns", {})})
    return rows


def timers(all_contenders, args):
    """One row for each phase.  The back end does not matter, so each library's first."""
    firsts = {}
    for name, contender in all_contenders.items():
        firsts.setdefault(name.partition(" ")[0], contender)
    phases = measure(firsts, args.rounds, args.callgrind, "timers", args.timers)
    return [{"phase": phase, "figures": figures} for phase, figures in phases.items()]


def show(title, heads, rows, names, cell):
    print(f"\n{title}\n\n| " + " | ".join([*heads, *names]) + " |")
    print("|" + " --- |" * len(heads) + " ---: |" * len(names))
    for row in rows:
        cells = [f"{row[head]:,}" if isinstance(row[head], int) else row[head] for head in heads]
        cells += [cell(row["figures"].get(name, {})) for name in names]
        print("| " + " | ".join(cells) + " |")


def show_all(heads, rows, what):
    names = list(dict.fromkeys(name for row in rows for name in row["figures"]))
    show(f"Instructions {what}:", heads, rows, names,
         lambda f: f"{f['instructions']:,.0f}" if "instructions" in f else "-")
    show(f"Nanoseconds {what}, least (median):", heads, rows, names,
         lambda f: f"{f['ns_least']:,.0f} ({f['ns_median']:,.0f})" if f else "-")


def plot(rows, path):
    try:
        import matplotlib
    except ImportError:
        print("no plot: matplotlib not found; on Debian: apt-get install python3-matplotlib")
        return
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "dispatch", "svg.fonttype": "none"})
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4))
    rows = [row for row in rows if row["ready"] == 1]
    for axes, key, title in zip(panels, ("ns_least", "instructions"),
                                ("CPU time of a turn, ns", "user instructions of a turn")):
        for name in rows[0]["figures"]:
            points = [(row["targets"] - 1, row["figures"][name][key]) for row in rows
                      if key in row["figures"].get(name, {})]
            if points:
                axes.plot(*zip(*points), marker="o", label=name)
        axes.set(xscale="log", yscale="log", title=title,
                 xlabel="idle targets, beside one that is ready")
        axes.grid(True, which="major", alpha=0.3)
        axes.legend()
    figure.tight_layout()
    text = io.StringIO()
    figure.savefig(text, metadata={"Date": None})
    with open(path, "w") as file:
        file.writelines(line.rstrip() + "\n" for line in text.getvalue().splitlines())


def limited(targets):
    """What the limit of descriptors lets be."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY or max(targets) + SPARE <= most:
        return targets
    fit = (most - SPARE) // 100 * 100
    print(f"RLIMIT_NOFILE is {most:,} at most: {fit:,} targets in place of more than that")
    return sorted({min(n, fit) for n in targets})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", nargs="+", metavar="PROGRAM", help="bench/loop_NAME")
    parser.add_argument("--targets", type=int, nargs="+", default=TARGETS)
    parser.add_argument("--timers", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", metavar="FILE", help="write all samples there too")
    parser.add_argument("--plot", metavar="FILE", help="of a turn over idle targets, in SVG")
    args = parser.parse_args()
    args.targets = limited(args.targets)
    args.callgrind = bool(shutil.which("valgrind"))
    if not args.callgrind:
        print("no instructions: valgrind not found; on Debian: apt-get install valgrind")
    all_contenders = contenders(args.programs)
    of_turns = turns(all_contenders, args)
    of_timers = timers(all_contenders, args)
    show_all(["targets", "ready"], of_turns, "for each ready event")
    show_all(["phase"], of_timers, f"for each of {args.timers:,} timers")
    if args.plot:
        plot(of_turns, args.plot)
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"machine": platform.platform(), "cpus": os.cpu_count(),
                       "rounds": args.rounds, "turns": of_turns,
                       "timers": of_timers}, file, indent=1)


if __name__ == "__main__":
    main()
