"""asynwsgi-bench bench: several clients of different kinds against one server."""

import re

from . import document, load, options, page, servers, table
from .failure import Failure, Usage
from .progress import Progress
from .result import error_count, merge, rate
from .units import parse_count, show_count

DESCRIPTION = "Start a server, and have several GET and POST clients at it at the same time."
KINDS = ("get", "post", "upload")


class Mix:
    """get:2,post:1/form is two processes that GET /, and one that POSTs to /form."""

    def __init__(self, text):
        self.text, self.groups = text, []
        for word in text.split(","):
            found = re.fullmatch(rf"({'|'.join(KINDS)}):([1-9]\d*)(/\S*)?", word)
            if not found:
                raise Usage(f"{word!r} is not KIND:N[/PATH], with one of {', '.join(KINDS)}: "
                            "write such as get:2,post:1/form")
            self.groups.append((found[1], int(found[2]), options.path(found[3] or "/")))


def add(parser):
    servers.add_options(parser)
    group = parser.add_argument_group("load")
    group.add_argument("--mix", metavar="KIND:N[/PATH],...", type=Mix, default=Mix("get:2,post:1"),
                       help="processes of each kind: get, post with a sized body, upload in chunks "
                            "(default: get:2,post:1)")
    group.add_argument("-c", "--connections", metavar="N", type=parse_count, default=10,
                       help="of each process (default: 10)")
    group.add_argument("-d", "--duration", metavar="TIME", type=options.duration, default="10s", help="(default: 10s)")
    group.add_argument("-R", "--rate", metavar="N", type=parse_count, help="requests a second of each process")
    options.add(group, options.PACE)
    group = parser.add_argument_group("requests")
    options.add(group, options.REQUEST)
    group.add_argument("--body-size", metavar="SIZE", type=options.size, default="1k", help="of a post (default: 1k)")
    group.add_argument("--synthesize-post", metavar="NCHUNKS", type=options.checked(parse_count), default="16",
                       help="of an upload (default: 16)")
    group.add_argument("--chunksz", metavar="NBYTES", type=options.size, default="16k", help="(default: 16k)")
    group.add_argument("--check-digest", action="store_true",
                       help="the response to an upload must be the SHA-256 of its body")
    options.add_fail_if(options.add_output(parser))


def body_of(args, kind):
    if kind == "post":
        return ["-m", "POST", "--body-size", args.body_size]
    if kind == "upload":
        return ["-m", "POST", "--synthesize-post", args.synthesize_post, "--chunksz", args.chunksz,
                *(["--check-digest"] if args.check_digest else [])]
    return []


def measure(args, recipe, label):
    server = servers.Server(recipe, args.app, args.mix.groups[0][2], args.workers, args.chdir)
    try:
        common = ["-c", str(args.connections), "-d", args.duration,
                  *options.handed_on(args, options.PACE, options.REQUEST)]
        common += ["-R", str(args.rate)] if args.rate else []
        commands = [(number, [*common, *body_of(args, kind), server.url(path)])
                    for number, (kind, count, path) in enumerate(args.mix.groups) for _ in range(count)]
        before = server.process.cpu_seconds()
        results, stopped = load.run(commands, Progress(f"{label}, "))
        if server.process.poll() is not None:
            raise Failure(f"{label} has ended: {server.last_words()}")
        spent = server.process.cpu_seconds() - before
    finally:
        server.stop()
    groups = [{"kind": kind, "path": path, **merge(results[number])}
              for number, (kind, _, path) in enumerate(args.mix.groups)]
    total = merge([one for group in results.values() for one in group])
    return {"label": label, "server": server.describe(), "groups": groups,
            **total, "server_cpu_seconds": spent}, stopped


def report(run):
    """A column for each kind of client, and one for all."""
    pairs = [(f"{group['kind']} {group['path']}", group) for group in run["groups"]]
    pairs += [("all", run)] if len(pairs) > 1 else []
    rows = table.latency_rows(pairs)
    rows += [["clients", *(str(result["clients"]) for _, result in pairs)],
             ["a second", *(show_count(rate(result)) for _, result in pairs)],
             ["errors", *(f"{error_count(result):,}" for _, result in pairs)]]
    if len(rows[0]) > len(pairs) + 1:  # where there is a rate, a column of each is for what is uncorrected
        for row in rows[-3:]:
            row[1:] = [cell for text in row[1:] for cell in (text, "")]
    lines = [f"{run['label']}: {run['server']['command']}", *table.indented(table.grid(rows)), ""]
    return [*lines, *table.details(run), ""]


def call(args):
    file, runs = document.where_reports_go(args), []
    for label, recipe in servers.labelled(args.server):
        run, stopped = measure(args, recipe, label)
        runs.append(run)
        table.write(report(run), file)
        if stopped:
            break
    if len(runs) > 1:
        table.write(table.grid(table.comparison([(run["label"], run) for run in runs])), file)
    page.write_all(args, document.make("bench", runs, args))
    if stopped:
        raise stopped
    met = [f"{run['label']}: {sentence}" for run in runs for condition in args.fail_if
           if (sentence := condition.met(run))]
    return met, sum(run["requests"] for run in runs)
