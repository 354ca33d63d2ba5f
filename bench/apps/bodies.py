"""Bodies of requests and responses, by the path."""

import os

LARGE = b"x" * 65536
PIECE = b"x" * 1024


def large(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "65536")])
    return [LARGE]


def pieces(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "102400")])
    return (PIECE for _ in range(100))


def read(file):
    with file:
        while data := file.read(65536):
            yield data


def file(environ, start_response):
    file = open(os.environ["BENCH_FILE"], "rb")
    length = str(os.fstat(file.fileno()).st_size)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", length)])
    if "wsgi.file_wrapper" in environ:
        return environ["wsgi.file_wrapper"](file, 65536)
    return read(file)


def post(environ, start_response):
    body = b"%d" % len(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


PATHS = {"/large": large, "/pieces": pieces, "/file": file, "/post": post}


def application(environ, start_response):
    return PATHS[environ["PATH_INFO"]](environ, start_response)
