"""What came of it: figures, verdicts, tables."""

import statistics
from dataclasses import dataclass

from measure.scenarios import KINDS
from measure.servers import THREADS

NO_PEERS = ("asynwsgi", THREADS, "raw", "nginx")


@dataclass
class Verdict:
    scenario: str
    text: str
    most: float
    found: float

    @property
    def held(self):
        return self.found <= self.most


def figure(taken):
    return {"least": min(taken), "median": statistics.median(taken), "samples": taken}


def figures(results):
    """scenario name: server: figure"""
    return {scenario.name: {name: figure(taken) for name, taken in samples.taken.items() if taken}
            for scenario, samples in results}


def shown(kind, value):
    _, scale, digits = KINDS[kind]
    return f"{value / scale:,.{digits}f}"


def verdicts(results):
    """Of each limit whose figures are there."""
    all_figures = figures(results)
    for scenario, _ in results:
        unit, scale, _ = KINDS[scenario.kind]
        ours = all_figures[scenario.name].get(scenario.subject)
        for limit in scenario.limits if ours else ():
            theirs = all_figures.get(limit.of or scenario.name, {})
            server = limit.server
            if server == "best":
                server = min((name for name in theirs if name not in NO_PEERS),
                             key=lambda name: theirs[name]["least"], default=None)
            if not limit.factor:
                yield Verdict(scenario.name, f"{shown(scenario.kind, limit.plus)} {unit}", 1,
                              ours["least"] / limit.plus)
            elif server in theirs and limit.plus:
                yield Verdict(scenario.name, f"{server} + {shown(scenario.kind, limit.plus)} {unit}", limit.plus / scale,
                              (ours["least"] - theirs[server]["least"]) / scale)
            elif server in theirs:
                of = f" of {limit.of}" if limit.of and limit.of != scenario.name else ""
                yield Verdict(scenario.name, f"{limit.factor:.2f} x {server}{of}", limit.factor,
                              ours["least"] / theirs[server]["least"])


def table(heads, rows):
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def figure_table(results, kinds):
    """A row for each scenario, a column for each server."""
    results = [(scenario, samples) for scenario, samples in results if scenario.kind in kinds]
    all_figures = figures(results)
    names = list(dict.fromkeys(name for _, samples in results for name in samples.taken))
    rows = []
    for scenario, samples in results:
        found = all_figures[scenario.name]
        rows.append([scenario.name, *(
            shown(scenario.kind, found[name]["least"]) if name in found and name not in samples.wrong
            else "fails" if name in samples.wrong else "" for name in names)])
    return table(["", *names], rows)


def shares(results):
    """Of each framework, the share of a request that is not its own."""
    for name, found in figures([result for result in results if result[0].kind == "framework"]).items():
        if "asynwsgi" in found and "raw" in found:
            share = 1 - found["raw"]["least"] / found["asynwsgi"]["least"]
            yield f"{share:.0%} of a request is not {name}'s, called alone."


def verdict_table(results):
    return table(["", "at most", "found", ""], [
        [verdict.scenario, verdict.text, f"{verdict.found:.2f}", "held" if verdict.held else "**not held**"]
        for verdict in verdicts(results)])
