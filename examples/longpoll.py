"""A chat by long polling: asynwsgi --chdir examples longpoll

Say something, and ask for what was said after the message of that number:

    curl -d 'Hello, all' http://127.0.0.1:8000/
    curl 'http://127.0.0.1:8000/?after=0'

If nothing was, the answer comes when something is, or empty after 30 seconds ($POLL). All must be
served by the same worker, and without --threads, since the messages are in its memory.
"""
import collections
import json
import os
import time
import urllib.parse

import asynwsgi

TIMEOUT = float(os.environ.get('POLL', 30))
LONGEST = 2000

messages = collections.deque(maxlen=100)  # {'number': n, 'text': '...'}, numbered from 1
spoken = asynwsgi.Event()


def answer(start_response, status, value, *headers):
    body = json.dumps(value).encode() + b'\n'
    start_response(status, [('Content-Type', 'application/json'), ('Cache-Control', 'no-store'),
                            ('Content-Length', str(len(body))), *headers])
    return [body]


def say(environ, start_response):
    text = environ['wsgi.input'].read(LONGEST + 1)
    if not 0 < len(text) <= LONGEST:
        return answer(start_response, '400 Bad Request', f'say 1 to {LONGEST} bytes')
    number = messages[-1]['number'] + 1 if messages else 1
    messages.append({'number': number, 'text': text.decode(errors='replace')})
    spoken.set()  # all who wait go on ...
    spoken.clear()  # ... and those to come wait again
    return answer(start_response, '201 Created', number)


def listen(after, start_response):
    """Suspended at its yield, it costs a little memory. It ends there if the client leaves."""
    deadline = time.monotonic() + TIMEOUT
    while not (news := [message for message in messages if message['number'] > after]):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        yield spoken.wait(left)
    yield from answer(start_response, '200 OK', news)


def application(environ, start_response):
    if environ['REQUEST_METHOD'] == 'POST':
        return say(environ, start_response)
    if environ['REQUEST_METHOD'] != 'GET':
        return answer(start_response, '405 Method Not Allowed', 'GET or POST',
                      ('Allow', 'GET, POST'))
    after = urllib.parse.parse_qs(environ['QUERY_STRING']).get('after', ['0'])[0]
    if not after.isdecimal():
        return answer(start_response, '400 Bad Request', 'after: a number')
    return listen(int(after), start_response)
