"""Which back ends there are, in this build and on this system."""

import ctypes
import functools
import struct

import pytest

from command import finish

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
IO_URING_SETUP = 425


@functools.lru_cache()
def refusal(backend):
    """What the command has to say of that back end; None: it may be used."""
    done = finish('--backend', backend, '--chdir', '/nowhere/at/all', 'app')
    if 'is not' in done.stderr:
        return done.stderr
    done = finish('--backend', backend, '--check-config', 'no_such_module')
    return done.stderr if 'does not let us' in done.stderr else None


def need(backend):
    """Skips the test where there is no such back end."""
    reason = refusal(backend)
    if reason:
        pytest.skip(reason.strip())


def forbid():
    """From here on the kernel forbids io_uring to this process (a preexec_fn): seccomp(2)."""
    load, equal, give = 0x20, 0x15, 0x06  # as in <linux/bpf_common.h>
    code = b''.join(struct.pack('HBBI', *one) for one in [
        (load, 0, 0, 0), (equal, 0, 1, IO_URING_SETUP), (give, 0, 0, 0x00050000 | 1),
        (give, 0, 0, 0x7fff0000)])
    text = ctypes.create_string_buffer(code)
    program = struct.pack('HxxxxxxP', len(code) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program) != 0):
        raise OSError(ctypes.get_errno(), 'seccomp')
