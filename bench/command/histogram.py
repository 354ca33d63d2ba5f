"""Histograms of times: lists of [value in ns, count], in the order of values."""

import math

PERCENTILES = (50, 75, 90, 99, 99.9, 99.99)
ROUNDED = 1 - 1e-15  # as 99.9 is: 99.9% of 1,000 are 999, and not one more
TICKS = 5  # of .hgrm, from each percentile to half of what is above it


def name_of(percentile):
    return f"p{percentile:g}"


def merge(histograms):
    counts = {}
    for histogram in histograms:
        for value, count in histogram:
            counts[value] = counts.get(value, 0) + count
    return [[value, counts[value]] for value in sorted(counts)]


def total(histogram):
    return sum(count for _, count in histogram)


def mean(histogram):
    return sum(value * count for value, count in histogram) / total(histogram)


def deviation(histogram):
    middle = mean(histogram)
    return math.sqrt(sum(count * (value - middle) ** 2 for value, count in histogram)
                     / total(histogram))


def percentile(histogram, wanted, most=math.inf):
    """As histogram.c has it: the largest value of the slot that holds it, and no more than the
    largest that was recorded."""
    rank, seen = wanted * total(histogram) / 100 * ROUNDED, 0
    for value, count in histogram:
        seen += count
        if seen >= rank:
            break
    return min(value, most)


def summary(histogram, most):
    """The percentiles of every report; {} where nothing was measured."""
    if not histogram:
        return {}
    found = {name_of(p): percentile(histogram, p, most) for p in PERCENTILES}
    return {"mean": mean(histogram), **found, "max": most}


def steps(histogram, most, ticks=TICKS):
    """(value, share, count up to it) at percentiles that come the closer the higher they are, and at
    last the largest value with the share 1."""
    whole, level, seen, rows = total(histogram), 0.0, 0, []
    for value, count in histogram:
        seen += count
        while seen / whole >= level:
            rows.append((min(value, most), level, seen))
            halvings = int(math.log2(1 / (1 - level))) + 1
            level += 1 / (ticks * 2 ** halvings)
            if seen == whole:
                break
    return [*rows, (most, 1.0, whole)]


def hgrm(histogram, most):
    """The text that HdrHistogram's plotters read; values in milliseconds."""
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    for value, share, seen in steps(histogram, most):
        line = f"{value / 1e6:12.3f} {share:2.12f} {seen:10d}"
        lines.append(line if share == 1 else f"{line} {1 / (1 - share):14.2f}")
    lines += [
        f"#[Mean    = {mean(histogram) / 1e6:12.3f}, StdDeviation   = {deviation(histogram) / 1e6:12.3f}]",
        f"#[Max     = {most / 1e6:12.3f}, Total count    = {total(histogram):12d}]",
        f"#[Buckets = {32:12d}, SubBuckets     = {2048:12d}]"]
    return "\n".join(lines) + "\n"
