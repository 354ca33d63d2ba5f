"""The pages of asynwsgi-bench --html, as Chromium draws them."""

import html.parser
import json
import re
import struct
import subprocess
import zlib

import pytest

import benching
from command import PATIENCE
from serving import needs

CHROMIUM = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync', '--hide-scrollbars']
WIDTH, HEIGHT = 700, 900
VOID = {'meta', 'br'}


@pytest.fixture(scope='module')
def pages(serve, tmp_path_factory):
    """The folder of a page of each kind, NAME.html, made from NAME.json."""
    folder = tmp_path_factory.mktemp('pages')
    server = serve('pep3333')

    def run(name, *arguments):
        benching.run(*arguments, '--html', folder / f'{name}.html', '--json', folder / f'{name}.json')

    for name in ('one', 'two'):
        run(name, 'http-processing', '-R', '300', '-d', '1s', '--interval', '100ms', server.url + '/large?10')
    run('compared', 'compare', folder / 'one.json', folder / 'two.json')
    run('mixed', 'bench', '--chdir', benching.APPS, 'pep3333', '-d', '500ms', '--interval', '100ms', '--mix',
        'get:1/large?10,post:1/echo')
    run('errors', 'http-processing', '-R', '100', '-d', '500ms', '--interval', '100ms', server.url + '/<nowhere>?a&b')
    run('saturated', 'saturate', '--chdir', benching.EXAMPLES, 'hello', '-d', '100ms', '--warmup', '0',
        '--bound', 'rate>10k')
    return folder


class Plots(html.parser.HTMLParser):
    """{plot: {series: number of points}} of a page; that each tag is closed; what is requested."""

    def __init__(self, text):
        super().__init__()
        self.plots, self.open, self.links, self.text = {}, [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == 'svg':
            self.plots[attributes['data-plot']] = self.series = {}
        if tag == 'polyline':
            points = [tuple(map(float, point.split(','))) for point in attributes['points'].split()]
            assert all(0 <= x <= 720 and 0 <= y <= 300 for x, y in points)
            self.series[attributes['data-series']] = len(points)
        self.links += [value for name, value in attributes.items() if name in ('src', 'href')]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def intervals(pages, name):
    return [len(run['intervals']) for run in benching.load(pages / f'{name}.json')['runs']]


def check(pages, name, text):
    """A page, or what a browser has made of it."""
    found = Plots(text)
    assert not found.open and not found.links and 'url(' not in text and '<script' not in text
    plots = found.plots
    if name == 'saturated':
        steps = len({step['offered'] for step in benching.load(pages / 'saturated.json')['runs'][0]['steps']})
        assert plots['rate-latency'] == {'p50': steps, 'p99': steps, 'p99.9': steps}
        assert plots['achieved'] == {'asynwsgi': steps, 'asked for': 2}
        assert len(plots['latency']) == 2
        return found
    counts = intervals(pages, name)
    assert min(counts) >= 3
    assert set(plots) == {'latency', 'rate', 'latency-over-time', 'errors'}
    if name == 'compared':
        assert plots['rate'] == plots['errors'] == dict(zip(('one', 'two'), counts))
        assert set(plots['latency']) == {'one', 'one, uncorrected', 'two', 'two, uncorrected'}
    elif name == 'mixed':
        assert set(plots['rate']) == {'get /large?10', 'post /echo'}
        assert max(plots['rate'].values()) == counts[0]
    else:
        assert set(plots['rate'].values()) == {counts[0]} and 'asked for' in plots['rate']
        assert plots['latency-over-time'] == dict.fromkeys(('p50', 'p99', 'max'), counts[0])
        assert set(plots['errors']) == ({'all errors', 'status'} if name == 'errors' else {'all errors'})
        assert min(plots['latency'].values()) > 5
    return found


NAMES = ['one', 'compared', 'mixed', 'errors', 'saturated']


@pytest.mark.parametrize('name', NAMES)
def test_page(pages, name):
    """It is whole, asks nobody for anything, and says what the run was."""
    text = (pages / f'{name}.html').read_text()
    found = check(pages, name, text)
    assert text.startswith('<!DOCTYPE html>') and not re.search(r'\$\w|\{\w*\}[^<]*</', text)
    made = json.loads((pages / f'{name}.json').read_text())
    assert made['command'] in found.text and made['when'] in found.text
    for parameter in made['parameters']:
        assert parameter.replace('_', '-') in found.text


def chromium(folder, *arguments):
    return subprocess.run([*CHROMIUM, f'--user-data-dir={folder}/profile', *arguments], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * PATIENCE).stdout


@needs('chromium')
@pytest.mark.parametrize('name', ['one', 'compared', 'saturated'])
def test_in_chromium(pages, name, tmp_path):
    check(pages, name, re.sub(r'</?html[^>]*>|</?head>|</?body>', '', chromium(
        tmp_path, '--dump-dom', f'file://{pages}/{name}.html')))


def pixels(path):
    """Rows of a PNG of 8 bits a sample, each of bytes."""
    data, at, packed = path.read_bytes(), 8, b''
    while at < len(data):
        length, kind = struct.unpack('>I4s', data[at:at + 8])
        part = data[at + 8:at + 8 + length]
        if kind == b'IHDR':
            width, height, depth, colour = struct.unpack('>IIBB', part[:10])
            assert depth == 8
            samples = {2: 3, 6: 4}[colour]
        packed += part if kind == b'IDAT' else b''
        at += 12 + length
    raw, above, rows = zlib.decompress(packed), bytes(width * samples), []
    for start in range(0, len(raw), width * samples + 1):
        above = unfilter(raw[start], bytearray(raw[start + 1:start + 1 + width * samples]), above, samples)
        rows.append(above)
    assert len(rows) == height
    return samples, rows


def unfilter(kind, row, above, samples):
    """PNG, section 9.2."""
    for i in range(len(row) if kind else 0):
        left = row[i - samples] if i >= samples else 0
        corner = above[i - samples] if i >= samples else 0
        if kind == 4:
            guess = min((left, above[i], corner), key=lambda one: abs(left + above[i] - corner - one))
        else:
            guess = (0, left, above[i], (left + above[i]) // 2)[kind]
        row[i] = (row[i] + guess) & 255
    return bytes(row)


@needs('chromium')
def test_screenshot(pages, tmp_path):
    """There are the lines in their colours, and text; and most of it is ground."""
    picture = tmp_path / 'picture.png'
    chromium(tmp_path, f'--window-size={WIDTH},{HEIGHT}', f'--screenshot={picture}', f'file://{pages}/one.html')
    samples, rows = pixels(picture)
    seen = {}
    for row in rows:
        for at in range(0, len(row), samples):
            colour = row[at:at + 3]
            seen[colour] = seen.get(colour, 0) + 1
    total = sum(seen.values())
    assert total == WIDTH * HEIGHT
    assert max(seen, key=seen.get) == b'\xff\xff\xff' and 0.7 < seen[b'\xff\xff\xff'] / total < 0.99
    for line in ('2563eb', 'd97706'):
        assert seen.get(bytes.fromhex(line), 0) > 200, line
    assert sum(count for colour, count in seen.items() if max(colour) < 90) > 2000  # text
