"""The servers that are compared: how each is started, with one worker and its defaults, without an
access log."""

import glob
import grp
import json
import os
import pwd
import re
import shutil
import string
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

from measure.process import HERE

APPS = f"{HERE}/apps"
THREADS = "asynwsgi, 4 threads"


@dataclass
class Peer:
    """A server of others. What is in its arguments and files stands for: $port, $path of a unix socket,
    $listen for either as 127.0.0.1:PORT or unix:PATH, $app, a module with `application`, $folder, for
    scratch files, $python, and $file, which
    /file is, $apps, where the modules are."""

    tcp: list
    unix: list = None  # None: it cannot
    module: str = None  # in Python, that it is in
    version: list = None  # asks for it where it is no module
    files: dict = field(default_factory=dict)  # name in the folder: text
    single: bool = False  # it serves one kept connection at a time
    binary: tuple = ()  # what is loaded of it: modules of Python, and files, with a slash


def in_python(module, tcp, unix=None, binary=()):
    """A server that a program in Python starts."""
    def arguments(code):
        return code and ["$python", "-c", f"from $app import application\nimport {module}\n{code}"]
    return Peer(arguments(tcp), arguments(unix), module, binary=binary)


NGINX = """
worker_processes 1; daemon off; pid $folder/nginx.pid; error_log /dev/null;
events { worker_connections 12000; }
http {
    access_log off; keepalive_requests 1000000000; sendfile on; default_type text/plain;
    client_body_temp_path $folder; proxy_temp_path $folder; fastcgi_temp_path $folder;
    uwsgi_temp_path $folder; scgi_temp_path $folder;
    server {
        listen $listen;
        location = /large { alias $folder/large; }
        location = /file { alias $file; }
        location / { return 200 "Hello, world!"; }
    }
}
"""

UNIT = json.dumps({
    "listeners": {"$listen": {"pass": "applications/app"}},
    "applications": {"app": {"type": "python 3", "path": "$apps", "module": "$app"}},
})

GTHREAD = ["gunicorn", "--worker-class", "gthread", "--threads", "4", "--worker-connections", "12000",
           "--keep-alive", "60", "--bind", "$listen", "$app"]
UWSGI = ["uwsgi", "--plugin", "python3", "--master", "--disable-logging", "--listen", "1024",
         "--module", "$app", "--http11-socket"]
NGINX_COMMAND = ["nginx", "-p", "$folder", "-c", "$folder/nginx.conf"]
UNIT_COMMAND = ["unitd", "--no-daemon", "--user", "$user", "--group", "$group", "--log", "/dev/null",
                "--pid", "$folder/unit.pid", "--control", "unix:$folder/control",
                "--statedir", "$folder"]
GRANIAN = ["granian", "--interface", "wsgi", "--no-ws", "--log-level", "critical", "$app:application"]
SOCKETIFY = ["$python", "-m", "socketify", "$app:application", "--interface", "wsgi"]
CHEROOT = "cheroot.wsgi.Server(%s, application, request_queue_size=2048).start()"
WAITRESS = ["waitress-serve", "--connection-limit", "12000", "--backlog", "2048"]

PEERS = {
    "nginx": Peer(NGINX_COMMAND, NGINX_COMMAND, version=["nginx", "-v"],
                  files={"nginx.conf": NGINX, "large": "x" * 65536}),
    "bjoern": in_python("bjoern", "bjoern.run(application, '127.0.0.1', $port)",
                        "bjoern.run(application, 'unix:$path')", ("_bjoern",)),
    "fastwsgi": in_python("fastwsgi", "fastwsgi.run(application, '127.0.0.1', $port)",
                          binary=("_fastwsgi",)),
    "fastpysgi": in_python("fastpysgi", "fastpysgi.run(application, '127.0.0.1', $port)",
                           binary=("_fastpysgi",)),
    "granian": Peer([*GRANIAN, "--port", "$port"], [*GRANIAN, "--uds", "$path"], "granian",
                    binary=("granian._granian",)),
    "meinheld": in_python(
        "meinheld", "from meinheld import server\nserver.set_access_logger(None)\nserver.set_keepalive(60)\n"
        "server.listen(('127.0.0.1', $port))\nserver.run(application)", binary=("meinheld.server",)),
    "uwsgi": Peer([*UWSGI, "127.0.0.1:$port"], [*UWSGI, "$path"], version=["uwsgi", "--version"], single=True,
                  binary=("/usr/bin/uwsgi", "/usr/lib/uwsgi/plugins/python3*_plugin.so")),
    "unit": Peer(UNIT_COMMAND, UNIT_COMMAND, version=["unitd", "--version"],
                 files={"conf.json": UNIT}),
    "socketify": Peer([*SOCKETIFY, "--port", "$port"], [*SOCKETIFY, "--uds", "$path"], "socketify"),
    "cheroot": in_python("cheroot.wsgi", CHEROOT % "('127.0.0.1', $port)", CHEROOT % "'$path'"),
    "waitress": Peer([*WAITRESS, "--listen=127.0.0.1:$port", "$app:application"],
                     [*WAITRESS, "--unix-socket=$path", "$app:application"], "waitress"),
    "gunicorn": Peer(GTHREAD, GTHREAD, "gunicorn"),
}

IMPORTABLE = """
import importlib.metadata, importlib.util, sys
for name in sys.argv[1:]:
    if importlib.util.find_spec(name.partition(".")[0]):
        print(name, importlib.metadata.version(name.partition(".")[0]))
"""

ORIGIN = "import importlib.util, sys; print(importlib.util.find_spec(sys.argv[1]).origin)"


class Servers:
    """asynwsgi, the bare loop, and the peers that are here."""

    def __init__(self, asynwsgi, raw, venv, folder):
        self.raw, self.folder, self.python = raw, folder, sys.executable
        if venv:
            os.environ["PATH"] = f"{os.path.abspath(venv)}/bin:{os.environ['PATH']}"
            self.python = f"{os.path.abspath(venv)}/bin/python3"
        ours = [asynwsgi, "--bind", "$listen", "$app"]
        self.peers = {"asynwsgi": Peer(ours, ours, version=[asynwsgi, "--version"], binary=(asynwsgi,)), **PEERS}
        self.versions = self.find()
        self.peers[THREADS] = Peer([*ours, "--threads", "4"])
        self.values = {
            "python": self.python, "apps": APPS, "file": f"{folder}/file",
            "user": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}

    def find(self):
        """name: version, of those that are installed."""
        modules = [peer.module for peer in self.peers.values() if peer.module]
        listed = subprocess.run([self.python, "-c", IMPORTABLE, *modules], capture_output=True,
                                text=True, check=True).stdout
        importable = dict(line.split() for line in listed.splitlines())
        found = {}
        for name, peer in self.peers.items():
            if peer.module:
                if peer.module in importable and (peer.tcp[0] == "$python" or shutil.which(peer.tcp[0])):
                    found[name] = importable[peer.module]
            elif shutil.which(peer.version[0]):
                said = subprocess.run(peer.version, capture_output=True, text=True, check=True)
                found[name] = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)[0]
        return found

    def is_single(self, name):
        return name != "raw" and self.peers[name].single

    def can(self, name, traffic):
        return name == "raw" or not traffic.unix or self.peers[name].unix is not None

    def binaries(self, name):
        """The files that hold it."""
        for binary in self.peers[name].binary:
            if "/" in binary:
                yield from glob.glob(binary)
            else:
                yield subprocess.run([self.python, "-c", ORIGIN, binary], capture_output=True,
                                     text=True, check=True).stdout.strip()

    def command(self, name, traffic):
        """A function from an address to arguments."""
        if name == "raw":
            return lambda address: [self.raw, str(address), str(len(traffic.request)), str(traffic.body),
                                    *(["close"] if traffic.close else [])]
        peer = self.peers[name]

        def fill(address):
            local = isinstance(address, str)
            folder = tempfile.mkdtemp(dir=self.folder)
            os.chmod(folder, 0o755)  # nginx's worker is another user
            values = self.values | {
                "app": traffic.app, "port": address, "path": address, "folder": folder,
                "listen": f"unix:{address}" if local else f"127.0.0.1:{address}"}
            for file, text in peer.files.items():
                with open(f"{folder}/{file}", "w") as out:
                    out.write(string.Template(text).substitute(values))
            return [string.Template(word).substitute(values)
                    for word in (peer.unix if local else peer.tcp)]

        return fill
