"""asynwsgi-bench compare: the results of several runs side by side."""

import os

from . import document, options, page, sustained, table
from .failure import Usage

DESCRIPTION = "Compare results that were written with --json; ratios are to the first."


def add(parser):
    parser.add_argument("files", metavar="FILE.json", nargs="+", help="written with --json by subcommands of one kind")
    options.add_output(parser)


def check(path, made):
    """That a comparison with itself can be made of it: the file may have anything."""
    try:
        page.render({**made, "runs": made["runs"] * 2})
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise Usage(f"{path}: not the JSON of a run: {error!r}") from error


def name_runs(documents, names):
    """All runs, each labelled with its file, and its own label where a file has several."""
    return [{**run, "label": f"{name}: {run['label']}" if len(made["runs"]) > 1 else name}
            for made, name in zip(documents, names) for run in made["runs"]]


def call(args):
    if len(args.files) < 2:
        raise Usage("compare needs two files or more")
    documents = [document.read(path) for path in args.files]
    kinds = {made["kind"] for made in documents}
    if len(kinds) > 1:
        raise Usage(f"results of {' and '.join(sorted(kinds))} cannot be compared")
    kind, = kinds
    for path, made in zip(args.files, documents):
        check(path, made)
    stems = [os.path.basename(path).removesuffix(".json") for path in args.files]
    names = stems if len(set(stems)) == len(stems) else args.files
    runs = name_runs(documents, names)
    rows_of = sustained.comparison if kind == "saturate" else table.comparison
    table.write(table.grid(rows_of([(run["label"], run) for run in runs])), document.where_reports_go(args))
    page.write_all(args, document.make(kind, runs, args))
    return [], len(runs)
