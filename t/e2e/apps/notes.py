"""Notes that an application leaves for its test, outside of HTTP."""
import os
import time


def note(name, line):
    with open(os.path.join(os.environ['NOTES'], name), 'a') as file:
        file.write(line + '\n')


def await_note(name):
    """Blocks until the test has made a file of that name."""
    deadline = time.monotonic() + 10
    while not os.path.exists(os.path.join(os.environ['NOTES'], name)):
        if time.monotonic() > deadline:
            raise TimeoutError(name)
        time.sleep(0.005)


def exists(name):
    return os.path.exists(os.path.join(os.environ['NOTES'], name))
