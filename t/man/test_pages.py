"""The pages describe what the headers declare: all of it, and nothing else."""

import re

import pytest

import manual

HEADERS = manual.headers()
PAGES = manual.pages()
PAGE_OF = {header: page for page in PAGES for header in page.headers}
EVERYTHING = {kind: {name for header in HEADERS.values() for name in getattr(header, kind)}
              for kind in ('functions', 'types', 'constants')}

each_header = pytest.mark.parametrize('header', HEADERS.values(), ids=HEADERS)
each_page = pytest.mark.parametrize('page', PAGES, ids=[page.name for page in PAGES])


def ours(names, kind):
    """Those of the names that look as if a header here declared them."""
    prefixes = {name.split('_')[0] for name in EVERYTHING[kind] if '_' in name}
    return {name for name in names if '_' in name and name.split('_')[0] in prefixes}


def test_each_header_has_a_page():
    assert len(HEADERS) >= 4
    assert sorted(HEADERS) == sorted(name for page in PAGES for name in page.headers)


@each_header
def test_functions_are_those_of_synopsis(header):
    page = PAGE_OF[header.name]
    declared = {name: prototype for name_of in page.headers
                for name, prototype in HEADERS[name_of].functions.items()}
    assert page.functions() == declared


@each_header
def test_every_function_is_described(header):
    described = re.sub(r'^\.Sh SYNOPSIS\n.*?(?=^\.Sh )', '', PAGE_OF[header.name].text,
                       flags=re.M | re.S)
    missing = {name for name in header.functions if f'Fn {name}' not in described}
    assert not missing


@each_header
def test_variables_are_those_of_synopsis(header):
    shown = {line.rstrip(';').rstrip() for line in PAGE_OF[header.name].variables()}
    assert shown >= {line.rstrip(';') for line in header.variables}


@each_header
def test_types_and_constants_are_named(header):
    page = PAGE_OF[header.name]
    assert not header.constants - page.constants()
    assert not {name for name in header.types
                if not re.search(rf'\b(struct|enum) {name}\b', page.text)}


@each_page
def test_nothing_is_named_that_is_not_there(page):
    text = re.sub(r'^\.Bd -literal\n.*?^\.Ed', '', page.text, flags=re.M | re.S)
    assert not ours(re.findall(r'\bF[no] (\w+)', text), 'functions') - EVERYTHING['functions']
    assert not ours(page.constants(), 'constants') - EVERYTHING['constants']
    assert not (ours(re.findall(r'\b(?:struct|enum) (\w+)', text), 'types')
                - EVERYTHING['types'])


@each_page
def test_members_are_those_of_the_headers(page):
    structs = {name: members for header in page.headers
               for name, members in HEADERS[header].structs.items()}
    for name, members in page.shown.structs.items():
        assert members and not members - structs[name], name


@each_header
def test_errors_of_the_header_are_in_the_page(header):
    errors = PAGE_OF[header.name].errors()
    for name, comment in header.comments.items():
        named = set(re.findall(r'-(E[A-Z]{2,})\b', comment))
        assert not named - errors.get(name, set()), name
    assert not header.errors - set().union(*errors.values())


@each_header
def test_what_may_fail_is_in_errors(header):
    may_fail = {name for name, prototype in header.functions.items()
                if prototype.startswith('int ')}
    errors = PAGE_OF[header.name].errors()
    assert may_fail == {name for name in header.functions if errors.get(name)}


@each_page
def test_pages_that_are_referred_to(page):
    for name, section in re.findall(r'^\.Xr (asynwsgi\S*) (\d)', page.text, re.M):
        assert (manual.TOP / f'man/{name}.{section}').is_file()
