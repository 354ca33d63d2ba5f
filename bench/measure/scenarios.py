"""What is measured, as data, and what asynwsgi is to keep to in it."""

from dataclasses import dataclass, replace

from measure.servers import THREADS


@dataclass
class Limit:
    """The figure of asynwsgi is at most `factor` times that of a server, or an amount alone. "best" is
    the best of the peers; `of` names another scenario for theirs."""

    factor: float = 0
    server: str = None
    of: str = None
    plus: float = 0


def limits(**factors):
    return tuple(Limit(factor, name) for name, factor in factors.items())


@dataclass
class Traffic:
    """What clients ask of an application: the same request again and again, for a body of that size."""

    app: str = "hello"
    path: str = "/"
    fields: tuple = ()
    post: int = 0  # bytes
    body: int = 13
    connections: int = 32
    pipelined: int = 1
    unix: bool = False
    close: bool = False  # a new connection for each request
    idle: int = 0  # connections beside

    @property
    def request(self):
        """As bytes."""
        lines = [f"{'POST' if self.post else 'GET'} {self.path} HTTP/1.1", "Host: localhost", *self.fields]
        if self.post:
            lines.append(f"Content-Length: {self.post}")
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", "x" * self.post]).encode()


@dataclass
class Scenario:
    name: str
    traffic: Traffic
    limits: tuple = ()
    servers: tuple = None  # None: all
    without: tuple = ()
    subject: str = "asynwsgi"  # that the limits are for
    kind: str = "cpu"  # see KINDS


# Of a figure: the unit, what a sample is divided by for it, and how many digits it has after the point.
KINDS = {
    "cpu": ("µs", 1000, 2),
    "framework": ("µs", 1000, 1),
    "instructions": ("instructions", 1, 0),
    "memory": ("bytes", 1, 0),
    "start": ("ms", 1, 1),
    "resident": ("KiB", 1, 0),
    "size": ("KiB", 1, 0),
}


HELLO = Traffic()
BROWSER = Traffic(path="/some/path?with=query", fields=(
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Referer: http://localhost:8000/index.html",
    "Connection: keep-alive",
    "Cookie: session=abcdef0123456789; theme=dark; tracking=0123456789abcdef0123456789abcdef",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-User: ?1",
    "Pragma: no-cache"))

SLOW = {"granian": .35, "uwsgi": .35, "unit": .35, "meinheld": .35,
        "gunicorn": .1, "waitress": .1, "cheroot": .1}
COMPILED = ("asynwsgi", "raw", "nginx", "bjoern", "fastwsgi", "fastpysgi")
MANY = ("asynwsgi", "raw", "nginx", "bjoern", "fastwsgi", "meinheld")
NO_PYTHON = ("raw", "nginx")
NOT_CLOSING = ("fastwsgi", "fastpysgi")  # close() of an iterable, by which Django ends a request
FILE_SIZE = 1 << 20

SCENARIOS = (
    Scenario("hello, small", HELLO, limits(
        raw=1.15, nginx=1, bjoern=.85, fastwsgi=.8, fastpysgi=.8, **SLOW)),
    Scenario("hello, browser", BROWSER, limits(
        raw=1.25, nginx=1, bjoern=.6, fastwsgi=.65, fastpysgi=.65, **SLOW)),
    Scenario("unix socket, small", Traffic(unix=True), limits(raw=1.35, nginx=1, bjoern=.55)),
    Scenario("unix socket, browser", replace(BROWSER, unix=True), limits(raw=1.7, nginx=1, bjoern=.55)),
    # 1.2 us where the bare loop takes 6.06 for one at a time
    Scenario("16 pipelined", Traffic(pipelined=16), (Limit(1.2 / 6.06, "raw", "hello, small"),)),
    Scenario("64 KiB", Traffic("bodies", "/large", body=65536), limits(bjoern=.9, fastpysgi=.9)),
    Scenario("100 x 1 KiB", Traffic("bodies", "/pieces", body=102400),
             limits(bjoern=.9, fastpysgi=.9), without=NO_PYTHON),
    Scenario("1 MiB file", Traffic("bodies", "/file", body=FILE_SIZE, connections=4), limits(nginx=1.1),
             without=("raw",)),
    Scenario("POST 16 KiB", Traffic("bodies", "/post", post=16384, body=5), (Limit(.8, "best"),), without=("nginx",)),
    Scenario("new connections", Traffic(close=True), limits(bjoern=.9, nginx=1.15)),
    Scenario("1,000 connections", Traffic(connections=1000)),
    Scenario("10 of 32", Traffic(connections=10, idle=22), servers=MANY),
    Scenario("10 of 9,510", Traffic(connections=10, idle=9500),
             (Limit(1.15, "asynwsgi", "10 of 32"),), servers=MANY),
    Scenario("4 threads", HELLO, (Limit(1, "asynwsgi", plus=4000),),
             servers=("asynwsgi", THREADS), subject=THREADS),
    Scenario("Flask", Traffic(app="flask_hello"), (Limit(1, "best"),), without=NO_PYTHON,
             kind="framework"),
    Scenario("Django", Traffic(app="django_hello"), (Limit(1, "best"),), without=(*NO_PYTHON, *NOT_CLOSING),
             kind="framework"),
    Scenario("instructions, small", HELLO, (Limit(plus=5500),), servers=COMPILED,
             kind="instructions"),
    Scenario("instructions, browser", BROWSER, (Limit(plus=12000),), servers=COMPILED,
             kind="instructions"),
    Scenario("idle connection", HELLO, (Limit(plus=256),), without=("uwsgi",), kind="memory"),
    Scenario("start", HELLO, (Limit(1.3, "raw"),), kind="start"),
    Scenario("idle worker", HELLO, without=NO_PYTHON, kind="resident"),
    Scenario("executable", HELLO, servers=("asynwsgi", "bjoern", "fastwsgi", "fastpysgi", "granian", "meinheld", "uwsgi"),
             kind="size"),
)
