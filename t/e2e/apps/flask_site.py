"""A Flask site with a bit of everything."""
import hashlib

import flask

app = flask.Flask(__name__)
app.secret_key = 'of no importance'


@app.get('/')
def index():
    return '<h1>Flask</h1>'


@app.get('/people/<name>/<int:age>')
def person(name, age):
    url = flask.url_for('person', name=name, age=age, _external=True)
    return {'name': name, 'age': age, 'url': url}


@app.post('/json')
def reverse():
    return flask.jsonify(flask.request.get_json()[::-1])


@app.post('/form')
def form():
    return dict(flask.request.form.lists())


@app.post('/upload')
def upload():
    file = flask.request.files['file']
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return {'name': file.filename, 'note': flask.request.form['note'], 'sha256': digest.hexdigest()}


@app.put('/stream-in')
def stream_in():
    """Without parsing: what a client sends raw, sized or chunked."""
    digest = hashlib.sha256()
    while block := flask.request.stream.read(1 << 16):
        digest.update(block)
    return digest.hexdigest()


@app.get('/download/<int:blocks>')
def download(blocks):
    """Blocks of 1 MB that depend on their number."""
    def pieces():
        for number in range(blocks):
            yield number.to_bytes(4, 'big') * (1 << 18)
    return flask.Response(pieces(), mimetype='application/octet-stream')


@app.get('/rows')
def rows():
    @flask.stream_with_context
    def pieces():
        for number in range(5):
            yield f'{number},{flask.request.args["word"]}\n'
    return flask.Response(pieces(), mimetype='text/csv')


@app.get('/words/<word>')
def words(word):
    """Lines that say whose request this is, each time that a piece of the response is made."""
    flask.g.word = word

    @flask.stream_with_context
    def pieces():
        for _ in range(150):
            seen = f'{flask.request.view_args["word"]} {flask.g.word} {flask.request.path}\n'
            yield seen.rjust(65536)
    return flask.Response(pieces(), mimetype='text/plain')


@app.get('/count')
def count():
    flask.session['count'] = flask.session.get('count', 0) + 1
    return str(flask.session['count'])


@app.get('/file')
def file():
    return flask.send_file(__file__, mimetype='text/x-python', conditional=True)


@app.get('/elsewhere')
def elsewhere():
    return flask.redirect(flask.url_for('index'))


@app.get('/broken')
def broken():
    raise RuntimeError('the view is broken')


@app.get('/broken-stream')
def broken_stream():
    def pieces():
        yield 'some'
        raise RuntimeError('the stream is broken')
    return flask.Response(pieces())
