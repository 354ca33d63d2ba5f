"""Puts the golden cases and some exchanges to a running server, and says how it did.

    conformance.py HOST:PORT | unix:PATH    whose application answers any request with 200

docs/CONFORMANCE.md says what the verdicts mean.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import sys

import exchanges
import judge
import pages
import wire

RETRIED = 16


@dataclasses.dataclass
class Job:
    """A case of either kind."""
    page: str
    title: str
    source: str
    run: object  # a function of the server, which gives an Outcome


@dataclasses.dataclass
class Result:
    page: str
    case: str
    source: str
    verdict: str
    seen: str


def golden_job(case):
    def run(server):
        whole = judge.judge(server, case)
        cut = judge.judge(server, case, judge.PIECES)
        if cut.verdict != whole.verdict:
            cut.seen += ' (when it comes in pieces)' if cut.rank > whole.rank else ''
        return max(whole, cut, key=lambda outcome: outcome.rank)
    return Job(case.page, case.title, ', '.join(filter(None, [case.source, case.mark])), run)


def jobs_of(only):
    jobs = [golden_job(case) for case in pages.read_pages()]
    jobs += [Job('exchanges', exchange.title, exchange.source, exchange.run)
             for exchange in exchanges.TABLE]
    known = {job.page for job in jobs}
    if unknown := set(only) - known:
        sys.exit(f'no page {", ".join(unknown)}: there are {", ".join(sorted(known))}')
    return [job for job in jobs if not only or job.page in only]


def probe(server):
    """Does it answer at all, and twice on a connection?"""
    try:
        with wire.Line(server.address, 5) as line:
            request = b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
            line.send(request)
            first = line.response()
            if not first or first.status != 200:
                sys.exit(f'GET / has to be answered with 200, and this gives {first}')
            line.send(request)
            return line.response() is not None
    except (OSError, wire.Garbage) as error:
        sys.exit(f'no server to ask: {error}')


def run_all(server, jobs, workers):
    """What was waited for in vain is asked once more by itself: it may be the machine that was
    slow. If there is much of it, it is the server."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(lambda job: job.run(server), jobs))
    late = [number for number, outcome in enumerate(outcomes)
            if outcome.late and outcome.verdict == judge.FAIL]
    for number in late if len(late) <= RETRIED else []:
        outcomes[number] = jobs[number].run(server)
    return [Result(job.page, job.title, job.source, outcome.verdict, outcome.seen)
            for job, outcome in zip(jobs, outcomes)]


def print_table(results):
    widths = [max(len(row) for row in column) for column in
              zip(*((result.case, result.source, result.verdict) for result in results))]
    page = None
    for result in results:
        if result.page != page:
            page = result.page
            print(f'\n{page}')
        cells = (result.case, result.source, result.verdict)
        print('  ' + '  '.join(cell.ljust(width) for cell, width in zip(cells, widths)) +
              f'  {result.seen}')


def print_summary(results):
    counts = collections.defaultdict(collections.Counter)
    for result in results:
        counts[result.page][result.verdict] += 1
        counts['all'][result.verdict] += 1
    print(f'\n{"":14}' + ''.join(f'{verdict:>10}' for verdict in judge.RANKS))
    all_last = [page for page in counts if page != 'all'] + ['all']
    for page in all_last:
        print(f'{page:14}' + ''.join(f'{counts[page][verdict]:10}' for verdict in judge.RANKS))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('address', help='HOST:PORT or unix:PATH')
    parser.add_argument('--only', action='append', default=[], metavar='PAGE',
                        help='a golden page, or "exchanges"; may be repeated')
    parser.add_argument('--failures', action='store_true', help='show only what is not a pass')
    parser.add_argument('--json', metavar='FILE', help='write what was found there too')
    parser.add_argument('--jobs', type=int, default=16, metavar='N',
                        help='connections at a time: %(default)s; not more than the server takes')
    parser.add_argument('--patience', type=float, default=3, metavar='SECONDS',
                        help='how long nothing may come before it is taken that nothing will: '
                             '%(default)s')
    return parser.parse_args()


def main():
    options = arguments()
    server = judge.Server(wire.address_of(options.address), options.patience)
    server.persistent = probe(server)
    results = run_all(server, jobs_of(options.only), options.jobs)
    shown = [result for result in results
             if not options.failures or result.verdict != judge.PASS]
    if shown:
        print_table(shown)
    print_summary(results)
    if options.json:
        with open(options.json, 'w') as file:
            json.dump([dataclasses.asdict(result) for result in results], file, indent=1)
    probe(server)
    return any(result.verdict == judge.FAIL for result in results)


if __name__ == '__main__':
    sys.exit(main())
