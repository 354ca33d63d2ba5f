"""Plots as SVG: lines over two axes. They are drawn here, so that a page needs no script."""

import math
from html import escape

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 10, 28
MARKED = 60  # points of a line, up to which each has a mark that says what it is
COLOURS = 6  # that the page's style has


class Linear:
    """From 0 to what there is."""

    def __init__(self, values, show=lambda value: f"{value:,.10g}"):
        self.show = show
        most = max(values, default=0) or 1
        size = 10 ** math.floor(math.log10(most / 4))
        self.step = next(size * part for part in (1, 2, 2.5, 5, 10) if size * part * 5 >= most)
        self.most = self.step * math.ceil(most / self.step - 1e-9)

    def at(self, value):
        return value / self.most

    def ticks(self):
        return [(self.step * n, self.show(self.step * n)) for n in range(round(self.most / self.step) + 1)]


class Extent(Linear):
    """From 0 to just what there is: for time and the rates of steps."""

    def __init__(self, values, show=lambda value: f"{value:,.10g}"):
        super().__init__(values, show)
        self.most = max(values, default=0) or 1

    def ticks(self):
        return [(self.step * n, self.show(self.step * n)) for n in range(int(self.most / self.step + 1e-9) + 1)]


class Log:
    """From the power of ten, or twice or five times that, below what there is to the one above."""

    def __init__(self, values, show):
        self.show = show
        values = [value for value in values if value > 0] or [1]
        low, high = min(values), max(values)
        marks = [part * 10.0 ** power for power in range(14) for part in (1, 2, 5)]
        first = max((n for n, mark in enumerate(marks) if mark <= low), default=0)
        last = min((n for n, mark in enumerate(marks) if mark >= high), default=len(marks) - 1)
        self.marks = marks[first:max(last, first + 1) + 1]

    def at(self, value):
        low, high = math.log(self.marks[0]), math.log(self.marks[-1])
        return (math.log(max(value, self.marks[0])) - low) / (high - low)

    def ticks(self):
        # Where there are many, powers of ten only.
        marks = self.marks
        if len(marks) > 10:
            marks = [mark for mark in marks if abs(math.log10(mark) - round(math.log10(mark))) < 1e-9]
        return [(mark, self.show(mark)) for mark in marks]


class Percentile:
    """Shares of the requests; each nine has as much room as the one before."""

    def __init__(self, shares):
        self.nines = max(-math.log10(1 - min(max(shares, default=0.9), 1 - 1e-9)), 1)

    def at(self, share):
        return min(-math.log10(max(1 - share, 1e-12)) / self.nines, 1)

    def ticks(self):
        shares = [0, 0.5, *(1 - 10.0 ** -nines for nines in range(1, int(self.nines + 1e-9) + 1))]
        return [(share, f"{share * 100:.10g}%") for share in shares]


def plot(name, x, y, series):
    """`series`: [(label, [(x, y, what a mark says)], dashed)]."""
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def left(value):
        return LEFT + wide * x.at(value)

    def top(value):
        return TOP + high * (1 - y.at(value))

    parts = [f'<svg data-plot="{name}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for value, text in y.ticks():
        parts.append(f'<path class="grid" d="M{LEFT} {top(value):.1f}h{wide}"/>'
                     f'<text x="{LEFT - 8}" y="{top(value) + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for value, text in x.ticks():
        parts.append(f'<path class="tick" d="M{left(value):.1f} {TOP + high}v5"/>'
                     f'<text x="{left(value):.1f}" y="{TOP + high + 20}" text-anchor="middle">{escape(text)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {TOP + high}h{wide}"/>')
    for number, (label, points, dashed) in enumerate(series):
        colour = f"c{number % COLOURS}"
        places = " ".join(f"{left(px):.1f},{top(py):.1f}" for px, py, _ in points)
        parts.append(f'<polyline class="{colour}{" dashed" if dashed else ""}" data-series="{escape(label)}" '
                     f'points="{places}"/>')
        if len(points) <= MARKED:
            parts += [f'<circle class="{colour}" cx="{left(px):.1f}" cy="{top(py):.1f}" r="2.5"><title>'
                      f"{escape(said)}</title></circle>" for px, py, said in points]
    return "\n".join([*parts, "</svg>"])


def legend(series):
    return '<p class="legend">' + "".join(
        f'<span><i class="c{number % COLOURS}{" dashed" if dashed else ""}"></i>{escape(label)}</span>'
        for number, (label, _, dashed) in enumerate(series)) + "</p>"


def figure(name, title, below, x, y, series):
    return (f'<figure><figcaption>{escape(title)}</figcaption>{legend(series)}{plot(name, x, y, series)}'
            f'<p class="below">{escape(below)}</p></figure>')


def short_time(nanoseconds):
    """For an axis: 5 ms."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.10g} {unit}"
    return f"{nanoseconds:.10g} ns"


def short(value):
    """A rate for an axis: 12k."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.10g}{unit}"
    return f"{value:.10g}"
