"""The application that every server under measure serves."""

import os

HELLO = b"Hello, world!\n"
LARGE = b"x" * 65536
HUGE = b"x" * 204800


def send_file(environ, start_response):
    file = open(os.environ["FILES"] + environ["PATH_INFO"], "rb")
    length = os.fstat(file.fileno()).st_size
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(length))])
    if environ["QUERY_STRING"] == "read":
        return iter(lambda: file.read(65536), b"")
    return environ["wsgi.file_wrapper"](file)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/large":
        body = LARGE
    elif path == "/huge":
        body = HUGE
    elif path == "/post":
        body = b"%d\n" % len(environ["wsgi.input"].read())
    else:
        body = HELLO
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


if "FILES" in os.environ:  # for files.py
    application = send_file
