"""The public headers and the pages of section 3 and 7, taken apart.

A public header of a library that is installed for others has a page whose SYNOPSIS includes it.
A page has one line `.Dl cc ... program.c ...`, which says how a program is built; whole programs
stand in its EXAMPLES, each in a subsection, as one literal block that begins with an #include.
"""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]

# They come with the headers, but their libraries are the commands' own and have no pkg-config file.
FOR_THE_COMMAND = {'wsgi.h', 'server.h', 'units.h'}


def squeeze(text):
    """C without what does not matter between its words."""
    return re.sub(r' ?([*()\[\],;]) ?', r'\1', ' '.join(text.split()))


def members(body):
    """The members of a struct, each with its type; of a union within, those of the union."""
    found = set()
    body = re.sub(r'\w+ \{|\}[^;]*;', '', re.sub(r'/\*.*?\*/', '', body, flags=re.S))
    for declaration in filter(None, map(squeeze, body.split(';'))):
        if '(' in declaration:
            found.add(declaration)
            continue
        first, *others = declaration.split(',')
        kind, name = re.match(r'(.*\w)( \w.*|\*+\w.*)', first).groups()
        found |= {squeeze(f'{kind} {name}') for name in (name, *others)}
    return found


class Declared:
    """What C text declares: functions with prototype and comment, types, constants, variables."""

    def __init__(self, text):
        text = re.sub(r' __attribute__\(\(.*?\)\)(?=;)', '', text)
        bare = re.sub(r'/\*.*?\*/', '', text, flags=re.S)
        self.macros = {name for name in re.findall(r'^#define (\w+)', bare, re.M)
                       if not name.endswith('_H')}
        self.structs = {name: members(body) for name, body in
                        re.findall(r'^struct (\w+) \{(.*?)\};', text, re.M | re.S)}
        enums = re.findall(r'^enum (\w* ?)\{(.*?)\}', bare, re.M | re.S)
        self.types = {*re.findall(r'^struct (\w+)(?: \{|;)', bare, re.M),
                      *(name.strip() for name, _ in enums if name)}
        self.constants = self.macros | {name for _, body in enums
                                        for name in re.findall(r'^\s*([A-Z]\w+)', body, re.M)}
        self.variables = {squeeze(line) for line in re.findall(r'^extern [^"(]*?;', bare, re.M)}
        self.errors = set(re.findall(r'-(E[A-Z]{2,})\b', text))
        self.functions, self.comments = {}, {}
        for comment, returned, name, arguments in re.findall(
                r'(/\*(?:(?!\*/).)*\*/\n)?^(\w[\w ]*?[ *]+)(\w+)\(([^;{]*)\);', text, re.M | re.S):
            self.functions[name] = squeeze(f'{returned}{name}({arguments})')
            self.comments[name] = comment


class Header(Declared):
    def __init__(self, path):
        self.name = path.name
        super().__init__(path.read_text())


class Page:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.text = path.read_text()
        parts = re.split(r'^\.Sh (.*)\n', self.text, flags=re.M)
        self.sections = dict(zip(parts[1::2], parts[2::2]))
        self.headers = re.findall(r'^\.In asynwsgi/(\S+)', self.sections['SYNOPSIS'], re.M)
        # What is shown of the headers: all literal text but the programs.
        self.shown = Declared('\n'.join(
            block for block in re.findall(r'^\.Bd -literal.*?\n(.*?)^\.Ed', self.text, re.M | re.S)
            if not block.startswith('#include')))

    def functions(self):
        """The prototypes in SYNOPSIS."""
        found = {}
        text = re.sub(r'\n\.Fa ', ' ', self.sections['SYNOPSIS'].replace('\n.Fc', ''))
        for returned, name, rest in re.findall(r'^\.Ft (.*)\n\.F[no] (\w+) (.*)', text, re.M):
            arguments = re.findall(r'"([^"]*)"|(\S+)', rest)
            found[name] = squeeze(f"{returned} {name}({','.join(a or b for a, b in arguments)})")
        return found

    def variables(self):
        return self.shown.variables | {
            squeeze(line) for line in
            re.findall(r'^\.Vt (extern .*)', self.sections['SYNOPSIS'], re.M)}

    def constants(self):
        return self.shown.constants | self.words('Dv')

    def words(self, macro):
        """All words that a macro marks."""
        found = re.findall(rf'(?:^\.|^\.It .*\b){macro} (.*)', self.text, re.M)
        return {word for line in found for word in re.findall(r'\w+', line)}

    def errors(self):
        """{function: the errors that ERRORS has of it}: of those named before each list."""
        found, names = {}, set()
        for line in self.sections.get('ERRORS', '').splitlines():
            if line.startswith('.Fn '):
                names.add(line.split()[1])
                found.setdefault(line.split()[1], set())
            elif line.startswith('.It Bq Er '):
                for name in names:
                    found[name] |= set(re.findall(r'\bE[A-Z0-9]+\b', line))
            elif line == '.El':
                names = set()
        return found

    def command(self):
        """The line that builds a program, program.c."""
        lines = re.findall(r'^\.Dl (cc .*)', self.text, re.M)
        assert len(lines) == 1, f'{self.name}: one line that begins with ".Dl cc"'
        return lines[0]

    def library(self):
        """The name of the pkg-config file in that line."""
        return re.search(r'pkg-config.* (asynwsgi-\w+)', self.command())[1]

    def programs(self):
        """{name: text} of EXAMPLES."""
        parts = re.split(r'^\.Ss (.*)\n', self.sections.get('EXAMPLES', ''), flags=re.M)
        found = {}
        for title, part in zip(parts[1::2], parts[2::2]):
            blocks = re.findall(r'^\.Bd -literal\n(#include .*?)^\.Ed', part, re.M | re.S)
            assert len(blocks) == 1, f'{self.name}: one program in {title}'
            found[title.lower().replace(' ', '-')] = \
                blocks[0].replace('\\e', '\\').replace('\\&', '')
        return found


def headers():
    return {path.name: Header(path) for path in sorted(TOP.glob('*/asynwsgi/*.h'))
            if path.name not in FOR_THE_COMMAND}


def pages():
    return [Page(path) for path in sorted(TOP.glob('man/*.[37]'))]
