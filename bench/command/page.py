"""The page of --html, and writing all files of a run."""

import pkgutil
import string
from html import escape

from . import document, plots, profile, sustained, table
from .result import bottleneck, error_count, rate
from .units import show_count, show_time

TITLES = {"http-processing": "Load on a server", "saturate": "The highest rate that is sustained",
          "bench": "Several clients on a server"}


def html_table(rows, left=1):
    def cells(row, tag):
        return "".join(f"<{tag}{' class=left' if number < left else ''}>{escape(cell)}</{tag}>"
                       for number, cell in enumerate(row))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows[1:])
    return (f'<div class="scroll"><table><thead><tr>{cells(rows[0], "th")}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def pairs(items):
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in items) + "</dl>"


def heading(text):
    return f"<h2>{escape(text)}</h2>"


def note(result):
    sentence = bottleneck(result)
    return f'<p class="note">{escape(sentence)}</p>' if sentence else ""


def cards(items):
    return '<div class="cards">' + "".join(
        f"<div><b>{escape(value)}</b>{escape(name)}</div>" for name, value in items) + "</div>"


def headline(result):
    latency = result["latency"]
    return cards([("requests a second", show_count(rate(result))),
                  *((name, show_time(latency.get(name))) for name in ("p50", "p99", "p99.9")),
                  ("errors", show_count(error_count(result))),
                  *([("unfinished", show_count(result["unfinished"]))] if result["unfinished"] else [])])


def details(label, result):
    return [heading(label), note(result), '<div class="beside">', pairs(table.figures(result)),
            html_table(table.latency_rows([("", result)])), "</div>"]


def of_profile(label, found):
    return [heading(f"{label}: profile"), f"<p>{escape(profile.title(found))}</p>", '<div class="beside">',
            html_table(profile.phase_rows(found)), html_table(profile.function_rows(found)), "</div>"]


def of_results(made):
    """Of http-processing and bench."""
    runs = made["runs"]
    lines = [(run["label"], run) for run in runs]
    parts = [headline(runs[0]) if len(runs) == 1 else html_table(table.comparison(lines))]
    if len(runs) == 1 and "groups" in runs[0]:
        lines = [(f"{group['kind']} {group['path']}", group) for group in runs[0]["groups"]]
    one_rate = made["kind"] == "http-processing" and len(runs) == 1 and made["parameters"].get("rate")
    parts += plots.of_results(lines, one_rate)
    for run in runs:
        parts += details(run["label"], run)
        for group in run.get("groups", []):
            parts += details(f"{run['label']}: {group['kind']} {group['path']}", group)
        if "profile" in run:
            parts += of_profile(run["label"], run["profile"])
    return parts


def of_saturate(made):
    runs = made["runs"]
    if len(runs) == 1:
        step = sustained.best(runs[0])
        there = [(f"{name} there", show_time(step["latency"].get(name))) for name in ("p50", "p99", "p99.9")]
        parts = [cards([("requests a second sustained", show_count(runs[0]["sustained"])), *there])]
    else:
        parts = [html_table(sustained.comparison([(run["label"], run) for run in runs]))]
    parts += plots.of_steps(runs)
    parts.append(plots.by_percentile([(f"{run['label']} at {show_count(run['sustained'])}", sustained.best(run))
                                      for run in runs]))
    for run in runs:
        parts += [heading(run["label"]), *(f'<p class="note">{escape(line)}</p>' for line in sustained.conclusion(run)),
                  html_table([sustained.HEADS, *map(sustained.row, run["steps"])])]
    return parts


def parameters(made):
    """The command line, and what each server was started with."""
    items = [("command", made["command"]), ("when", made["when"]),
             ("machine", f"{made['machine']['system']}, {made['machine']['cpus']} CPUs")]
    items += [(name.replace("_", "-"), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
              for name, value in made["parameters"].items()]
    for run in made["runs"]:
        if server := run.get("server"):
            items.append((run["label"], server["command"] + (f" ({server['note']})" if server["note"] else "")))
    return [heading("Parameters"), pairs(items)]


def render(made):
    parts = (of_saturate if made["kind"] == "saturate" else of_results)(made) + parameters(made)
    title = f"{TITLES[made['kind']]}: {', '.join(run['label'] for run in made['runs'])}"
    template = string.Template(pkgutil.get_data(__package__, "report.html").decode())
    return template.substitute(title=escape(title), when=escape(made["when"]), body="\n".join(parts))


def write_all(args, made):
    if args.json is not None:
        document.write_json(args.json, made)
    if args.html is not None:
        document.write_file(args.html, render(made))
