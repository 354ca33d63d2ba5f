"""One HTML page of a run: bars of each scenario with all samples, and the limits."""

import html as markup

from measure import report
from measure.scenarios import KINDS

WIDTH, NAME, BARS, ROW = 720, 150, 430, 22
LONGEST = 6  # times asynwsgi's: bars beyond are cut

STYLE = """
:root { --text: #222; --soft: #666; --line: #ddd; --back: #fff; --ours: #1d6fb8; --theirs: #b9c3cc;
        --floor: #7d8b97; --bad: #b3261e; --good: #1b7f3b; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e4e4; --soft: #a0a0a0; --line: #444; --back: #181a1b; --ours: #5aa9ec;
          --theirs: #4a545c; --floor: #7d8b97; --bad: #ff8a80; --good: #7bd88f; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back);
       max-width: 760px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.1em; margin: 2em 0 .3em; }
p, dl { color: var(--soft); margin: .3em 0; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
svg .cut { fill: var(--back); }
svg .soft { fill: var(--soft); } .ours { fill: var(--ours); } .theirs { fill: var(--theirs); }
.floor { fill: var(--floor); } .sample { fill: var(--text); opacity: .35; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .2em .6em; text-align: left;
        border-bottom: 1px solid var(--line); } td.number { text-align: right;
        font-variant-numeric: tabular-nums; }
.held { color: var(--good); } .missed { color: var(--bad); font-weight: bold; }
"""


def bar(name, figure, at, scale, kind):
    """A row: its name, the least as a bar, each sample as a dot, and the figures."""
    style = "ours" if name.startswith("asynwsgi") else "floor" if name == "raw" else "theirs"
    middle, length = at + ROW / 2, figure["least"] * scale
    label = report.shown(kind, figure["least"])
    if figure["least"] != figure["median"]:
        label += f' <tspan class="soft">({report.shown(kind, figure["median"])})</tspan>'
    yield f'<text x="{NAME - 8}" y="{middle + 4}" text-anchor="end">{markup.escape(name)}</text>'
    yield (f'<rect class="{style}" x="{NAME}" y="{at + 4}" width="{min(length, BARS):.1f}" '
           f'height="{ROW - 8}"/>')
    if length > BARS:
        yield f'<text class="cut" x="{NAME + BARS - 16}" y="{middle + 4}">…</text>'
    for sample in figure["samples"]:
        if sample * scale < BARS:
            yield f'<circle class="sample" cx="{NAME + sample * scale:.1f}" cy="{middle}" r="2"/>'
    yield f'<text x="{WIDTH}" y="{middle + 4}" text-anchor="end">{label}</text>'


def chart(scenario, figures):
    """Bars from the least to the most."""
    names = sorted(figures, key=lambda name: figures[name]["least"])
    longest = max(figure["least"] for figure in figures.values())
    ours = figures.get(scenario.subject, {}).get("least", longest)
    scale = BARS / min(1.1 * longest, LONGEST * ours)
    yield (f'<svg viewBox="0 0 {WIDTH} {ROW * len(names) + 4}" role="img" '
           f'aria-label="{markup.escape(scenario.name)}">')
    for row, name in enumerate(names):
        yield from bar(name, figures[name], row * ROW, scale, scenario.kind)
    yield "</svg>"


def limits(results):
    yield "<table><tr><th>measured</th><th>at most</th><th>found</th><th></th></tr>"
    for verdict in report.verdicts(results):
        mark = '<td class="held">held</td>' if verdict.held else '<td class="missed">not held</td>'
        yield (f"<tr><td>{markup.escape(verdict.scenario)}</td><td>{markup.escape(verdict.text)}</td>"
               f'<td class="number">{verdict.found:.2f}</td>{mark}</tr>')
    yield "</table>"


def html(results, information):
    versions = ", ".join(f"{name} {version}" for name, version in information["servers"].items())
    parts = [
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>asynwsgi, measured</title><style>{STYLE}</style><h1>asynwsgi, measured</h1>",
        f"<p>{information['date']}, {markup.escape(information['cpu'])}, {information['cpus']} cores, "
        f"{markup.escape(information['machine'])}, Python {information['python']}. "
        f"{information['rounds']} rounds of {information['seconds']} s.</p><p>{markup.escape(versions)}.</p>",
        "<p>A bar is the least of the rounds, a dot each of them, and in brackets is the median. Less is "
        "better. Long bars are cut. <b>raw</b> is what can't be saved: a bare epoll loop with a fixed "
        "answer, the framework without a server, the interpreter alone.</p>",
    ]
    all_figures = report.figures(results)
    for scenario, samples in results:
        unit = KINDS[scenario.kind][0]
        parts.append(f"<h2>{markup.escape(scenario.name)}, {unit}</h2>")
        if all_figures[scenario.name]:
            parts += chart(scenario, all_figures[scenario.name])
        parts += [f"<p>{markup.escape(f'{name}: {why}')}</p>" for name, why in samples.wrong.items()]
    parts.append("<h2>What asynwsgi is to keep to</h2>")
    parts += limits(results)
    return "\n".join(parts) + "\n</html>\n"
