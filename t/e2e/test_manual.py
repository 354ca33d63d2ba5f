"""The manual page lists exactly the options that --help lists, with the same defaults."""

import os
import re
import subprocess

TOP = os.path.join(os.path.dirname(__file__), "../..")


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read()


def options_of_help():
    text = subprocess.run([os.environ["ASYNWSGI"], "--help"], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    # An option's text may go on in lines that begin with nothing but white space.
    entries = re.split(r"\n(?= +(?:-\w, )? *--\w)", text)[1:]
    found = {}
    for entry in entries:
        name = re.search(r"--([\w-]+)", entry)[1]
        default = re.search(r"\(default: ([^,)]+)", entry)
        found[name] = default[1] if default else None
    return found


def options_of_page():
    entries = re.split(r"^\.It (?=.*Fl )", read("man/asynwsgi.1"), flags=re.M)[1:]
    found = {}
    for entry in entries:
        name = re.search(r"(?:Fl|,) -([\w-]+)", entry)[1]
        default = re.search(r"^Default:\s+(\S+)\.$", entry, flags=re.M)
        found[name] = default[1] if default else None
    return found


def test_same_options():
    assert sorted(options_of_page()) == sorted(options_of_help())
    assert len(options_of_help()) > 20


def test_same_defaults():
    ours, theirs = options_of_page(), options_of_help()
    numeric = {name: value for name, value in theirs.items() if value and value[0].isdigit()}
    numeric.pop("bind")  # the page says it in a sentence
    numeric.pop("workers")
    assert {name: ours[name] for name in numeric} == numeric


def test_readme_names_only_options_there_are():
    """Of any of the commands: the tests of each know that its page has its options."""
    pages = "".join(read(f"man/{page}") for page in os.listdir(os.path.join(TOP, "man")) if page.endswith(".1"))
    text = re.sub(r"\$\(pkg-config .*?\)|BENCH_FLAGS='.*?'", "", read("README.md"))
    named = set(re.findall(r"--([a-z][\w-]+)", text))
    assert named <= set(re.findall(r"(?:Fl|,) -([\w-]+)", pages))
