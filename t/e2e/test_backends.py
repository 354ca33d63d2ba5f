"""The event loop's back ends, as a process has them open."""

import pytest

import backends
from peer import request


@pytest.mark.parametrize('backend', ['epoll', 'poll', 'io_uring'])
@pytest.mark.parametrize('how', ['option', 'environment'])
def test_backend(serve, backend, how):
    backends.need(backend)
    if how == 'option':
        server = serve('pep3333', '--backend', backend)
    else:
        server = serve('pep3333', env={'ASYNWSGI_BACKEND': backend})
    clients = [server.connect() for _ in range(20)]
    for client in clients:
        client.send(request('POST', '/echo', body=bytes(200_000)))
    for client in clients:
        assert client.response().body == bytes(200_000)
        client.close()
    assert ('anon_inode:[eventpoll]' in server.descriptors()) == (backend == 'epoll')
    assert ('anon_inode:[io_uring]' in server.descriptors()) == (backend == 'io_uring')
