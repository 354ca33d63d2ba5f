"""Server-sent events, to as many clients as there are: asynwsgi --chdir examples events

    curl -N http://127.0.0.1:8000/events

or open http://127.0.0.1:8000/ in a browser. A tick is sent each second, or each $TICK seconds.
A client holds a suspended generator and its connection: ten thousand of them need one worker.
"""
import collections
import json
import os
import threading
import time

import asynwsgi

INTERVAL = float(os.environ.get('TICK', 1))

PAGE = b"""<!DOCTYPE html>
<meta charset="utf-8">
<title>Events</title>
<h1 id="tick">...</h1>
<script>
  new EventSource('/events').onmessage = event => {
    const tick = JSON.parse(event.data);
    document.getElementById('tick').textContent = `${tick.number}: ${tick.time}`;
  };
</script>
"""

ticked = asynwsgi.Event()
# The last, as (number, event), for those who come back or are slow.
ticks = collections.deque(maxlen=10)


def ticker():
    """A thread, but all clients together have only this one."""
    number = int(time.time() / INTERVAL)  # goes on after a restart
    while True:
        time.sleep(INTERVAL)
        number += 1
        tick = json.dumps({'number': number, 'time': time.strftime('%H:%M:%S')})
        ticks.append((number, f'id: {number}\ndata: {tick}\n\n'.encode()))
        ticked.set()  # all who wait go on ...
        ticked.clear()  # ... and wait for the next


def events(seen):
    yield b'retry: 1000\n\n'  # the client learns at once that it is connected
    while True:
        # Waiting is asked for before looking, so that no tick comes in between. What is not b'' is
        # sent instead of waiting.
        wait = ticked.wait()
        news = [(number, event) for number, event in tuple(ticks) if number > seen]
        if news:
            seen = news[-1][0]
        yield b''.join(event for _, event in news) or wait


def application(environ, start_response):
    if environ['PATH_INFO'] == '/events':
        start_response('200 OK', [('Content-Type', 'text/event-stream'),
                                  ('Cache-Control', 'no-store'),
                                  ('X-Accel-Buffering', 'no')])  # for nginx: pass on at once
        last = environ.get('HTTP_LAST_EVENT_ID', '')
        return events(int(last) if last.isdecimal() else ticks[-1][0] if ticks else 0)
    if environ['PATH_INFO'] == '/':
        start_response('200 OK', [('Content-Type', 'text/html; charset=utf-8'),
                                  ('Content-Length', str(len(PAGE)))])
        return [PAGE]
    start_response('404 Not Found', [('Content-Length', '0')])
    return []


threading.Thread(target=ticker, daemon=True).start()
