"""Requests that set a context variable, and look at it again whenever they are resumed."""
import contextvars

from notes import note

word = contextvars.ContextVar('word', default='not even loaded')
word.set('loaded')
PIECE = 65536


class Words:
    """Says at each item what the variable was before the request, and what it is."""

    def __init__(self, pieces, own):
        self.before = word.get()
        self.own, self.count, self.token = own, pieces, word.set(own)

    def __iter__(self):
        return self

    def __next__(self):
        if self.count == 0:
            raise StopIteration
        self.count -= 1
        return f'{self.before} {word.get()}\n'.rjust(PIECE).encode()

    def close(self):
        """A token serves in the context that it was made in only."""
        seen = word.get()
        word.reset(self.token)
        note(self.own, f'close {seen} {word.get()}')


def generate(pieces, own):
    words = Words(pieces, own)
    try:
        yield from words
    finally:
        words.close()


class Lazy:
    """Nothing to close: its generator ends when nobody has it any more."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __iter__(self):
        return generate(*self.arguments)


def application(environ, start_response):
    pieces, own = environ['QUERY_STRING'].split(',')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    kind = {'/iterable': Words, '/generator': generate, '/lazy': Lazy}[environ['PATH_INFO']]
    return kind(int(pieces), own)
