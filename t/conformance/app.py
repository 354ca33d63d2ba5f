"""What any WSGI server can run for t/conformance: it reads the body, so that the server has to."""


def application(environ, start_response):
    while environ['wsgi.input'].read(65536):
        pass
    body = b'Hello, world!\n'
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
