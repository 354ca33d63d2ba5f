"""asynwsgi-bench, as a command and as the package that it is."""

import json
import os
import pathlib
import subprocess
import sys

import command

BENCH = pathlib.Path(command.program('asynwsgi-bench')[-1])
sys.path.insert(0, str(BENCH))
TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES, APPS = TOP / 'examples', TOP / 't/e2e/apps'


def start(*arguments, **how):
    return subprocess.Popen([BENCH, *map(str, arguments)], text=True, stdin=subprocess.DEVNULL,
                            **{'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
                               'env': command.environment(), **how})


def run(*arguments, status=0, **how):
    """To its end."""
    with start(*arguments, **how) as process:
        try:
            out, err = process.communicate(timeout=2 * command.PATIENCE)
        finally:
            process.kill()
    assert process.returncode == status, (process.returncode, out, err)
    return subprocess.CompletedProcess(arguments, status, out, err)


def refused(*arguments, status, words):
    """One line, that has all these words."""
    done = run(*arguments, status=status)
    assert done.stderr.count('\n') == 1 and done.stderr.startswith('asynwsgi-bench: '), done.stderr
    for word in words:
        assert word in done.stderr
    return done


def load(path):
    return json.loads(pathlib.Path(path).read_text())


def below(pid):
    """All processes that it has started, and those have."""
    found = []
    try:
        children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    except FileNotFoundError:
        return found
    for child in children:
        found += [int(child), *below(child)]
    return found


def alive(pid):
    try:
        state = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in 'ZX'  # who adopts it may take its time to notice


def name_of(pid):
    try:
        return os.path.basename(os.readlink(f'/proc/{pid}/exe'))
    except FileNotFoundError:
        return ''
