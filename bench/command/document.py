"""The JSON of a run, which is what all reports are made from, and writing them."""

import json
import os
import platform
import shlex
import sys
import time

from . import histogram
from .failure import Failure, Usage

FORMAT = 1
NO_UNICODE = "backslashreplace"  # bytes of the command line that are none are written as \\udcff
KINDS = ("http-processing", "saturate", "bench")


def make(kind, runs, args):
    """`runs`: [{"label": ..., and what the kind has}]. The parameters are all options as they were."""
    parameters = {name: value for name, value in vars(args).items()
                  if value not in (None, False, []) and name not in ("call", "json", "html", "hgrm")}
    return {
        "format": FORMAT, "kind": kind, "command": shlex.join(["asynwsgi-bench", *sys.argv[1:]]),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"system": platform.platform(), "cpus": len(os.sched_getaffinity(0))},
        "parameters": json.loads(json.dumps(parameters, default=lambda value: getattr(value, "text", None)
                                            or getattr(value, "label", str(value)))),
        "runs": runs}


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Usage(f"{path}: not the JSON of a run: {error}") from error
    if not isinstance(document, dict) or document.get("kind") not in KINDS or document.get("format") != FORMAT \
            or not document.get("runs"):
        raise Usage(f"{path}: not the JSON of a run: write it with --json")
    return document


def write_out(text, file):
    """To standard output, or what stands for it."""
    try:
        print(text, end="", file=file, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(f"standard output: {error.strerror}") from error


def write_file(path, text):
    if path == "-":
        write_out(text, sys.stdout)
        return
    try:
        with open(path, "w", encoding="utf-8", errors=NO_UNICODE) as file:
            file.write(text)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error


def write_json(path, document):
    write_file(path, json.dumps(document, indent=1) + "\n")


def write_hgrm(path, result):
    if not result["histogram"]:
        raise Failure("no request was answered: there is nothing for --hgrm")
    write_file(path, histogram.hgrm(result["histogram"], result["latency"]["max"]))


def where_reports_go(args):
    """Tables are for standard output, unless something else is written there."""
    return sys.stderr if "-" in (args.json, args.html, getattr(args, "hgrm", None)) else sys.stdout
