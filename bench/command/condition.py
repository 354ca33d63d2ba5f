"""Conditions on a result, such as p99>10ms: for --fail-if and --bound."""

import operator
import re

from . import histogram
from .failure import Usage
from .result import error_count, error_rate, rate
from .units import COUNTS, NANOSECONDS, show_count, show_time

OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
EXAMPLES = "p99>10ms, max>=1s, mean>500us, errors>0, error-rate>0.1%, unfinished>0 or rate<5k"
COUNTED = ("errors", "unfinished", "rate")


class Condition:
    def __init__(self, text):
        self.text = text
        found = re.fullmatch(r"\s*([\w.-]+)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*([a-zA-Zµ%]*)\s*", text)
        if not found:
            raise Usage(f"{text!r} is not a condition such as {EXAMPLES}")
        self.metric, self.operator, number, unit = found.groups()
        self.limit = float(number) * self.factor(unit.replace("µ", "u"))

    def factor(self, unit):
        """Of the unit, which must be one of the metric's."""
        if self.metric in ("mean", "max") or self.is_percentile():
            units, right = NANOSECONDS, "ns, us, ms or s"
        elif self.metric == "error-rate":
            units, right = {"%": 0.01}, "%"
        elif self.metric in COUNTED:
            units, right, unit = COUNTS, "none, k or M", unit.lower()
        else:
            raise Usage(f"{self.text!r}: there is no {self.metric!r}; write such as {EXAMPLES}")
        if unit not in units:
            wrong = f"{unit!r} is no unit of {self.metric}" if unit else f"{self.metric} needs a unit"
            raise Usage(f"{self.text!r}: {wrong}: {right}")
        return units[unit]

    def is_percentile(self):
        found = re.fullmatch(r"p(\d+(?:\.\d+)?)", self.metric)
        return bool(found) and 0 < float(found[1]) < 100

    def value(self, result):
        """Of the metric; None if nothing was measured."""
        if self.metric == "errors":
            return error_count(result)
        if self.metric == "error-rate":
            return error_rate(result)
        if self.metric == "unfinished":
            return result["unfinished"]
        if self.metric == "rate":
            return rate(result)
        if self.is_percentile() and result["histogram"]:
            return histogram.percentile(result["histogram"], float(self.metric[1:]),
                                        result["latency"]["max"])
        return result["latency"].get(self.metric)

    def met(self, result):
        """A sentence, if the condition holds of the result, or cannot be told."""
        value = self.value(result)
        if value is None:
            return f"{self.text}: no request was answered"
        if OPERATORS[self.operator](value, self.limit):
            return f"{self.text}: it is {self.show(value)}"
        return None

    def show(self, value):
        if self.metric == "error-rate":
            return f"{value:.2%}"
        return show_count(value) if self.metric in COUNTED else show_time(value)
