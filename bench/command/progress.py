"""The line that tells on a terminal how far a run is."""

import shutil
import sys

from .result import merge_intervals
from .units import show_count, show_time


class Progress:
    """On stderr; nothing where that is no terminal."""

    def __init__(self, title=""):
        self.title, self.shown, self.lines = title, sys.stderr.isatty(), 0

    def write(self, text):
        if self.shown:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()

    def show(self, clients):
        """The last interval that all clients have."""
        count = min(map(len, clients))
        if not self.shown or count == self.lines:
            return
        self.lines = count
        last = merge_intervals([intervals[count - 1:count] for intervals in clients])[0]
        errors = sum(sum(one["errors"].values()) for intervals in clients for one in intervals)
        rate = last["requests"] / max(last["to"] - last["from"], 1e-9)
        self.write(f"{self.title}{last['to']:.0f} s: {show_count(rate)} requests/s, "
                   f"p50 {show_time(last['p50'])}, p99 {show_time(last['p99'])}, "
                   f"max {show_time(last['max'])}, {errors} errors")

    def clear(self):
        self.lines = 0
        self.write("")
