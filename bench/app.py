"""The application that every server under measure serves; what streams is for asynwsgi alone."""

import hashlib

import os

import time

HELLO = b"Hello, world!\n"
LARGE = b"x" * 65536
HUGE = b"x" * 204800
BLOCK = bytes(range(256)) * 64


def digest(environ, start_response):
    """Of the body as it arrives."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "64")])
    digest = hashlib.sha256()
    for data in environ["wsgi.input"]:
        if data is environ["wsgi.input_sentinel"]:
            yield data
            continue
        if not isinstance(data, bytes):
            chunk_size, data = data
        digest.update(data)
    yield digest.hexdigest().encode()


def generated(environ, start_response):
    """As many bytes as the query string says, made as the client takes them."""
    size = int(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(size))])
    for at in range(0, size, len(BLOCK)):
        yield at.to_bytes(8, "big") + BLOCK[8:min(len(BLOCK), size - at)]


def send_file(environ, start_response):
    file = open(os.environ["FILES"] + environ["PATH_INFO"], "rb")
    length = os.fstat(file.fileno()).st_size
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(length))])
    if environ["QUERY_STRING"] == "read":
        return iter(lambda: file.read(65536), b"")
    return environ["wsgi.file_wrapper"](file)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/digest":
        return digest(environ, start_response)
    if path == "/generated":
        return generated(environ, start_response)
    if path == "/large":
        body = LARGE
    elif path == "/huge":
        body = HUGE
    elif path == "/post":
        body = b"%d\n" % len(environ["wsgi.input"].read())
    elif path.startswith("/sleep/"):
        time.sleep(int(path[len("/sleep/"):]) / 1000)
        body = HELLO
    else:
        body = HELLO
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


if "FILES" in os.environ:  # for files.py
    application = send_file
