"""Takes uploads into a folder, each as it arrives: asynwsgi --chdir examples uploader

The folder is that of $UPLOADS, or "uploads" in the folder for temporary files. The name is the
last part of the path. Send a file with its length, or in chunks what has no length yet:

    curl -T README.md http://127.0.0.1:8000/
    tar -c . | curl -T - http://127.0.0.1:8000/backup.tar

No upload is ever in memory as a whole, and hundreds may come in at once.
"""
import hashlib
import json
import os
import re
import tempfile

import asynwsgi

FOLDER = os.environ.get('UPLOADS') or os.path.join(tempfile.gettempdir(), 'uploads')
os.makedirs(FOLDER, exist_ok=True)


def safe_name(path):
    """A name that is a file of our folder, whatever the client has called it."""
    name = re.split(r'[/\\]', path.encode('latin-1').decode(errors='replace'))[-1]
    return re.sub(r'[^\w.-]', '_', name).lstrip('.')[:60] or 'upload'


@asynwsgi.streaming
def application(environ, start_response):
    """Called as soon as there is the request's head. It is suspended where it yields the sentinel,
    and if the client leaves meanwhile, it ends there with a GeneratorExit."""
    if environ['REQUEST_METHOD'] not in ('POST', 'PUT'):
        start_response('405 Method Not Allowed', [('Allow', 'POST, PUT'), ('Content-Length', '0')])
        return
    name = safe_name(environ['PATH_INFO'])
    size, digest = 0, hashlib.sha256()
    # Nobody sees a file of that name before it is whole.
    file = tempfile.NamedTemporaryFile(dir=FOLDER, prefix='.upload-', delete=False)
    try:
        with file:
            for data in environ['wsgi.input']:
                if data is environ['wsgi.input_sentinel']:
                    yield data
                    continue
                if not isinstance(data, bytes):
                    chunk_size, data = data
                file.write(data)
                digest.update(data)
                size += len(data)
        os.replace(file.name, os.path.join(FOLDER, name))
    except BaseException:
        os.unlink(file.name)
        raise
    answer = json.dumps({'name': name, 'size': size, 'sha256': digest.hexdigest()}).encode() + b'\n'
    start_response('201 Created', [('Content-Type', 'application/json'),
                                   ('Content-Length', str(len(answer)))])
    yield answer
