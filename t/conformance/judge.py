"""What a server makes of a golden case, from its responses and from its closing the connection.

Behind a message that has to be refused, or is the last of its connection, comes another request,
the canary, in the same write: it must not be answered. Behind one that has to be taken it is sent
when the answers have come: a server that took the message for longer or shorter than it is does
not answer it.
"""

import dataclasses

import wire

PASS, STRICTER, LOOSER, FAIL = 'pass', 'stricter', 'looser', 'FAIL'
RANKS = [PASS, STRICTER, LOOSER, FAIL]
CANARY = b'GET /canary HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
PIECES = 24

# Faults behind which everybody agrees on where the next request begins.
HARMLESS = {'HTTP_BAD_HOST', 'HTTP_UNKNOWN_EXPECTATION', 'HTTP_REPEATED_FIELD'}


@dataclasses.dataclass
class Outcome:
    verdict: str
    seen: str
    late: bool = False  # something was waited for in vain

    @property
    def rank(self):
        return RANKS.index(self.verdict)


@dataclasses.dataclass
class Server:
    address: tuple
    patience: float
    persistent: bool = True  # it answers a second request on a connection


def is_refusal(response, method):
    """405 and 501 are what RFC 9110, 9.1 asks for where a method is not served; what a server
    makes of CONNECT is its own affair (9.3.6 there), as are preconditions and ranges (13.2, 14)."""
    if method == 'CONNECT' or response.status in (405, 501) and method not in ('GET', 'HEAD'):
        return False
    if response.status in (412, 416):
        return False
    return response.status >= 400


def listed(responses):
    return ' '.join(map(str, responses)) or 'no answer'


def judge(server, case, pieces=1):
    with wire.Line(server.address, server.patience) as line:
        try:
            if case.incomplete:
                return judge_incomplete(line, case, pieces)
            if case.fault:
                return judge_refused(server, line, case, pieces)
            return judge_taken(server, line, case, pieces)
        except wire.Garbage as garbage:
            return Outcome(LOOSER if case.mark == 'stricter' else FAIL,
                           f'an answer that is not HTTP/1: {garbage}')
        except OSError as error:
            return Outcome(FAIL, f'{error}', late=True)


# -- what has to be taken -------------------------------------------------------------------------

def judge_taken(server, line, case, pieces):
    line.send(case.message if case.persistent else case.message + CANARY, pieces)
    got = []
    while len(got) < case.accepted and (response := line.response(case.methods[len(got)])):
        got.append(response)
        if is_refusal(response, case.methods[len(got) - 1]):
            return Outcome(STRICTER if case.mark == 'wider' else FAIL, f'{listed(got)}: refused')
    if len(got) < case.accepted:
        return judge_missing(server, line, case, got)
    return judge_rest(line, got) if case.persistent else judge_closing(line, got)


def judge_missing(server, line, case, got):
    """Not every request is answered. A server may close at any time, but has to say so."""
    seen = f'{listed(got)}, of {case.accepted} answers'
    if not line.ended:
        return Outcome(FAIL, seen + '; then it hangs', late=True)
    if got and (got[-1].announces_close or not server.persistent):
        return Outcome(PASS, seen + ', then closed')
    return Outcome(FAIL, seen + ', then closed')


def judge_closing(line, got):
    """The connection has to end now."""
    if line.response():
        return Outcome(FAIL, f'{listed(got)}, and the request behind the last one is answered')
    if not line.ended:
        return Outcome(FAIL, f'{listed(got)}, but it is not closed', late=True)
    return Outcome(PASS, f'{listed(got)}, closed')


def judge_rest(line, got):
    """The connection may be used again, unless the server closes it."""
    line.send(CANARY)
    canary = line.response()
    if canary is None:
        if line.ended:
            return Outcome(PASS, f'{listed(got)}, closed')
        return Outcome(FAIL, f'{listed(got)}, but the next request is not answered', late=True)
    if is_refusal(canary, 'GET'):
        return Outcome(FAIL, f'{listed(got)}, but the next request gets {canary}')
    if line.response():
        return Outcome(FAIL, f'{listed(got)}, {canary}, and one answer more')
    return Outcome(PASS, listed(got))


# -- what has to be refused -----------------------------------------------------------------------

def judge_refused(server, line, case, pieces):
    line.send(case.message + CANARY, pieces)
    got = line.responses(case.methods)
    before, after = got[:case.accepted], got[case.accepted:]
    tail = 'closed' if line.ended else 'open'
    seen = f'{listed(got)}, {tail}'
    if any(is_refusal(*pair) for pair in zip(before, case.methods)):
        return Outcome(FAIL, f'{seen}: refused too early')
    if not after:
        return judge_silence(line, case, seen)
    first = after[0]
    if first.status >= 400 or first.status in (301, 308):
        return judge_refusal(line, case, first, after[1:], seen)
    return judge_accepted(server, line, case, after, seen)


def judge_silence(line, case, seen):
    """The 400 of RFC 9112, 2.2 is for what is no HTTP-message; where only the coding of a body is
    wrong, closing is enough (8 there)."""
    if line.ended and (case.mark == 'stricter' or case.in_body):
        return Outcome(PASS, seen)
    if case.mark == 'stricter':
        return Outcome(LOOSER, f'{seen}: it waits for more')
    return Outcome(FAIL, f'{seen}: not refused', late=not line.ended)


def judge_refusal(line, case, first, more, seen):
    """RFC 9112, 2.2: 400, and the connection is closed."""
    may_stay = case.fault in HARMLESS or first.status in (405, 501)
    if more and not may_stay:
        return Outcome(FAIL, f'{seen}: it goes on behind the error')
    if not line.ended and not may_stay:
        return Outcome(FAIL, f'{seen}: not closed behind the error', late=True)
    return Outcome(PASS, seen)


def judge_accepted(server, line, case, answers, seen):
    if len(answers) > 2:
        return Outcome(FAIL, f'{seen}: a request hidden in the message is answered')
    if case.fault == 'HTTP_AMBIGUOUS_LENGTH' and len(answers) > 1:
        return Outcome(FAIL, f'{seen}: it goes on, which 6.1 forbids')
    if case.mark == 'stricter':
        return Outcome(LOOSER, f'{seen}: taken')
    if case.in_body and server.persistent and line.ended and \
            not any(answer.status < 400 for answer in answers[1:]):
        return Outcome(LOOSER, f'{seen}: answered before the fault was found')
    return Outcome(FAIL, f'{seen}: taken')


# -- what ends in the middle ----------------------------------------------------------------------

def judge_incomplete(line, case, pieces):
    line.send(case.message, pieces)
    line.send_end()
    got = line.responses(case.methods)
    tail = 'closed' if line.ended else 'open'
    seen = f'{listed(got)}, {tail}'
    if len(got) > case.accepted and got[case.accepted].status < 400:
        return Outcome(LOOSER if case.mark == 'stricter' else FAIL, f'{seen}: answered as if whole')
    if not line.ended:
        return Outcome(FAIL, f'{seen}: it waits for what can not come', late=True)
    return Outcome(PASS, seen)
