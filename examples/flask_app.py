"""A Flask application: asynwsgi --chdir examples flask_app:app

It needs Flask (Debian: python3-flask). Send it a file and it says what it got:

    curl -F file=@README.md http://127.0.0.1:8000/upload

and take a long answer, of which only as much is made as you read:

    curl --limit-rate 10k http://127.0.0.1:8000/numbers | head
"""
import hashlib
import itertools

import flask

app = flask.Flask(__name__)


@app.get('/')
def index():
    return {'hello': flask.request.args.get('name', 'world')}


@app.post('/upload')
def upload():
    """The server has the whole file before this is called: slow clients keep nobody waiting."""
    file = flask.request.files['file']
    size, digest = 0, hashlib.sha256()
    while piece := file.read(65536):
        size += len(piece)
        digest.update(piece)
    return {'name': file.filename, 'size': size, 'sha256': digest.hexdigest()}


@app.get('/numbers')
def numbers():
    """A response without an end. When its client leaves, the generator is closed."""
    lines = (f'{number}\n' for number in itertools.count())
    return flask.Response(lines, mimetype='text/plain')
