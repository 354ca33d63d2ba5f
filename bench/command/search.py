"""The search for the highest rate that is sustained."""

TRIES = 2  # of a rate that fails: one hiccup of the machine is no limit
LOWEST = 1 / 256  # of the estimate, below which the search is given up
RISE = 1.25
SHARES = (0.25, 0.5, 0.7, 0.85, 1)  # of the estimate, at first


class Search:
    """Ask next() for a rate and tell what came of it by record(), until next() gives None."""

    def __init__(self, estimate, least=1, precision=0.05):
        self.estimate, self.least, self.precision = estimate, least, precision
        self.good, self.bad, self.tries = 0, None, 0
        self.current = None

    def next(self):
        """A whole number of requests a second."""
        if self.tries == 0:
            self.current = self.choose()
        return self.current

    def choose(self):
        if self.bad is None:
            rising = (max(round(share * self.estimate), self.least) for share in SHARES)
            return max(next((rate for rate in rising if rate > self.good), round(self.good * RISE)), self.good + 1)
        if self.good:
            near = self.bad - self.good <= max(self.precision * self.good, 1)
            return None if near else (self.good + self.bad) // 2
        half = self.bad // 2
        return half if half >= max(self.least, self.estimate * LOWEST) else None

    def record(self, sustained):
        if sustained:
            self.good, self.tries = self.current, 0
            return
        self.tries += 1
        if self.tries == TRIES:
            self.bad, self.tries = self.current, 0
