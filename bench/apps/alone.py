"""alone.py MODULE: the nanoseconds of CPU time that an application takes for a request, called as a
server calls it, but without one."""

import importlib
import io
import sys
import time

application = importlib.import_module(sys.argv[1]).application
ENVIRON = {
    "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
    "SERVER_NAME": "localhost", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
    "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
}


def start_response(status, headers, exc_info=None):
    return None


def requests(count):
    for _ in range(count):
        body = application(ENVIRON.copy(), start_response)
        for _ in body:
            pass
        if hasattr(body, "close"):
            body.close()


requests(500)
before = time.process_time_ns()
requests(2000)
print((time.process_time_ns() - before) / 2000)
