"""Short bursts of the load programs: not for their figures, but for the errors they count."""

import json
import re
import subprocess

import pytest

from serving import needs


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture(scope='module')
def two_workers(serve):
    return serve('pep3333', '--workers', '2')


MIXED = '''
local n = 0
function request()
    n = n + 1
    local kind = n % 5
    if kind == 0 then return wrk.format("POST", "/echo", {}, string.rep("body ", 100)) end
    if kind == 1 then return wrk.format(nil, "/large?100000") end
    if kind == 2 then return wrk.format(nil, "/write-sized") end
    if kind == 3 then return wrk.format(nil, "/large-pieces?5,100") end
    return wrk.format(nil, "/large?10")
end
'''
PIPELINED = '''
function request()
    return string.rep(wrk.format(nil, "/large?10"), 16)
end
'''
NEW = '''
function request()
    return wrk.format(nil, "/large?10", {Connection = "close"})
end
'''


@needs('wrk')
@pytest.mark.parametrize('script', [MIXED, PIPELINED, NEW], ids=['mixed', 'pipelined', 'new'])
def test_wrk(two_workers, tmp_path, script):
    (tmp_path / 'script.lua').write_text(script + '''
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}',
        summary.requests, errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
''')
    done = subprocess.run(['wrk', '-t', '1', '-c', '32', '-d', '1s', '-s', 'script.lua',
                           two_workers.url + '/'],
                          cwd=tmp_path, capture_output=True, text=True, timeout=20)
    counted = json.loads(re.search(r'\{.*\}', done.stdout).group())
    assert counted.pop('requests') > 50
    assert set(counted.values()) == {0}, counted


@pytest.mark.parametrize('arguments', [
    ['-n', '3000', '-c', '100'], ['-n', '2000', '-c', '10', '-m', '10'],
    ['-n', '2000', '-c', '20', '-d', 'BODY']], ids=['many', 'pipelined', 'post'])
@needs('h2load')
def test_h2load(server, tmp_path, arguments):
    (tmp_path / 'BODY').write_bytes(bytes(2000))
    target = '/echo' if 'BODY' in arguments else '/large?100'
    done = subprocess.run(['h2load', '--h1', *arguments, server.url + target],
                          cwd=tmp_path, capture_output=True, text=True, timeout=30)
    total = arguments[1]
    assert f'{total} total, {total} started, {total} done, {total} succeeded, ' \
        '0 failed, 0 errored, 0 timeout' in done.stdout
    assert f'status codes: {total} 2xx, 0 3xx, 0 4xx, 0 5xx' in done.stdout
