"""Proxies in front of servers: nginx and HAProxy, each with a configuration of its own in a
folder of the test, on a free port."""

import pathlib
import shutil
import socket
import subprocess
import time

import pytest

import serving

NGINX = '''
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 1000; }}
http {{
    access_log off;
    client_max_body_size 100m;
    {temporary}
    upstream application {{
        server {upstream};
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_next_upstream off;
        }}
        location /unbuffered/ {{
            proxy_pass http://application/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_next_upstream off;
        }}
        location /1.0/ {{
            proxy_pass http://application/;
            proxy_next_upstream off;
        }}
    }}
}}
'''
FOLDERS = ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi')

HAPROXY = '''
global
    maxconn 1000
    log stderr format raw local0
defaults
    mode http
    log global
    option httplog
    timeout connect 10s
    timeout client 30s
    timeout server 30s
    retries 0
frontend front
    bind 127.0.0.1:{port}
    default_backend application
backend application
    http-reuse always
    server one {upstream}
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Proxy:
    """Running, and ready for connections."""

    def __init__(self, folder, name, arguments, port):
        self.name = name
        self.url = f'http://127.0.0.1:{port}'
        self.authority = f'127.0.0.1:{port}'
        self.address = ('127.0.0.1', port)
        self.logfile = folder / 'proxy.log'
        program = shutil.which(name, path='/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin')
        if not program:
            pytest.skip(f'there is no {name}')
        with open(self.logfile, 'wb') as log:
            self.process = subprocess.Popen([program, *arguments], cwd=folder, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(self.address, 10).close()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise AssertionError(f'{name} does not run:\n{self.log}') from None
                time.sleep(0.01)
        serving.running.append(self)

    def __str__(self):
        return self.name

    @property
    def log(self):
        return self.logfile.read_text('utf-8', 'replace')

    def stop(self):
        if self in serving.running:
            serving.running.remove(self)
        self.process.terminate()  # which ends processes of its own, too
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def nginx(folder, upstream):
    port = free_port()
    temporary = ' '.join(f'{name}_temp_path {name};' for name in FOLDERS)
    (folder / 'nginx.conf').write_text(NGINX.format(
        upstream=upstream, port=port, temporary=temporary))
    return Proxy(folder, 'nginx', ['-p', str(folder), '-e', 'stderr', '-c', 'nginx.conf'], port)


def haproxy(folder, upstream):
    port = free_port()
    pathlib.Path(folder, 'haproxy.cfg').write_text(HAPROXY.format(
        upstream=upstream.replace('unix:', 'unix@'), port=port))
    return Proxy(folder, 'haproxy', ['-db', '-f', 'haproxy.cfg'], port)
