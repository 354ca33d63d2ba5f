"""A small Django project (apps/djangosite), as its users' clients see it."""

import hashlib
import pathlib
import random
import re

import pytest

from conftest import APPS
from serving import eventually

SITE = APPS / 'djangosite'

pytest.importorskip('django')


@pytest.fixture(scope='module')
def server(serve):
    return serve('site_wsgi:application', apps=SITE)


@pytest.fixture
def add(client):
    """Adds a book the way a browser does: gets the form, and posts it with its token."""
    def add(**fields):
        page = client('GET', '/add/')
        token = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page.text).group(1)
        return client('POST', '/add/', data={**fields, 'csrfmiddlewaretoken': token})
    return add


def test_a_form_and_the_database(client, add):
    response = add(title='M\xf6bius & <Strip>', pages='12')
    assert [step.status_code for step in response.history] == [302]
    assert response.json() == {'title': 'M\xf6bius & <Strip>', 'pages': 12}
    assert '<li>M\xf6bius &amp; &lt;Strip&gt;</li>' in client('GET', '/').text


def test_a_form_with_a_mistake(client, add):
    response = add(title='No Pages', pages='few')
    assert (response.status_code, response.history) == (200, [])
    assert 'Enter a whole number' in response.text
    assert 'No Pages' not in client('GET', '/').text


def test_a_form_without_its_token(client):
    client('GET', '/add/')
    assert client('POST', '/add/', data={'title': 'Forged', 'pages': '1'}).status_code == 403
    assert 'Forged' not in client('GET', '/').text


def test_a_streamed_response(client, add):
    add(title='Streamed', pages='7')
    response = client('GET', '/books.csv')
    assert 'Streamed,7\n' in response.text
    assert response.headers['Transfer-Encoding'] == 'chunked'


@pytest.mark.parametrize('query', ['', '?streamed'])
@pytest.mark.parametrize('method, number', [('GET', 100), ('GET', 20_000), ('HEAD', 100)])
def test_a_compressed_response(client, query, method, number):
    """By GZipMiddleware; what it makes of an iterator has items that are empty."""
    text = ''.join(f'line {count} of them\n' for count in range(number))
    response = client(method, f'/compressed/{number}/{query}', headers={'Accept-Encoding': 'gzip'})
    assert response.headers['Content-Encoding'] == 'gzip'
    assert response.text == (text if method == 'GET' else '')
    plain = client('GET', f'/compressed/10/{query}', headers={'Accept-Encoding': 'identity'})
    assert plain.text == text[:text.index('line 10 ')]


def test_a_file_response(server, client):
    content = pathlib.Path(SITE, 'shelf/views.py').read_bytes()
    response = client('GET', '/file/')
    assert response.content == content
    assert response.headers['Content-Length'] == str(len(content))
    assert response.headers['Content-Disposition'] == 'attachment; filename="views.py"'
    assert client('HEAD', '/file/').headers['Content-Length'] == str(len(content))
    eventually(lambda: not [link for link in server.descriptors() if link.endswith('views.py')])


@pytest.mark.parametrize('size', [0, 100, 10_000_000])
def test_an_upload(client, size):
    content = random.Random(size).randbytes(size)
    response = client('POST', '/upload/', files={'file': ('b.bin', content)})
    assert response.json() == {'name': 'b.bin', 'sha256': hashlib.sha256(content).hexdigest()}


def test_a_session(client):
    assert [client('GET', '/visits/').text for _ in range(3)] == ['1', '2', '3']
    client.cookies.clear()
    assert client('GET', '/visits/').text == '1'


@pytest.mark.parametrize('path, status', [
    ('/nowhere/', 404), ('/books/999999/', 404), ('/add', 301)])
def test_statuses(client, path, status):
    assert client('GET', path, allow_redirects=False).status_code == status


def test_another_host_is_not_served(client):
    assert client('GET', '/', headers={'Host': 'example.org'}).status_code == 400


def test_an_exception(server, client):
    response = client('GET', '/broken/')
    assert response.status_code == 500
    assert 'the view is broken' not in response.text
    server.logged('RuntimeError: the view is broken')
    assert client('GET', '/').status_code == 200
