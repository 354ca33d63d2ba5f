"""Prints, as shell assignments, what it takes to embed the interpreter that runs this."""
import os
import shlex
import sys
import sysconfig

if sys.version_info < (3, 9):
    sys.exit('Python 3.9 or newer is needed, this is ' + sys.version.split()[0])

var = sysconfig.get_config_var
include, libdir, library = var('INCLUDEPY'), var('LIBDIR'), var('LDLIBRARY')
if not os.path.exists(os.path.join(include, 'Python.h')):
    sys.exit(include + '/Python.h not found; on Debian: apt-get install python3-dev')

if var('Py_ENABLE_SHARED'):
    libs = ['-L' + libdir, '-l' + library[len('lib'):library.index('.so')]]
    if not libdir.startswith(('/usr/lib', '/lib', '/usr/local/lib')):
        libs.append('-Wl,-rpath,' + libdir)
else:
    places = [os.path.join(d, library) for d in (libdir, var('LIBPL'))]
    archive = next(filter(os.path.exists, places), None)
    if archive is None:
        sys.exit(places[0] + ' not found; it belongs to the Python that was built there')
    libs = [archive] + [var(v) for v in ('LINKFORSHARED', 'LIBS', 'MODLIBS', 'SYSLIBS')]

# The same within the program, if that can be: all of it, for extension modules to find there. The
# archive need not be fit for a program that can be loaded anywhere.
archive = os.path.join(var('LIBPL') or '', var('LIBRARY') or '')
static = []
if os.path.isfile(archive) and not var('Py_DEBUG'):
    static = ['-no-pie', '-Wl,--export-dynamic-symbol=Py*', '-Wl,--export-dynamic-symbol=_Py*',
              '-Wl,--whole-archive', archive, '-Wl,--no-whole-archive']
    static += [var(v) for v in ('LIBS', 'MODLIBS', 'SYSLIBS')]

print('PYTHON=' + shlex.quote(sys.executable))
print('PYTHON_VERSION=' + shlex.quote(sys.version.split()[0]))
print('PYTHON_CPPFLAGS=' + shlex.quote('-isystem ' + include))
print('PYTHON_LIBS=' + shlex.quote(' '.join(filter(None, libs))))
print('PYTHON_STATIC_LIBS=' + shlex.quote(' '.join(filter(None, static))))
