"""asynwsgi-bench saturate: the highest rate that a server sustains."""

from . import document, load, options, page, servers, sustained, table
from .condition import Condition
from .failure import Failure, Stopped
from .progress import Progress
from .result import error_count, merge, rate
from .search import Search
from .units import show_count

DESCRIPTION = "Start a server, and find the highest rate of requests that it sustains."
ACHIEVED = 0.95  # of the rate, below which it was missed
BOUND = "p99>50ms"


def add(parser):
    servers.add_options(parser)
    group = parser.add_argument_group("load")
    options.add_load(group, "of each step (default: 5s)")
    options.add(group, options.PACE[:1])
    group.add_argument("--bound", metavar="CONDITION", type=Condition, action="append",
                       help=f"a rate is not sustained where it holds (default: '{BOUND}'), nor where there are errors, "
                            f"or less than {ACHIEVED * 100:.0f} %% of it is achieved; may be repeated")
    group.add_argument("--path", type=options.path, default="/", help="of the requests (default: /)")
    group = parser.add_argument_group("requests")
    group.add_argument("-m", "--method", metavar="NAME", help="(default: GET, with a body POST)")
    options.add(group, options.REQUEST)
    options.add(group, options.BODY)
    options.add_fail_if(options.add_output(parser))


def measure(args, server, offered):
    """One step; closed loop without a rate."""
    words = ["-d", args.duration, *options.handed_on(args, options.PACE[:1], options.REQUEST, options.BODY)]
    words += ["-m", args.method] if args.method is not None else []
    commands = [("", [*part, *words, server.url(args.path)])
                for part in options.divided(args, args.connections, offered)]
    before = server.process.cpu_seconds()
    results, stopped = load.run(commands, Progress(f"{offered:,} a second, " if offered else "estimating, "))
    if stopped:  # half a step tells nothing
        raise stopped
    result = merge(results[""])
    if server.process.poll() is not None:
        raise Failure(f"{server.recipe.label} has ended: {server.last_words()}")
    return {**result, "server_cpu_seconds": server.process.cpu_seconds() - before, "offered": offered}


def broken(args, step):
    """Why its rate is not sustained."""
    if error_count(step):
        return f"{error_count(step):,} errors"
    if rate(step) < ACHIEVED * step["offered"]:
        return f"only {rate(step) / step['offered']:.0%} achieved"
    return next(filter(None, (bound.met(step) for bound in args.bound)), None)


def line(cells):
    return "  " + "".join(cell.rjust(11) for cell in cells[:-1]) + f"  {cells[-1]}".rstrip()


def climb(args, server, label, file):
    """The run of one server, whose steps are told as they come; and what it has ended by before its time, if
    it has."""
    estimate = measure(args, server, None)
    if not estimate["requests"]:
        raise Failure(f"{label}: no request was answered: {table.errors_line(estimate)}")
    table.write([f"{label}: {show_count(rate(estimate))} requests a second over {args.connections} connections "
                 "that wait for their answers", line(sustained.HEADS)], file)
    search, taken, stopped = Search(rate(estimate), args.threads), [], None
    try:
        while offered := search.next():
            step = measure(args, server, offered)
            step["broken"] = broken(args, step)
            taken.append(step)
            search.record(not step["broken"])
            table.write([line(sustained.row(step))], file)
    except Stopped as signal:
        stopped = signal
    return {"label": label, "server": server.describe(), "estimate": estimate, "interrupted": bool(stopped),
            "steps": sorted(taken, key=lambda step: step["offered"]), "sustained": search.good}, stopped


def call(args):
    args.duration = args.duration or "5s"
    args.warmup = args.warmup or "500ms"
    args.bound = args.bound or [Condition(BOUND)]
    file, runs = document.where_reports_go(args), []
    for label, recipe in servers.labelled(args.server):
        server = servers.Server(recipe, args.app, args.path, args.workers, args.chdir)
        try:
            run, stopped = climb(args, server, label, file)
        finally:
            server.stop()
        runs.append(run)
        table.write([*sustained.conclusion(run), ""], file)
        if stopped:
            break
    if len(runs) > 1:
        table.write(table.grid(sustained.comparison([(run["label"], run) for run in runs])), file)
    page.write_all(args, document.make("saturate", runs, args))
    if stopped:
        raise stopped
    met = [f"{run['label']}: {sentence}" for run in runs for condition in args.fail_if
           if (sentence := judge(condition, run))]
    return met, sum(run["estimate"]["requests"] for run in runs)


def judge(condition, run):
    return condition.met(sustained.best(run)) if run["sustained"] else f"{condition.text}: no rate was sustained"
