"""The application that every server under measure serves."""

HELLO = b"Hello, world!\n"
LARGE = b"x" * 65536
HUGE = b"x" * 204800


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
