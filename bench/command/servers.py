"""The servers that load is put on: by a recipe of recipes/, by one of the user's, or by a command."""

import contextlib
import json
import os
import pkgutil
import re
import secrets
import shlex
import shutil
import socket
import tempfile
import time

from .failure import Failure, Usage
from .guard import Guarded
from .load import find
from .units import parse_count

RECIPES = ("asynwsgi", "gunicorn", "nginx", "uwsgi", "waitress")
PATIENCE = 30  # seconds, for a server to answer
KEYS = {"command", "files", "note", "package"}


def is_recipe(made):
    if not isinstance(made, dict) or set(made) - KEYS:
        return False
    command, files = made.get("command"), made.get("files", {})
    if not isinstance(command, list) or not command or not isinstance(files, dict):
        return False
    texts = [*command, *files.values(), made.get("note", ""), made.get("package", "")]
    return all(isinstance(text, str) for text in texts) and not any("/" in name for name in files)


class Recipe:
    """How a server is started: in {} stand port, app, module, object, workers, and folder, an empty
    one of its own, that is there while it runs; files are written there before."""

    def __init__(self, label, command, files=(), note="", package=None):
        self.label, self.command, self.files = label, command, dict(files)
        self.note, self.package = note, package

    @classmethod
    def of(cls, text):
        """What --server says."""
        if text in RECIPES:
            return cls.of_json(text, pkgutil.get_data(__package__, f"recipes/{text}.json"), text)
        if text.endswith(".json"):
            try:
                with open(text, "rb") as file:
                    return cls.of_json(os.path.basename(text)[:-len(".json")], file.read(), text)
            except OSError as error:
                raise Usage(f"{text}: {error.strerror}") from error
        if "{port}" in text:
            try:
                words = shlex.split(text)
            except ValueError as error:
                raise Usage(f"{text!r}: {error}") from error
            return cls(os.path.basename(words[0]), words)
        raise Usage(f"{text!r} is no server: give a command that has {{port}} in it, a recipe's FILE.json, or one of "
                    f"{', '.join(RECIPES)}")

    @classmethod
    def of_json(cls, label, data, where):
        try:
            recipe = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Usage(f"{where}: {error}") from error
        if not is_recipe(recipe):
            raise Usage(f"{where}: a recipe has a command, which is a list of words, and may have files, "
                        "which is an object of names and texts, and the texts note and package")
        return cls(label, **recipe)


def fill(text, values):
    """Only what is in values: other braces stay."""
    for name, value in values.items():
        text = text.replace("{%s}" % name, value)
    return text


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running one, which answers; to be stopped whatever happens."""

    def __init__(self, recipe, app, path, workers, chdir):
        self.recipe, self.port, self.process = recipe, free_port(), None
        self.stderr = tempfile.TemporaryFile()
        folder = os.path.join(tempfile.gettempdir(), f"asynwsgi-bench-{secrets.token_hex(8)}")
        module, _, name = app.partition(":")
        values = {"port": str(self.port), "app": app, "module": module, "object": name or "application",
                  "workers": str(workers), "folder": folder}
        self.command = [fill(word, values) for word in recipe.command]
        files = {name: fill(text, values) for name, text in recipe.files.items()}
        has_folder = files or any("{folder}" in word for word in recipe.command)
        try:
            self.start(chdir, folder if has_folder else None, files)
            self.wait(path)
        except BaseException:
            self.stop()
            raise

    def start(self, chdir, folder, files):
        program = self.command[0]
        if program == "asynwsgi":
            program = find(program)
        if not shutil.which(os.path.join(chdir, program) if "/" in program else program):
            package = self.recipe.package
            hint = f"; on Debian: apt-get install {package}" if package else ""
            raise Failure(f"{self.recipe.label}: {program} not found{hint}")
        self.process = Guarded([program, *self.command[1:]], self.stderr.fileno(), self.stderr.fileno(),
                               folder, files, cwd=chdir)

    def wait(self, path):
        """Until it has answered: one that only listens may yet fail to load the application."""
        deadline = time.monotonic() + PATIENCE
        while not self.answers(path):
            if (status := self.process.poll()) is not None:
                raise Failure(f"{self.recipe.label} did not start: {self.last_words() or f'status {status}'}")
            if time.monotonic() > deadline:
                raise Failure(f"{self.recipe.label} does not answer at port {self.port}: {self.last_words()}")
            time.sleep(0.02)

    def answers(self, path):
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n\r\n"
        with socket.socket() as connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            connection.connect(("127.0.0.1", self.port))
            if connection.getsockname() == connection.getpeername():
                return False  # the port was free, and was given to us
            connection.sendall(request.encode())
            return bool(connection.recv(1))  # the rest is for the load: it may be without end
        return False

    def last_words(self):
        """The last error of Python that it has written, or else its last line."""
        self.stderr.seek(0)
        lines = list(filter(None, map(str.strip, self.stderr.read().decode(errors="replace").split("\n"))))
        errors = [line for line in lines if re.search(r"^(\w+\.)*\w*(Error|Exception)\b|\[error\]", line)]
        return (errors or lines or [""])[-1]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def describe(self):
        return {"command": shlex.join(self.command), "note": self.recipe.note}

    def stop(self):
        if self.process:
            self.process.stop()
        self.stderr.close()


def add_options(parser):
    group = parser.add_argument_group("server")
    group.add_argument("app", metavar="APP", help="MODULE[:OBJECT], as asynwsgi takes it")
    group.add_argument("--server", metavar="SERVER", type=Recipe.of, action="append",
                       help=f"a command that has {{port}} in it, or one of {', '.join(RECIPES)}, or the FILE.json "
                            "of a recipe; may be repeated, to compare (default: asynwsgi)")
    group.add_argument("-w", "--workers", metavar="N", type=parse_count, default=1,
                       help="of servers by recipe that have workers (default: 1)")
    group.add_argument("--chdir", metavar="DIR", default=".", help="where the servers run")


def labelled(recipes):
    """[(label, recipe)], no label twice."""
    seen, pairs = {}, []
    for recipe in recipes or [Recipe.of("asynwsgi")]:
        seen[recipe.label] = seen.get(recipe.label, 0) + 1
        number = seen[recipe.label]
        pairs.append((recipe.label if number == 1 else f"{recipe.label} {number}", recipe))
    return pairs
