"""asynwsgi-bench http-processing: load on a server that runs."""

from . import document, load, options, page, profile, table
from .failure import Failure
from .progress import Progress
from .result import merge
from .units import parse_count

DESCRIPTION = "Put load on the server that serves the URLs, and report how it did."


def add(parser):
    parser.add_argument("urls", metavar="URL", nargs="+", help="http://HOST[:PORT]/PATH; several take turns")
    group = parser.add_argument_group("load")
    options.add_load(group, "(default: 10s, unless there is -n)")
    group.add_argument("-n", "--requests", metavar="N", type=parse_count, help="so many in all, or until -d")
    group.add_argument("-R", "--rate", metavar="N", type=parse_count,
                       help="requests a second (open loop); without it each connection sends when it has its answer")
    options.add(group, options.PACE)
    group = parser.add_argument_group("requests")
    group.add_argument("-m", "--method", metavar="NAME", help="(default: GET, with a body POST)")
    options.add(group, options.REQUEST)
    group.add_argument("--unix-socket", metavar="PATH", help="connect to this")
    options.add(group, options.BODY)
    group = options.add_output(parser)
    group.add_argument("--hgrm", metavar="FILE", help="the latencies as HdrHistogram has them")
    group.add_argument("--profile", metavar="FILE", help="that the server writes with its --profile FILE")
    options.add_fail_if(group)


def words_of(args):
    """For asynwsgi-load, without what is divided."""
    words = options.handed_on(args, options.PACE, options.REQUEST, options.BODY)
    for name, value in (("-d", args.duration), ("-m", args.method), ("--unix-socket", args.unix_socket)):
        words += [name, value] if value is not None else []
    return [*words, *args.urls]


def call(args):
    if not args.duration and not args.requests:
        args.duration = "10s"
    words = words_of(args)
    commands = [("", [*part, *words]) for part in
                options.divided(args, args.connections, args.rate, args.requests)]
    results, failed = load.run(commands, Progress())
    run = {"label": args.urls[0], **merge(results[""])}
    if args.profile is not None:
        try:
            run["profile"] = profile.read(args.profile)
        except Failure as failure:
            failed = failed or failure
    report(args, run)
    if failed:
        raise failed
    return [sentence for condition in args.fail_if if (sentence := condition.met(run))], run["requests"]


def report(args, run):
    made = document.make("http-processing", [run], args)
    rate = f", {args.rate:,} requests a second" if args.rate else ""
    lines = [f"{' '.join(args.urls)}: {args.connections} connections{rate}",
             *table.indented(table.grid(table.latency_rows([("", run)]))), "", *table.details(run)]
    if "profile" in run:
        lines += ["", profile.title(run["profile"]), *table.indented(table.grid(profile.phase_rows(run["profile"]))),
                  "", *table.indented(table.grid(profile.function_rows(run["profile"])))]
    table.write(lines, document.where_reports_go(args))
    page.write_all(args, made)
    if args.hgrm is not None:
        document.write_hgrm(args.hgrm, run)
