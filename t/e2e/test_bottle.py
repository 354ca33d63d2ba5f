"""A Bottle site, as its users' clients see it."""

import pytest

from conftest import APPS

pytest.importorskip('bottle')


@pytest.fixture(scope='module')
def server(serve):
    return serve('bottle_site:app')


def test_routing(client):
    assert client('GET', '/hello/%3Cyou%3E').text == 'Hello, &lt;you&gt;!'
    assert client('GET', '/goodbye').status_code == 404
    assert client('POST', '/hello/you').status_code == 405
    assert client('GET', '/teapot').status_code == 418


def test_json(client):
    assert client('POST', '/json', json=[1, 2, 3]).json() == {'sum': 6}


@pytest.mark.parametrize('size', [0, 5, 1_000_000])
def test_a_form(client, size):
    response = client('POST', '/form', data={'word': '\xfc'},
                      files={'file': ('f', b'x' * size)})
    assert response.json() == {'word': '\xfc', 'size': size}


@pytest.mark.parametrize('size', [0, 5, 1_000_000])
def test_a_body(client, size):
    assert client('PUT', '/body', data=b'x' * size).text == str(size)


def test_a_stream(client):
    assert client('GET', '/stream').text == 'one two'


def test_a_static_file(client):
    content = (APPS / 'bottle_site.py').read_bytes()
    response = client('GET', '/static/bottle_site.py')
    assert response.content == content
    fresh = {'If-Modified-Since': response.headers['Last-Modified']}
    assert client('GET', '/static/bottle_site.py', headers=fresh).status_code == 304
    part = client('GET', '/static/bottle_site.py', headers={'Range': 'bytes=-10'})
    assert (part.status_code, part.content) == (206, content[-10:])


def test_cookies(client):
    assert [client('GET', '/cookie').text for _ in range(3)] == ['1', '2', '3']
    assert client.cookies['other'] == 'yes'


def test_an_exception(server, client):
    assert client('GET', '/broken').status_code == 500
    server.logged('RuntimeError: the route is broken')
    assert client('GET', '/hello/again').text == 'Hello, again!'
