"""pack.py OUTPUT VERSION PYTHON TOP FILE...: the package bench/command, with its recipes and its page, as
one file that can be executed; the same bytes each time, whenever and wherever it is made."""

import os
import shutil
import stat
import sys
import zipfile

MAIN = """import sys

from asynwsgi_bench.main import main

sys.exit(main("{version}"))
"""


def add(archive, name, data):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED)


def main():
    output, version, python, top, *paths = sys.argv[1:]
    with open(output + ".tmp", "wb") as file:
        file.write(b"#!%b -I\n" % os.fsencode(shutil.which(python)))
        with zipfile.ZipFile(file, "w") as archive:
            add(archive, "__main__.py", MAIN.format(version=version))
            for path in paths:
                with open(os.path.join(top, path), "rb") as source:
                    add(archive, path.replace("bench/command", "asynwsgi_bench", 1), source.read())
    os.chmod(output + ".tmp", 0o755)
    os.replace(output + ".tmp", output)


main()
