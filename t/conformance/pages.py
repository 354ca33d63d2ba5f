"""The golden pages (t/http/golden) as cases to put to a server over a connection."""

import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).parent.parent / 'http' / 'golden'
CASE = re.compile(r'^## (?P<title>.*)\n+(?P<source>RFC .*|own limit)\n+'
                  r'```http(?P<limits>.*)\n(?P<message>(?:.*\n)*?)```\n'
                  r'```events\n(?P<events>(?:.*\n)*?)```', re.M)


@dataclasses.dataclass
class Case:
    page: str
    title: str
    source: str  # "RFC 9112, 6.3"
    mark: str  # "", "stricter" or "wider": of our outcome, measured by what the source asks for
    message: bytes
    methods: list  # of the requests that are complete, and of the last that is not
    accepted: int  # the number of those that are complete
    fault: str  # what is wrong with the one behind them: HTTP_...
    in_body: bool  # ... which is found after its head was good
    incomplete: bool
    persistent: bool  # behind the last one


def unescape(text):
    """The bytes for what golden/README.md says."""
    def byte(found):
        escape = found[0]
        if escape[1] == 'x':
            return chr(int(escape[2:], 16))
        if escape[1] == '(':
            return unescape(found['piece']).decode('latin-1') * int(found['times'])
        return {'r': '\r', 'n': '\n', 't': '\t', 's': ' ', '\\': '\\'}[escape[1]]
    return re.sub(r'\\(?:x..|\((?P<times>\d+)\*(?P<piece>[^)]*)\)|.)', byte,
                  text.replace('\n', '')).encode('latin-1')


def read_case(page, found):
    source, _, mark = re.fullmatch(r'(.*?)(, (stricter|wider))?', found['source']).groups()
    message = unescape(found['message'])
    events = found['events'].splitlines()
    methods = [event[len('method '):] for event in events if event.startswith('method ')]
    accepted = events.count('end')
    if len(methods) == accepted:  # one that is not even a head
        methods.append(message.lstrip().split(b' ')[0].decode('latin-1'))
    faults = [event.split()[1] for event in events if event.startswith('fault ')]
    return Case(page, found['title'], source, mark or '', message, methods, accepted,
                fault=faults[0] if faults else '',
                in_body=bool(faults) and 'body chunked' in events,
                incomplete='incomplete' in events,
                persistent='not persistent' not in events)


def read_page(path):
    """The cases of a page, without those of limits of our own."""
    text = path.read_text()
    cases = list(CASE.finditer(text))
    if len(cases) != len(re.findall('^## ', text, re.M)):
        raise ValueError(f'{path}: a case without its parts')
    return [read_case(path.stem, found) for found in cases if found['source'] != 'own limit']


def read_pages(folder=FOLDER):
    """Those of requests: pages of responses are for clients."""
    return [case for path in sorted(folder.glob('*.md'))
            if path.stem != 'README' and not path.stem.startswith('response')
            for case in read_page(path)]
