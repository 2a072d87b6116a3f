"""The statistics of a comparison against NumPy and SciPy, on the same samples.

usage: scipy_test.py COMPARE_FIGURES
"""
import json
import subprocess
import sys
import unittest

import numpy as np
from scipy import stats

PROGRAM = sys.argv[1]
CHANCE = np.random.default_rng(20)
REPLICATES = 4000


def case(a, b, paired=False, ratio=1.25, difference=None, distribution=0.2, counts=False, replicates=REPLICATES, shares=None):
    as_runs = lambda arm: [[float(v) for v in np.atleast_1d(run)] for run in arm]
    return {"a": as_runs(a), "b": as_runs(b), "paired": paired, "ratio": ratio, "difference": difference,
            "distribution": distribution, "counts": counts, "replicates": replicates, "shares": shares}


def answers(cases):
    done = subprocess.run([PROGRAM], input=json.dumps(cases), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def lognormal(n, sigma=0.3, factor=1.0):
    return factor * np.exp(sigma * CHANCE.standard_normal(n))


def scipy_interval(a, b, statistic, paired, cut):
    found = stats.bootstrap((a, b), statistic, paired=paired, vectorized=False, method="percentile",
                            confidence_level=1 - 2 * cut, n_resamples=REPLICATES, random_state=np.random.default_rng(5))
    return found.confidence_interval


def expected_decision(low, high, margin):
    if -margin <= low and high <= margin:
        return "agree"
    return "disagree" if low > margin or high < -margin else "too few"


class Figures(unittest.TestCase):
    def test_quantiles(self):
        """p50, p90, p99 and mean of samples of any size, ties included, as NumPy has them."""
        arms = [lognormal(n) for n in (10, 11, 20, 30, 99, 100, 300)]
        arms += [CHANCE.integers(0, 5, n).astype(float) for n in (10, 30, 100)]
        for arm, answer in zip(arms, answers([case(arm, arm, replicates=10) for arm in arms])):
            for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                self.assertAlmostEqual(answer["a"][name], np.quantile(arm, p, method="averaged_inverted_cdf"), places=12)
            self.assertAlmostEqual(answer["a"]["mean"], arm.mean(), places=12)

    def test_runs_of_unequal_length(self):
        """Every run counts the same: as if each were repeated until all were of one length."""
        runs = [lognormal(n) for n in (1, 2, 3, 4, 6, 12, 1, 2, 3, 4, 6, 12)]
        alike = np.concatenate([np.repeat(run, 12 // len(run)) for run in runs])
        answer, = answers([case(runs, runs, replicates=10)])
        for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            self.assertAlmostEqual(answer["a"][name], np.quantile(alike, p, method="averaged_inverted_cdf"), places=12)
        self.assertAlmostEqual(answer["a"]["mean"], alike.mean(), places=12)

    def test_ks(self):
        """The distance of Kolmogorov and Smirnov, and the same with the tolerance taken off."""
        pairs = [(lognormal(n), lognormal(m, factor=f)) for n, m, f in ((10, 10, 1), (30, 20, 1.2), (100, 90, 2), (50, 50, 9))]
        pairs.append((CHANCE.integers(0, 4, 30).astype(float), CHANCE.integers(0, 4, 25).astype(float)))
        for (a, b), answer in zip(pairs, answers([case(a, b, replicates=10) for a, b in pairs])):
            self.assertAlmostEqual(answer["ks"], stats.ks_2samp(a, b).statistic, places=12)
            # One arm scaled by the tolerance, one side of the statistic: what exceeds it.
            beyond = max(stats.ks_2samp(a * 1.25, b, alternative="greater").statistic,
                         stats.ks_2samp(b * 1.25, a, alternative="greater").statistic)
            self.assertAlmostEqual(answer["beyond"], max(0, beyond), places=9)


class Intervals(unittest.TestCase):
    def near(self, ours, theirs):
        """Equal within the error of both bootstraps: a few hundredths of the width."""
        width = theirs.high - theirs.low
        self.assertLess(abs(ours[0] - theirs.low), 0.08 * width, (ours, theirs))
        self.assertLess(abs(ours[1] - theirs.high), 0.08 * width, (ours, theirs))

    def test_cut(self):
        for n in (10, 30, 100):
            answer, = answers([case(lognormal(n), lognormal(n), replicates=10)])
            wanted = stats.norm.cdf(stats.t.ppf(0.05, n - 1) * np.sqrt(n / (n - 1)))
            self.assertAlmostEqual(answer["cut"], wanted, places=10)

    def test_ratio_of_medians(self):
        """The interval of the ratio of medians, arms drawn apart and in pairs."""
        median = lambda values: np.quantile(values, 0.5, method="averaged_inverted_cdf")
        for n in (20, 61):
            a = lognormal(n)
            b = a * lognormal(n, 0.1)
            for paired in (False, True):
                answer, = answers([case(a, b, paired=paired)])
                self.assertEqual(answer["paired"], paired)
                self.near(answer["p50_ratio"], scipy_interval(a, b, lambda x, y: median(y) / median(x), paired, answer["cut"]))

    def test_difference_of_means(self):
        a, b = CHANCE.poisson(3, 40).astype(float), CHANCE.poisson(4, 35).astype(float)
        answer, = answers([case(a, b, counts=True, difference=2)])
        self.near(answer["mean_difference"], scipy_interval(a, b, lambda x, y: y.mean() - x.mean(), False, answer["cut"]))

    def test_clusters(self):
        """Whole runs are drawn: the interval is that of a bootstrap of runs, far wider than one of their values."""
        runs = [f * lognormal(20, 0.05) for f in lognormal(15, 0.3)]
        others = [f * lognormal(20, 0.05) for f in lognormal(15, 0.3)]
        answer, = answers([case(runs, others)])
        a, b = np.array(runs), np.array(others)
        of_runs = lambda i, j: b[j.astype(int)].mean() - a[i.astype(int)].mean()
        theirs = scipy_interval(np.arange(15.0), np.arange(15.0), of_runs, False, answer["cut"])
        self.near(answer["mean_difference"], theirs)
        of_values = scipy_interval(a.ravel(), b.ravel(), lambda x, y: y.mean() - x.mean(), False, answer["cut"])
        self.assertGreater(theirs.high - theirs.low, 2 * (of_values.high - of_values.low))

    def test_shares(self):
        """Newcombe's interval, from SciPy's intervals of Wilson."""
        for x, n, y, m in ((30, 30, 0, 30), (30, 30, 30, 30), (29, 30, 30, 30), (48, 80, 56, 70), (1, 12, 5, 200)):
            answer, = answers([case([1] * 10, [1] * 10, replicates=10, shares=[x, n, y, m])])
            in_a, in_b = (stats.binomtest(k, t).proportion_ci(0.9, "wilson") for k, t in ((x, n), (y, m)))
            d = y / m - x / n
            low = d - np.hypot(y / m - in_b.low, in_a.high - x / n)
            high = d + np.hypot(in_b.high - y / m, x / n - in_a.low)
            np.testing.assert_allclose(answer["share_interval"], [low, high], atol=1e-9)


class Decisions(unittest.TestCase):
    def test_tost_of_means(self):
        """Decisions are those of Welch's two one-sided t tests, wherever these are clear."""
        cases, wanted = [], []
        for shift in (0, 0.5, 1, 1.5, 2, 2.5, 3):
            for n in (12, 30, 80):
                for spread in (0.3, 1, 3):
                    a, b = 10 + spread * CHANCE.standard_normal(n), 10 + shift + spread * CHANCE.standard_normal(n)
                    va, vb = a.var(ddof=1) / n, b.var(ddof=1) / n
                    df = (va + vb) ** 2 / (va ** 2 / (n - 1) + vb ** 2 / (n - 1))
                    reach, d = stats.t.ppf(0.95, df) * np.sqrt(va + vb), b.mean() - a.mean()
                    if min(abs(abs(d + side * reach) - 1.5) for side in (-1, 1)) < 0.25 * reach:
                        continue  # too near to call
                    cases.append(case(a, b, counts=True, ratio=None, difference=1.5, replicates=1000))
                    wanted.append(expected_decision(d - reach, d + reach, 1.5))
        self.assertGreater(len(cases), 30)
        self.assertEqual(set(wanted), {"agree", "disagree", "too few"})
        found = [answer["tests"]["mean"]["decision"] for answer in answers(cases)]
        self.assertEqual(found, wanted)

    def test_tost_of_ratios(self):
        """Decisions about medians are those of SciPy's bootstrap of the logarithm of their ratio."""
        median = lambda values: np.quantile(values, 0.5, method="averaged_inverted_cdf")
        statistic = lambda x, y: np.log(median(y) / median(x)) / np.log(1.25)
        checked = set()
        for factor, sigma in ((1, 0.1), (1.1, 0.1), (1.25, 0.1), (1.5, 0.1), (1, 0.6), (0.6, 0.2), (3, 0.5)):
            a, b = lognormal(40, sigma), lognormal(40, sigma, factor)
            answer, = answers([case(a, b)])
            low, high = scipy_interval(a, b, statistic, False, answer["cut"])
            np.testing.assert_allclose(answer["tests"]["p50"]["distance"], statistic(a, b), rtol=1e-9)
            if min(abs(abs(end) - 1) for end in (low, high)) < 0.08 * (high - low):
                continue  # too near to call
            self.assertEqual(answer["tests"]["p50"]["decision"], expected_decision(low, high, 1), (factor, sigma))
            checked.add(answer["tests"]["p50"]["decision"])
        self.assertEqual(checked, {"agree", "disagree", "too few"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
