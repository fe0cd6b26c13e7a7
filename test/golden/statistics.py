"""Statistics of studies, in double precision: Student's distribution by SciPy, the jackknife and DeLong's variance from their definitions."""

import json
import sys

import numpy as np
import scipy
from scipy import stats


def quantile(share, degrees):
    """SciPy's own is right to some 4e-9 (of 39 degrees, by R's qt); steps of Newton by its distribution are right to the last digits."""
    value = stats.t.ppf(share, degrees)
    for _ in range(3):
        value -= (stats.t.cdf(value, degrees) - share) / stats.t.pdf(value, degrees)
    return float(value)


def interval(value, error, degrees):
    half = quantile(0.975, degrees) * error
    return [value, value - half, value + half]


def paired(pairs):
    """The interval of the mean difference, with the standard error that SciPy's paired test divides by."""
    own, other = np.array(pairs).T
    difference = float((own - other).mean())
    return interval(difference, difference / stats.ttest_rel(own, other).statistic, len(pairs) - 1)


def jackknifed(pairs, estimate):
    units = np.array(pairs)
    n = len(units)
    without = np.array([estimate(np.delete(units, i, axis=0)) for i in range(n)])
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    return interval(estimate(units), error, n - 1)


def over_pairs(units):
    """The mean distance between two units, over all pairs of them."""
    first, second = np.triu_indices(len(units), 1)
    return float(np.abs(units[first, 0] - units[second, 0]).mean())


def ratio(units):
    return float(units[:, 0].mean() / units[:, 1].mean())


def delong(own, other, labels):
    """DeLong, DeLong and Clarke-Pearson 1988, equations 4 and 5: every positive against every negative."""
    positive, negative = labels == 1, labels == 0

    def kernel(scores):
        x, y = scores[positive][:, None], scores[negative][None, :]
        return (x > y) + 0.5 * (x == y)

    kernels = [kernel(own), kernel(other)]
    areas = [k.mean() for k in kernels]
    by_positive = np.cov([k.mean(axis=1) for k in kernels])
    by_negative = np.cov([k.mean(axis=0) for k in kernels])
    covariance = by_positive / positive.sum() + by_negative / negative.sum()
    contrast = np.array([1, -1])
    error = np.sqrt(contrast @ covariance @ contrast)
    value = areas[0] - areas[1]
    z = stats.norm.ppf(0.975)
    return {
        "areas": areas,
        "difference": [value, value - z * error, value + z * error],
        "p value": float(2 * stats.norm.sf(abs(value) / error)),
    }


with open(sys.argv[1], encoding="utf8") as file:
    data = json.load(file)

scored = {name: np.array(values) for name, values in data["scored"].items()}
results = {
    "quantiles": [quantile(share, degrees) for share, degrees in data["quantiles"]],
    "shares": [float(stats.t.cdf(value, degrees)) for value, degrees in [(-3, 2), (0, 5), (0.7, 1), (2.5, 9), (40, 3)]],
    "normal tails": [float(stats.norm.sf(z)) for z in [-3, -0.5, 0, 1e-9, 0.3, 1, 1.96, 2.4999, 2.5, 4, 9, 30]],
    "delong": delong(scored["own"], scored["other"], scored["labels"]),
}
for name, pairs in data["pairs"].items():
    results[f"paired, {name}"] = paired(pairs)
    if len(pairs) > 2:
        results[f"ratio, {name}"] = jackknifed(pairs, ratio)
        results[f"over pairs, {name}"] = jackknifed(pairs, over_pairs)

origin = {"library": "SciPy", "version": scipy.__version__, "script": "test/golden/statistics.py"}
lines = [f"{json.dumps(name)}: {json.dumps(result)}" for name, result in results.items()]
with open(sys.argv[2], "w", encoding="utf8") as file:
    file.write('{\n"origin": ' + json.dumps(origin) + ',\n"results": {\n' + ",\n".join(lines) + "\n}\n}\n")
