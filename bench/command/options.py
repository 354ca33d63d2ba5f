"""The options that subcommands share, and what asynwsgi-load is told of them."""

import argparse
import re
import sys

from .condition import Condition
from .failure import Usage
from .units import parse_count, parse_duration, parse_size


class Parser(argparse.ArgumentParser):
    """What is wrong is said in one line."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, allow_abbrev=False, **options)
        self.formatter_class = lambda prog: argparse.HelpFormatter(prog, max_help_position=30, width=100)

    def error(self, message):
        raise Usage(message)

    def exit(self, *_):
        """After --help and --version."""
        sys.stdout.flush()
        sys.exit()


def checked(parse):
    """A type for what is handed on as it was written."""
    def check(text):
        parse(text)
        return text
    return check


duration, size = checked(parse_duration), checked(parse_size)


def path(text):
    if not re.fullmatch(r"/[!-~]*", text):
        raise Usage(f"{text!r} is not a path: write such as /form?name=%C3%A9")
    return text


def name_and_value(text):
    if not text.partition(":")[1] or text.startswith(":"):
        raise Usage(f"{text!r} is not a field: write 'Name: value'")
    return text


# What is handed on to asynwsgi-load as it is: flags, and how argparse is told of them.
BODY = [
    (("--body",), {"metavar": "TEXT", "help": "send this with each request"}),
    (("--body-file",), {"metavar": "FILE", "help": "send what is in this file"}),
    (("--body-size",), {"metavar": "SIZE", "type": size, "help": "send so many bytes"}),
    (("--synthesize-post",), {"metavar": "NCHUNKS", "type": checked(parse_count),
                              "help": "send so many chunks, made on the way"}),
    (("--chunksz",), {"metavar": "NBYTES", "type": size, "help": "of each such chunk (default: 4k)"}),
    (("--check-digest",), {"action": "store_true", "help": "the response must be the SHA-256 of the body"}),
]
REQUEST = [
    (("-H", "--header"), {"metavar": "FIELD", "type": name_and_value, "action": "append",
                          "help": "'Name: value' to send; may be repeated"}),
    (("--pipeline",), {"metavar": "N", "type": checked(parse_count),
                       "help": "so many requests at a time on a connection"}),
    (("--no-keepalive",), {"action": "store_true", "help": "a connection for each request"}),
    (("--timeout",), {"metavar": "TIME", "type": duration, "help": "for a response"}),
]
PACE = [
    (("--warmup",), {"metavar": "TIME", "type": duration, "help": "of load that is not counted, before"}),
    (("--interval",), {"metavar": "TIME", "type": duration, "help": "of the figures over time (default: 1s)"}),
]


def add(group, table):
    for flags, how in table:
        group.add_argument(*flags, **how)


def handed_on(args, *tables):
    """Words for asynwsgi-load."""
    words = []
    for table in tables:
        for flags, _ in table:
            value = getattr(args, flags[-1].strip("-").replace("-", "_"))
            if value is True:
                words.append(flags[0])
            elif value not in (None, False):
                for one in value if isinstance(value, list) else [value]:
                    words += [flags[0], one]
    return words


def split(total, parts):
    """Into numbers that differ by one at most."""
    return [total // parts + (number < total % parts) for number in range(parts)]


def divided(args, connections, rate=None, requests=None):
    """-c, -R and -n for each of the processes that are to have so many together."""
    if connections < args.threads:
        raise Usage(f"-t {args.threads}: there are only {connections} connections (-c) for that")
    parts = [["-c", str(part)] for part in split(connections, args.threads)]
    for letter, total in (("-R", rate), ("-n", requests)):
        if total and total < args.threads:
            raise Usage(f"-t {args.threads}: {letter} {total} is too few for that")
        for words, part in zip(parts, split(total or 0, args.threads)):
            words += [letter, str(part)] if total else []
    return parts


def add_load(group, length):
    group.add_argument("-c", "--connections", metavar="N", type=parse_count, default=10,
                       help="(default: 10)")
    group.add_argument("-t", "--threads", metavar="N", type=parse_count, default=1,
                       help="client processes, that share connections and rate (default: 1)")
    group.add_argument("-d", "--duration", metavar="TIME", type=duration, help=length)


def add_output(parser):
    group = parser.add_argument_group("output")
    group.add_argument("--json", metavar="FILE", help="everything; - is standard output")
    group.add_argument("--html", metavar="FILE", help="a page with the plots")
    return group


def add_fail_if(group):
    group.add_argument("--fail-if", metavar="CONDITION", type=Condition, action="append", default=[],
                       help="exit status 3 if it holds, such as 'p99>10ms'; may be repeated")
