"""Exchanges that are no golden cases, since what counts in them is what the server says, or when.

Each is a function of a Line. It gives what was seen, or raises Fault with it.
"""

import dataclasses

import judge
import wire

TABLE = []
GET = b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
LAST = judge.CANARY
SOON = 0.3  # seconds in which a server that has something to say has said it


class Fault(Exception):
    late = False


class Late(Fault):
    late = True


@dataclasses.dataclass
class Exchange:
    title: str
    source: str
    function: object

    def run(self, server):
        bad = judge.LOOSER if self.source.endswith(', stricter') else judge.FAIL
        try:
            with wire.Line(server.address, server.patience) as line:
                return judge.Outcome(judge.PASS, self.function(line))
        except (Fault, wire.Garbage) as fault:
            return judge.Outcome(bad, str(fault), late=getattr(fault, 'late', False))
        except OSError as error:
            return judge.Outcome(judge.FAIL, str(error), late=True)


def exchange(title, source):
    def keep(function):
        TABLE.append(Exchange(title, source, function))
        return function
    return keep


def request(method='GET', *fields, target='/', version='1.1', body=b''):
    lines = [f'{method} {target} HTTP/{version}', 'Host: a', *fields, '', '']
    return '\r\n'.join(lines).encode('latin-1') + body


def answer(line, method='GET', of=(200,)):
    """The response that has to come."""
    response = line.response(method)
    if response is None:
        raise Late('closed without an answer' if line.ended else 'no answer')
    if response.status not in of:
        raise Fault(f'{response.status}')
    return response


def closed(line, seen):
    """Nothing more comes, and the connection ends."""
    if more := line.response():
        raise Fault(f'{seen}, and then {more}')
    if not line.ended:
        raise Late(f'{seen}, but it is not closed')
    return f'{seen}, closed'


# -- responses ------------------------------------------------------------------------------------

@exchange('A response has a Date', 'RFC 9110, 6.6.1')
def date(line):
    line.send(LAST)
    if len(answer(line).all('date')) != 1:
        raise Fault('none, or several')
    return 'there is one'


@exchange('A response to HEAD has no body, and the next follows', 'RFC 9110, 9.3.2')
def head(line):
    line.send(request('HEAD'))
    announced = answer(line, 'HEAD').announces_close
    if announced:
        return closed(line, 'a head')
    line.send(LAST)
    answer(line)
    return 'a head, and the next response'


@exchange('Content-Length of HEAD is that of GET', 'RFC 9110, 8.6')
def head_length(line):
    line.send(request('HEAD', 'Connection: close'))
    of_head = answer(line, 'HEAD').all('content-length')
    with line.another() as other:
        other.send(LAST)
        of_get = answer(other)
    if of_head and of_head != (of_get.all('content-length') or [str(len(of_get.body))]):
        raise Fault(f'{of_head}, and {of_get.all("content-length")} of GET')
    return ', '.join(of_head) or 'none'


@exchange('HTTP/1.0 gets no chunks', 'RFC 9112, 6.1')
def no_chunks(line):
    line.send(request(version='1.0'))
    if answer(line).all('transfer-encoding'):
        raise Fault('Transfer-Encoding')
    return closed(line, '200')


@exchange('HTTP/1.0 that asks to keep the connection learns whether it is kept', 'RFC 9112, C.2.2')
def keep_alive(line):
    line.send(request('GET', 'Connection: keep-alive', version='1.0'))
    options = ','.join(answer(line).all('connection')).lower()
    line.listen(SOON)
    if line.ended or 'keep-alive' in options:
        return options or 'closed'
    raise Late('kept without a word')


@exchange('A server that closes says so', 'RFC 9112, 9.3')
def announced(line):
    line.send(GET)
    response = answer(line)
    line.listen(SOON)
    if line.ended and not response.announces_close:
        raise Fault('closed without a word')
    return 'close' if response.announces_close else 'kept'


@exchange('A server that was asked to close says so', 'RFC 9112, 9.6')
def announced_when_asked(line):
    line.send(LAST)
    if not answer(line).announces_close:
        raise Fault('no word of it')
    return closed(line, 'close')


# -- 100 (Continue) -------------------------------------------------------------------------------

def expecting(line, *fields, expect='100-continue', body=b'hello'):
    """A client that sends the body when it is told to, or not at all if there is an answer."""
    line.send(request('POST', f'Expect: {expect}', *fields))
    if not line.listen(line.patience):
        raise Late('neither 100 nor an answer')
    if line.received.startswith(b'HTTP/1.1 100 '):
        line.send(body)
        return f'100, then {answer(line)}'
    return f'{answer(line, of=(200, 413, 417))} at once'


@exchange('100 is sent when a body is awaited', 'RFC 9110, 10.1.1')
def continue_sized(line):
    return expecting(line, 'Content-Length: 5')


@exchange('100 is sent when a chunked body is awaited', 'RFC 9110, 10.1.1')
def continue_chunked(line):
    return expecting(line, 'Transfer-Encoding: chunked', body=b'5\r\nhello\r\n0\r\n\r\n')


@exchange('100-continue in any case of its letters', 'RFC 9110, 10.1.1')
def continue_in_any_case(line):
    return expecting(line, 'Content-Length: 5', expect='100-Continue')


@exchange('No 100 to HTTP/1.0', 'RFC 9110, 15.2')
def no_continue_for_1_0(line):
    line.send(request('POST', 'Expect: 100-continue', 'Content-Length: 5', version='1.0'))
    line.listen(SOON)
    line.send(b'hello')
    if (response := answer(line)).interim:
        raise Fault('100')
    return f'{response}'


@exchange('GET with Expect does not hang', 'RFC 9110, 10.1.1')
def get_that_expects(line):
    line.send(request('GET', 'Expect: 100-continue'))
    return f'{answer(line, of=(200, 417))}'


@exchange('No 100 when the body is there', 'RFC 9110, 10.1.1, stricter')
def no_continue_for_a_body(line):
    line.send(request('POST', 'Expect: 100-continue', 'Content-Length: 5', 'Connection: close',
                      body=b'hello'))
    if (response := answer(line)).interim:
        raise Fault('100')
    return f'{response}'


@exchange('A body that is much too large is refused before it comes', 'RFC 9110, 15.5.14, stricter')
def too_large(line):
    line.send(request('POST', 'Content-Length: 1000000000000000'))
    return closed(line, f'{answer(line, of=(413,))}')


@exchange('... and not asked for', 'RFC 9110, 10.1.1, stricter')
def too_large_to_expect(line):
    line.send(request('POST', 'Expect: 100-continue', 'Content-Length: 1000000000000000'))
    response = line.response()
    if line.received.startswith(b'HTTP/1.1 100 ') or not response:
        raise Late('100' if line.received else 'no answer')
    return f'{response}'


# -- bodies and what is behind them ---------------------------------------------------------------

@exchange('A large body that is cut off is not answered as if it were whole',
          'RFC 9112, 8, stricter')
def cut_off(line):
    line.send(request('POST', 'Content-Length: 300000', body=bytes(200_000)))
    line.send_end()
    response = line.response()
    if response and response.status < 400:
        raise Fault(f'{response}')
    return closed(line, f'{response or "no answer"}')


def not_a_request(line, message, what):
    """Requests that are in a body are not served."""
    line.send(message + LAST)
    responses = line.responses(['POST'])
    served = [response for response in responses if response.status < 400]
    if len(served) > 2 or not responses:
        raise Fault(f'{len(served)} answers to {what} and a request')
    if len(served) < len(responses):
        raise Fault(f'{judge.listed(responses)}')
    return f'{judge.listed(responses)}'


@exchange('Requests in a large body are not served', 'RFC 9112, 9.3')
def in_a_body(line):
    body = GET * 4000
    return not_a_request(line, request('POST', f'Content-Length: {len(body)}', body=body), 'a body')


@exchange('Requests in chunks are not served', 'RFC 9112, 9.3')
def in_chunks(line):
    chunk = b'%x\r\n%b\r\n' % (len(GET), GET)
    return not_a_request(line, request('POST', 'Transfer-Encoding: chunked',
                                       body=chunk * 2000 + b'0\r\n\r\n'), 'chunks')


def wrapped(line, message):
    """What is taken for a smaller number lets the next request through; waiting is right."""
    line.patience = min(line.patience, 1)
    line.send(message + LAST)
    responses = line.responses(['POST'])
    if sum(response.status < 400 for response in responses) > 1:
        raise Fault('taken for a smaller number')
    return judge.listed(responses)


for bits in 31, 32, 63, 64:
    @exchange(f'Content-Length 2^{bits} + 5 is not 5', 'RFC 9110, 8.6')
    def length_wraps(line, size=2**bits + 5):
        return wrapped(line, request('POST', f'Content-Length: {size}', body=b'hello'))

    @exchange(f'Chunk size 2^{bits} + 5 is not 5', 'RFC 9112, 7.1')
    def size_wraps(line, size=2**bits + 5):
        return wrapped(line, request('POST', 'Transfer-Encoding: chunked',
                                     body=b'%x\r\nhello\r\n0\r\n\r\n' % size))


@exchange('Transfer-Encoding in HTTP/1.0 ends the connection', 'RFC 9112, 6.1')
def coding_in_1_0(line):
    line.send(request('POST', 'Transfer-Encoding: chunked', 'Connection: keep-alive',
                      version='1.0', body=b'0\r\n\r\n') + LAST)
    first = answer(line, 'POST', of=range(200, 600))
    return closed(line, f'{first}')


# -- connections ----------------------------------------------------------------------------------

@exchange('Pipelined requests are answered in their order', 'RFC 9112, 9.3.2')
def pipelined(line):
    methods = ['GET', 'HEAD', 'HEAD', 'GET', 'POST'] * 5
    line.send(b''.join(request(method, *['Content-Length: 2'] * (method == 'POST'),
                               body=b'ab' * (method == 'POST')) for method in methods))
    for number, method in enumerate(methods):
        response = line.response(method)
        if not response:
            if line.ended and number:
                return f'closed behind {number}'
            raise Late(f'{number} answers of {len(methods)}')
        if response.status != 200:
            raise Fault(f'{response} to number {number + 1}')
        if response.announces_close:
            return closed(line, f'{number + 1} answers')
    return f'{len(methods)} answers'


@exchange('A refusal arrives though the client still sends', 'RFC 9112, 9.6')
def refused_while_sending(line):
    line.send(request('POST', 'Content-Length: -1', body=bytes(1_000_000)))
    return closed(line, f'{answer(line, of=range(400, 600))}')


@exchange('A request line of a mebibyte', 'RFC 9112, 3')
def long_line(line):
    line.send(request(target='/' + 'a' * 2**20) + LAST)
    return f'{answer(line, of=(200, 414))}'


@exchange('A field of a mebibyte', 'RFC 9110, 5.4')
def long_field(line):
    line.send(request('GET', 'A: ' + 'a' * 2**20, 'Connection: close'))
    return f'{answer(line, of=(200, *range(400, 500)))}'


@exchange('100,000 fields', 'RFC 9110, 5.4')
def many_fields(line):
    line.send(request('GET', *['A: b'] * 100_000, 'Connection: close'))
    return f'{answer(line, of=(200, *range(400, 500)))}'


@exchange('A TLS client is not left waiting', 'RFC 9112, 2.2, stricter')
def tls(line):
    hello = bytes.fromhex('160301006e0100006a0303') + bytes(range(32, 64)) + b'\0' + \
        bytes.fromhex('0004130113020100003d') + b'\x00' * 61
    line.send(hello)
    response = line.response()
    if response and response.status < 400:
        raise Fault(f'{response}')
    return closed(line, f'{response or "no answer"}')


@exchange('An HTTP/2 client is not left waiting', 'RFC 9112, 2.2, stricter')
def http_2(line):
    line.send(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + bytes.fromhex('000000040000000000'))
    response = line.response()
    if response and response.status < 400:
        raise Fault(f'{response}')
    return closed(line, f'{response or "no answer"}')
