"""The command line of asynwsgi-bench."""

import os
import signal
import sys

from . import bench, compare, document, guard, http_processing, options, saturate
from .failure import Failure, Stopped, Usage

SUBCOMMANDS = {"http-processing": http_processing, "saturate": saturate, "bench": bench, "compare": compare}
STATUS = "Exit status: 0 done, 1 something failed or nothing was answered, 2 usage, 3 a condition of --fail-if holds."
CONDITION_HOLDS = 3


def make_parser(version):
    parser = options.Parser(prog="asynwsgi-bench", epilog=STATUS,
                            description="Load on HTTP servers, and reports of how they did.")
    parser.add_argument("--version", action="version", version=f"asynwsgi-bench {version}")
    commands = parser.add_subparsers(metavar="SUBCOMMAND", required=True)
    for name, module in SUBCOMMANDS.items():
        command = commands.add_parser(name, description=module.DESCRIPTION, help=module.DESCRIPTION, epilog=STATUS)
        module.add(command)
        command.set_defaults(call=module.call)
    return parser


def stop(number, _):
    raise Stopped(number)


def open_standard():
    """As standard_open() of bench/standard.c: a descriptor that was closed is /dev/null."""
    while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(null, True)
    os.close(null)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")
    sys.stdout.reconfigure(errors=document.NO_UNICODE)


def drop_output():
    """Of what could not be written nothing is tried again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def main(version):
    open_standard()
    for number in guard.SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    try:
        args = make_parser(version).parse_args()
        met, answered = args.call(args)
        for sentence in met:
            print(f"asynwsgi-bench: --fail-if {sentence}", file=sys.stderr)
        if not answered:
            raise Failure("no request was answered")
        return CONDITION_HOLDS if met else 0
    except Stopped as stopped:
        return stopped.status
    except Failure as failure:
        hint = "; see --help" if isinstance(failure, Usage) and "see --help" not in str(failure) else ""
        print(f"asynwsgi-bench: {failure}{hint}", file=sys.stderr)
        return failure.status
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            print(f"asynwsgi-bench: {error}", file=sys.stderr)
        return 1
    finally:
        guard.stop_all()
        drop_output()
