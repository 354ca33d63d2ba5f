"""A Falcon API."""
import io
import os

import falcon


class Thing:
    things = {}

    def on_put(self, req, resp, name):
        self.things[name] = req.get_media()
        resp.status = falcon.HTTP_201
        resp.location = req.path

    def on_get(self, req, resp, name):
        if name not in self.things:
            raise falcon.HTTPNotFound(title='no such thing')
        resp.media = {'name': name, 'value': self.things[name],
                      'shout': req.get_param_as_bool('shout')}

    def on_delete(self, req, resp, name):
        del self.things[name]
        resp.status = falcon.HTTP_204


class Bounded:
    """Reads by Falcon's own measure of the body."""

    def on_post(self, req, resp):
        resp.data = req.bounded_stream.read()
        resp.content_type = req.content_type


class Whole:
    """Reads to the end, which wsgi.input has to have."""

    def on_post(self, req, resp):
        resp.data = req.stream.read()


class Stream:
    def on_get(self, req, resp):
        size = req.get_param_as_int('size', required=True)
        resp.content_type = falcon.MEDIA_TEXT
        if req.get_param_as_bool('known'):
            resp.set_stream(io.BytesIO(b'x' * size), size)
        else:
            resp.stream = (b'x' * min(1000, size - at) for at in range(0, size, 1000))


class Broken:
    def on_get(self, req, resp):
        raise RuntimeError('the resource is broken')


app = falcon.App()
app.add_route('/things/{name}', Thing())
app.add_route('/bounded', Bounded())
app.add_route('/whole', Whole())
app.add_route('/stream', Stream())
app.add_route('/broken', Broken())
app.add_static_route('/static', os.path.dirname(os.path.abspath(__file__)))
