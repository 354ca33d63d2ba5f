"""What asynwsgi-bench makes of figures: merging, percentiles, conditions, the search, axes."""

import re

import pytest

import benching
from asynwsgi_bench import histogram, page, result, svg, table, units
from asynwsgi_bench.bench import Mix
from asynwsgi_bench.condition import Condition
from asynwsgi_bench.failure import Usage
from asynwsgi_bench.options import split
from asynwsgi_bench.search import TRIES, Search
from asynwsgi_bench.servers import RECIPES, Recipe, labelled

MS = 1_000_000
NONE = {'connect': 0, 'read': 0, 'timeout': 0, 'status': 0}


def interval(requests, p50, p99, errors=0):
    return {'from': 0.0, 'to': 1.0, 'requests': requests, 'bytes': requests, 'p50': p50, 'p99': p99,
            'max': p99, 'errors': {**NONE, 'read': errors}}


def outcome(counts, **other):
    """Of one client, which has this histogram."""
    requests = histogram.total(counts)
    most = counts[-1][0] if counts else 0
    return {'requests': requests, 'bytes_in': 100 * requests, 'bytes_out': requests, 'seconds': 2.0,
            'connections_opened': 3, 'cpu_seconds': 0.5, 'busy': 0.25, 'errors': NONE,
            'statuses': {'200': requests}, 'late': {'p99': 0}, 'histogram': counts,
            'latency': histogram.summary(counts, most), 'intervals': [], **other}


# -- Histograms -------------------------------------------------------------------------------

HUNDRED = [[n * MS, 1] for n in range(1, 101)]


@pytest.mark.parametrize('percentile, value', [(1, 1), (50, 50), (50.5, 51), (99, 99), (99.9, 100)])
def test_percentile(percentile, value):
    assert histogram.percentile(HUNDRED, percentile) == value * MS


def test_percentile_is_not_one_too_far():
    """99.9% of 1,000 are 999."""
    thousand = [[n, 1] for n in range(1, 1001)]
    assert [histogram.percentile(thousand, wanted) for wanted in (99, 99.9, 99.99)] == [990, 999, 1000]


def test_percentile_is_no_more_than_the_largest():
    assert histogram.percentile([[2047, 10]], 99, 2000) == 2000


def test_merged_histogram_is_that_of_all_values():
    odd, even = HUNDRED[::2], HUNDRED[1::2]
    assert histogram.merge([odd, even]) == HUNDRED
    assert histogram.merge([HUNDRED, HUNDRED]) == [[value, 2] for value, _ in HUNDRED]


def test_summary():
    found = histogram.summary(HUNDRED, 100 * MS)
    assert list(found) == ['mean', 'p50', 'p75', 'p90', 'p99', 'p99.9', 'p99.99', 'max']
    assert (found['mean'], found['p75'], found['max']) == (50.5 * MS, 75 * MS, 100 * MS)
    assert histogram.summary([], 0) == {}


def test_hgrm():
    """The form that HdrHistogram's plotters take apart, and what it says."""
    lines = histogram.hgrm(HUNDRED, 100 * MS).splitlines()
    assert lines[0].split() == ['Value', 'Percentile', 'TotalCount', '1/(1-Percentile)']
    rows = [line.split() for line in lines[2:] if not line.startswith('#')]
    assert rows[0] == ['1.000', '0.000000000000', '1', '1.00']
    assert rows[-1] == ['100.000', '1.000000000000', '100']
    for value, share, count, inverse in rows[:-1]:
        assert float(value) == float(count) >= 100 * float(share) - 1e-6
        assert float(inverse) == pytest.approx(1 / (1 - float(share)), abs=0.01)
    shares = [float(row[1]) for row in rows]
    assert shares == sorted(set(shares)) and shares[1] == pytest.approx(0.1)
    assert re.fullmatch(r'#\[Mean +=  +50\.500, StdDeviation +=  +28\.866\]', lines[-3])
    assert re.fullmatch(r'#\[Max +=  +100\.000, Total count +=  +100\]', lines[-2])
    assert re.fullmatch(r'#\[Buckets = +\d+, SubBuckets += +2048\]', lines[-1])


# -- Merging clients --------------------------------------------------------------------------

def test_merge():
    slow = outcome([[20 * MS, 4]], busy=0.5, seconds=2.5, errors={**NONE, 'timeout': 2},
                   statuses={'200': 3, '503': 1}, late={'p99': 5})
    merged = result.merge([outcome([[10 * MS, 96]]), slow])
    assert merged['requests'] == 100 and merged['bytes_in'] == 10_000
    assert merged['seconds'] == 2.5 and result.rate(merged) == 40
    assert merged['errors'] == {**NONE, 'timeout': 2} and result.error_count(merged) == 2
    assert merged['statuses'] == {'200': 99, '503': 1}
    assert merged['cpu_seconds'] == 1 and merged['busy'] == 0.5 and merged['late'] == {'p99': 5}
    assert merged['latency']['p90'] == 10 * MS and merged['latency']['p99'] == 20 * MS
    assert 'uncorrected' not in merged


def test_unfinished_and_wrong_digests_are_shown():
    merged = result.merge([outcome(HUNDRED, unfinished=7, errors={**NONE, 'read': 2}, mismatches=2), outcome(HUNDRED)])
    assert (merged['unfinished'], merged['mismatches'], result.error_count(merged)) == (7, 2, 2)
    shown = dict(table.figures(merged))
    assert shown['unfinished'].startswith('7 ') and 'wrong digest 2' in shown['errors']
    shown = dict(table.figures(result.merge([outcome(HUNDRED)])))
    assert 'unfinished' not in shown and 'digest' not in shown['errors']


def test_rate_is_of_what_was_answered_in_time():
    merged = result.merge([outcome(HUNDRED, in_time=60), outcome(HUNDRED)])
    assert merged['requests'] == 200 and result.rate(merged) == 80


def test_rate_of_what_ended_before_it_began():
    ended = result.merge([outcome([], seconds=0.0)])
    assert result.rate(ended) == 0 and Condition('rate<1').met(ended)
    assert 'requests' in dict(table.figures(ended))


def test_merge_of_uncorrected():
    both = outcome([[8 * MS, 1]], uncorrected_histogram=[[2 * MS, 1]], uncorrected={'max': 2 * MS})
    merged = result.merge([both, outcome([[4 * MS, 1]])])
    assert merged['histogram'] == [[4 * MS, 1], [8 * MS, 1]]
    assert merged['uncorrected_histogram'] == [[2 * MS, 1], [4 * MS, 1]]
    assert merged['uncorrected']['max'] == 4 * MS


def test_merge_of_nothing():
    merged = result.merge([outcome([])])
    assert merged['latency'] == {} and merged['histogram'] == [] and not result.bottleneck(merged)


def test_merge_of_intervals():
    merged = result.merge_intervals([[interval(30, 1, 5), interval(1, 1, 1)], [interval(10, 5, 2, errors=7)]])
    assert [one['requests'] for one in merged] == [40, 1]
    assert (merged[0]['p50'], merged[0]['p99'], merged[0]['errors']['read']) == (2, 5, 7)


def test_bottleneck():
    assert result.bottleneck(outcome(HUNDRED)) is None
    assert 'busy 95%' in result.bottleneck(outcome(HUNDRED, busy=0.95))
    assert '50% of the latency' in result.bottleneck(outcome(HUNDRED, late={'p99': 49.5 * MS}))
    assert result.bottleneck(outcome(HUNDRED, late={'p99': 1 * MS})) is None


def test_split():
    assert split(10, 3) == [4, 3, 3] and split(4, 4) == [1] * 4


# -- Conditions -------------------------------------------------------------------------------

@pytest.mark.parametrize('text, met', [
    ('p99>10ms', True), ('p99 > 99ms', False), ('p99>=99ms', True), ('p50<51000us', True),
    ('p12.5<=13ms', True), ('max>1s', False), ('mean<50.5ms', False), ('mean<=50.5ms', True),
    ('p50>49999999ns', True), ('p50>50000µs', False), ('errors>9', True), ('errors>10', False), ('errors>1k', False),
    ('error-rate>9%', True), ('error-rate>9.5%', False), ('rate<51', True), ('rate<0.05k', False)])
def test_condition(text, met):
    assert bool(Condition(text).met(outcome(HUNDRED, errors={**NONE, 'read': 10}))) == met


@pytest.mark.parametrize('errors, mismatches, rate', [
    ({}, 0, 0), ({'read': 25, 'timeout': 50, 'connect': 25}, 0, 0.5), ({'status': 20}, 0, 0.2),
    ({'read': 20}, 20, 0.2), ({'status': 100}, 0, 1), ({'read': 110, 'status': 20}, 10, 0.65)])
def test_error_rate(errors, mismatches, rate):
    """Of 100 that were answered, statuses and wrong digests among them."""
    found = result.merge([outcome(HUNDRED, errors={**NONE, **errors}, mismatches=mismatches)])
    assert result.error_rate(found) == pytest.approx(rate)
    assert bool(Condition('error-rate>=0.001%').met(found)) == (rate > 0)


def test_unfinished_is_a_condition():
    found = result.merge([outcome(HUNDRED, unfinished=7), outcome(HUNDRED)])
    assert Condition('unfinished>6').met(found) == 'unfinished>6: it is 7' and not Condition('unfinished>7').met(found)
    assert '<b>7</b>unfinished' in page.headline(found)
    assert 'unfinished' not in page.headline(result.merge([outcome(HUNDRED)]))
    assert ['unfinished', '7 (1.00)', '0 (0.00)'] in table.comparison([
        ('a', found), ('b', result.merge([outcome(HUNDRED)]))])


def test_condition_says_what_it_is():
    assert Condition('p99>10ms').met(outcome(HUNDRED)) == 'p99>10ms: it is 99.0 ms'


@pytest.mark.parametrize('text', ['p99>10ms', 'p99<10ms', 'error-rate<1%'])
def test_condition_without_answers(text):
    assert 'no request was answered' in Condition(text).met(outcome([]))


@pytest.mark.parametrize('text, words', [
    ('p99', 'p99>10ms'), ('p99>10', 'needs a unit'), ('p99>10k', 'ns, us, ms or s'), ('p100>1s', 'no \'p100\''),
    ('p0>1s', 'p99'), ('latency>1s', 'max>=1s'), ('errors>1ms', "'ms' is no unit"), ('rate=5', 'rate<5k'),
    ('error-rate>1', '%'), ('', 'p99>10ms'), ('p99>ms', 'p99>10ms')])
def test_wrong_condition(text, words):
    with pytest.raises(Usage, match=re.escape(words)):
        Condition(text)


# -- The search -------------------------------------------------------------------------------

def find(limit, estimate, least=1, hiccups=()):
    """What comes of the search where a limit can be sustained, and the rates that were tried."""
    search, tried = Search(estimate, least), []
    while rate := search.next():
        assert len(tried) < 60
        tried.append(rate)
        search.record(rate <= limit and len(tried) not in hiccups)
    return search.good, tried


@pytest.mark.parametrize('limit', [300, 1000, 5000, 9_999, 10_000, 13_000, 50_000])
def test_search(limit):
    found, tried = find(limit, 10_000)
    assert limit * 0.95 - 1 <= found <= limit
    assert len(tried) < 40


def test_search_of_what_sustains_nothing():
    found, tried = find(0, 10_000)
    assert found == 0 and tried[-1] >= 10_000 / 512


def test_search_of_slow_servers():
    assert find(3, 2.5)[0] == 3
    assert min(find(1, 4, least=2)[1]) == 2


def test_one_hiccup_is_no_limit():
    assert TRIES == 2
    assert find(10_000, 10_000, hiccups=(2,))[0] >= 9500


# -- Units and axes ---------------------------------------------------------------------------

@pytest.mark.parametrize('text, seconds', [
    ('90', 90), ('90s', 90), ('1m30s', 90), ('500ms', 0.5), ('2h', 7200)])
def test_duration(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize('text', ['', '1x', 's', '-1', '1.5s', '30s1m'])
def test_wrong_duration(text):
    with pytest.raises(Usage):
        units.parse_duration(text)


@pytest.mark.parametrize('value, text', [
    (999, '999 ns'), (1000, '1.00 µs'), (12_345_678, '12.3 ms'), (1.5e9, '1.50 s'), (None, '-')])
def test_times_are_shown(value, text):
    assert units.show_time(value) == text


@pytest.mark.parametrize('axis, values, ticks', [
    (svg.Linear, [3, 40], [0, 10, 20, 30, 40]), (svg.Linear, [41], [0, 10, 20, 30, 40, 50]),
    (svg.Linear, [], [0, 0.2, 0.4, 0.6, 0.8, 1]), (svg.Extent, [41], [0, 10, 20, 30, 40]),
    (svg.Percentile, [0.999], [0, 0.5, 0.9, 0.99, 0.999])])
def test_axis(axis, values, ticks):
    made = axis(values)
    found = [value for value, _ in made.ticks()]
    assert found == pytest.approx(ticks)
    assert made.at(found[0]) == 0 and made.at(max(values, default=1)) <= 1


def test_logarithmic_axis():
    made = svg.Log([3 * MS, 30 * MS], svg.short_time)
    assert [text for _, text in made.ticks()] == ['2 ms', '5 ms', '10 ms', '20 ms', '50 ms']
    assert made.at(2 * MS) == 0 and made.at(50 * MS) == 1 and 0 < made.at(3 * MS) < made.at(30 * MS) < 1
    assert svg.Log([], svg.short_time).ticks()


# -- Options ----------------------------------------------------------------------------------

def test_mix():
    assert Mix('get:2,post:1/form,upload:3/a?b').groups == \
        [('get', 2, '/'), ('post', 1, '/form'), ('upload', 3, '/a?b')]
    for wrong in ('get', 'get:0', 'put:1', 'get:1,', 'get:1 post:1', 'get:1form'):
        with pytest.raises(Usage, match='get:2,post:1/form'):
            Mix(wrong)


def test_recipes():
    for name in RECIPES:
        recipe = Recipe.of(name)
        assert recipe.label == name and '{port}' in str((recipe.command, recipe.files))
    assert Recipe.of('/usr/bin/some --port {port}').command == ['/usr/bin/some', '--port', '{port}']
    assert [label for label, _ in labelled([Recipe.of(text) for text in
            ('nginx', 'x {port}', 'x {port}')])] == ['nginx', 'x', 'x 2']


@pytest.mark.parametrize('text, words', [
    ('{', 'Expecting'), ('[]', 'r.json'), ('{"command": "x"}', 'a list'), ('{"command": [], "comand": 1}', 'note')])
def test_wrong_recipe(tmp_path, text, words):
    (tmp_path / 'r.json').write_text(text)
    with pytest.raises(Usage, match=words):
        Recipe.of(str(tmp_path / 'r.json'))


def test_it_is_the_packed_one():
    assert str(benching.BENCH) in result.__file__
