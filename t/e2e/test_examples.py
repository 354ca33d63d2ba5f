"""The programs in examples/ do what they say."""

import hashlib
import itertools

from conftest import APPS

EXAMPLES = APPS.parents[2] / 'examples'


def test_hello(serve, client_of):
    assert client_of(serve('hello', apps=EXAMPLES))('GET', '/').text == 'Hello, world!\n'


def test_flask_app(serve, client_of):
    client = client_of(serve('flask_app:app', apps=EXAMPLES))
    assert client('GET', '/?name=you').json() == {'hello': 'you'}
    assert client('POST', '/upload', files={'file': ('a', b'content')}).json() == {
        'name': 'a', 'size': 7, 'sha256': hashlib.sha256(b'content').hexdigest()}
    with client('GET', '/numbers', stream=True) as response:
        lines = itertools.islice(response.iter_lines(), 100_000)
        assert all(int(line) == number for number, line in enumerate(lines))
    assert client('GET', '/').json() == {'hello': 'world'}
