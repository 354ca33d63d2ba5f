"""Numbers, durations and sizes as people write and read them."""

import re

from .failure import Usage

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
COUNTS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def parse_scaled(text, units):
    """A whole number and a letter; None if it is something else."""
    found = re.fullmatch(r"(\d+)([kmg]?)", text.lower(), re.ASCII)
    return found and int(found[1]) * units[found[2]]


def parse_count(text):
    value = parse_scaled(text, COUNTS)
    if not value:
        raise Usage(f"{text!r} is not a count such as 100, 20k or 1M")
    return value


def parse_size(text):
    value = parse_scaled(text, SIZES)
    if value is None:
        raise Usage(f"{text!r} is not a size such as 8190, 64k or 10m")
    return value


def parse_duration(text):
    """Seconds."""
    if re.fullmatch(r"\d+", text, re.ASCII):
        return float(text)
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", text, re.ASCII)
    if not found or not text:
        raise Usage(f"{text!r} is not a time such as 10, 10s, 1m30s or 500ms")
    hours, minutes, seconds, thousandths = (int(group or 0) for group in found.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def significant(value, digits=3):
    """At most so many decimals that there are that many digits in all."""
    whole = len(str(int(abs(value))))
    return f"{value:,.{max(digits - whole, 0)}f}"


def show_time(nanoseconds):
    if nanoseconds is None:
        return "-"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{significant(nanoseconds / size)} {unit}"
    return f"{nanoseconds:.0f} ns"


def show_count(value):
    """Whole if it is large: 12,345; 0.25."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else significant(value)


def show_size(size):
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{significant(size / factor)} {unit}"
    return f"{size:.0f} B"
