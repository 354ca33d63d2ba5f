"""What the command says without serving anything."""
import os
import subprocess


def test_version():
    done = subprocess.run([os.environ['ASYNWSGI'], '--version'], capture_output=True, timeout=10)
    assert done.returncode == 0
    assert done.stdout.startswith(b'asynwsgi ')
