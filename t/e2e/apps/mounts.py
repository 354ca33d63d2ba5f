"""Flask, and beside it in werkzeug's DispatcherMiddleware an application that streams."""
import flask
import streaming
from werkzeug.middleware.dispatcher import DispatcherMiddleware

app = flask.Flask(__name__)


@app.post('/form')
def form():
    return {name: value for name, value in flask.request.form.items()}


@app.post('/upper')
def upper():
    return flask.request.get_data().upper()


application = DispatcherMiddleware(app, {'/up': streaming.plain})
