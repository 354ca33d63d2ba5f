"""What the end-to-end tests share."""

import os
import textwrap

import pytest

import command


@pytest.fixture
def start(tmp_path):
    """start(application, *options): the command as a process of its own, ready.

    The application is the source text of a module, app.py in tmp_path. bind=None gives no --bind,
    bind=[...] several; ready=False doesn't wait; env={...} are variables of the environment; other
    keywords are for Popen.
    """
    running = []

    def run(application=command.HELLO, *options, bind='127.0.0.1:0', ready=True, env={}, **popen):
        (tmp_path / 'app.py').write_text(textwrap.dedent(application))
        binds = [bind] if isinstance(bind, str) else bind or []
        arguments = [os.environ['ASYNWSGI'], '--chdir', str(tmp_path), *options]
        arguments += [word for address in binds for word in ('--bind', address)]
        process = command.Running([*arguments, 'app'], env=command.environment(**env), **popen)
        running.append(process)
        return process.wait_ready(len(binds) or 1) if ready else process

    yield run
    for process in running:
        process.stop()
        assert 'Sanitizer' not in process.log, process.log
