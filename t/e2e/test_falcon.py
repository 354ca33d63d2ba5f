"""A Falcon API, as its clients see it."""

import pytest

from conftest import APPS

pytest.importorskip('falcon')


@pytest.fixture(scope='module')
def server(serve):
    return serve('falcon_site:app')


def test_a_resource(client):
    assert client('GET', '/things/a').status_code == 404
    created = client('PUT', '/things/a', json={'deep': ['\xe4', None]})
    assert (created.status_code, created.headers['Location']) == (201, '/things/a')
    assert client('GET', '/things/a?shout=true').json() == {
        'name': 'a', 'value': {'deep': ['\xe4', None]}, 'shout': True}
    assert client('DELETE', '/things/a').status_code == 204
    assert client('GET', '/things/a').status_code == 404


@pytest.mark.parametrize('media, content_type, status', [
    ('{"a": 1}', 'application/json', 201), ('{"a"', 'application/json', 400),
    ('', 'application/json', 400), ('a: 1', 'text/x-yaml', 415),
    ('a=1', 'application/x-www-form-urlencoded', 201)])
def test_media(client, media, content_type, status):
    headers = {'Content-Type': content_type}
    assert client('PUT', '/things/m', data=media, headers=headers).status_code == status


@pytest.mark.parametrize('path', ['/bounded', '/whole'])
@pytest.mark.parametrize('size', [0, 10, 2_000_000])
def test_a_body(client, path, size):
    assert client('POST', path, data=b'y' * size).content == b'y' * size


def test_a_chunked_body(client):
    assert client('POST', '/whole', data=iter([b'one ', b'two'])).content == b'one two'


@pytest.mark.parametrize('known', ['true', 'false'])
@pytest.mark.parametrize('size', [0, 1, 999_999])
def test_a_stream(client, known, size):
    response = client('GET', f'/stream?known={known}&size={size}')
    assert response.content == b'x' * size
    assert known == 'false' or response.headers['Content-Length'] == str(size)
    assert client('HEAD', f'/stream?known={known}&size={size}').content == b''


def test_a_static_file(client):
    response = client('GET', '/static/falcon_site.py')
    assert response.content == (APPS / 'falcon_site.py').read_bytes()
    assert client('GET', '/static/../conftest.py').status_code == 404


def test_an_exception(server, client):
    assert client('GET', '/broken').status_code == 500
    server.logged('RuntimeError: the resource is broken')
    assert client('GET', '/stream?size=1').text == 'x'
