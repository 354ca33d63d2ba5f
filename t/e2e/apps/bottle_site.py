"""A Bottle site."""
import os

import bottle

app = bottle.Bottle()


@app.get('/hello/<name>')
def hello(name):
    return bottle.template('Hello, {{name}}!', name=name)


@app.route('/json', method='POST')
def add():
    return {'sum': sum(bottle.request.json)}


@app.post('/form')
def form():
    upload = bottle.request.files.get('file')
    return {'word': bottle.request.forms['word'],
            'size': len(upload.file.read()) if upload else None}


@app.put('/body')
def body():
    return str(len(bottle.request.body.read()))


@app.get('/stream')
def stream():
    yield 'one '
    yield 'two'


@app.get('/static/<name>')
def static(name):
    return bottle.static_file(name, root=os.path.dirname(os.path.abspath(__file__)))


@app.get('/cookie')
def cookie():
    count = int(bottle.request.get_cookie('count', 0, secret='x')) + 1
    bottle.response.set_cookie('count', count, secret='x')
    bottle.response.set_cookie('other', 'yes')
    return str(count)


@app.get('/teapot')
def teapot():
    bottle.abort(418, 'short and stout')


@app.get('/broken')
def broken():
    raise RuntimeError('the route is broken')
