"""The event loop's back ends, as a process has them open."""

import pytest

from peer import request


@pytest.mark.parametrize('backend, epolls', [('epoll', True), ('poll', False)])
@pytest.mark.parametrize('how', ['option', 'environment'])
def test_backend(serve, backend, epolls, how):
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
    assert ('anon_inode:[eventpoll]' in server.descriptors()) == epolls
