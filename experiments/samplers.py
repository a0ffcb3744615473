"""Whether the samplers draw what they say, to a ten-thousandth of a standard deviation.

**Question.** Each random number of a simulation comes from one of a few samplers: SplitMix64 and
the gaps between rare events in compiled code, NumPy's distributions with parameters of our own. Is
any of them off by so little that the tests, with their 10⁵ draws, do not see it?

**Answer.** No. The largest of the 56 z-scores is 2.07, as it should be among so many, and the
largest bias 5 · 10⁻⁵ standard deviations, with a standard error of 2.5 · 10⁻⁵::

    sampler                       bias, sd   mean   var.   next neighb.  distance      p
    uniform number                 2.5e-06   0.10   1.27  -0.34    0.00   1.2e-04  0.109
    gap, probability 1e-06        -1.3e-05  -0.53  -0.60  -0.19   -0.77   1.0e-04  0.237
    gap, probability 0.001         4.0e-06   0.16   0.31  -0.77   -0.75   6.5e-05  0.796
    gap, probability 0.02          7.4e-06   0.30   1.24   0.35   -1.41   9.5e-05  0.332
    gap, probability 0.3           7.9e-06   0.31  -0.13   0.22   -1.42   6.5e-05  0.792
    gap, probability 0.999        -4.1e-05  -1.63  -1.63   1.07    1.02   5.6e-07  1.000
    exponential                    5.0e-05   2.01   1.05   2.07    0.23   8.7e-05  0.433
    uniform                       -2.8e-05  -1.12   0.69   0.41   -1.66   1.1e-04  0.177
    lognormal, cv 0.5              2.1e-05   0.84  -0.54  -0.02   -1.88   5.1e-05  0.960
    lognormal, median and p95      8.1e-06   0.33  -0.49  -0.20   -0.29   8.7e-05  0.432
    gamma, cv 0.5                  1.3e-05   0.50   0.61   0.88    0.12   5.8e-05  0.890
    gamma, cv 1.5                  3.8e-05   1.51   1.52  -0.15    0.91   7.5e-05  0.623
    weibull, shape 0.7            -3.8e-06  -0.15   1.12   0.55    0.09   8.9e-05  0.411
    weibull, shape 1.5             6.6e-06   0.26   0.70  -0.86    0.29   3.5e-05  1.000

Run by hand, twenty minutes: ``python experiments/samplers.py``. It writes ``samplers.csv`` into
``--out``. A mean that is off by b standard deviations has a z-score of b times the root of the
number of draws: with 1.6 · 10⁹ draws a bias of 10⁻⁴ has one of 4. The first sixteenth of them, 10⁸
draws, also shows the largest distance of the distribution functions at a thousand quantiles, with
the p-value of Kolmogorov and Smirnov, and the correlations: *next* within a stream, *neighbour*
with the stream of a provider whose name differs in one letter.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from sendcap.model.kernel.chance import draw_gap, uniform
from sendcap.model.kernel.compiled import compiled
from sendcap.model.records import trials
from sendcap.model.streams import Streams
from sendcap.scenario.distributions import Exponential, Gamma, Lognormal, Uniform, Weibull

Floats = npt.NDArray[np.float64]
Draw = Callable[[int], Floats]

BLOCK: Final = 1 << 17
CLOSELY: Final = 16
"""One draw in so many is looked at closely: all at the beginning."""
QUANTILES: Final = 1000
PROBABILITIES: Final = (1e-6, 0.001, 0.02, 0.3, 0.999)
DISTRIBUTIONS: Final[dict[str, Any]] = {
    "exponential": Exponential(mean="1s"),
    "uniform": Uniform(low="1s", high="3s"),
    "lognormal, cv 0.5": Lognormal(mean="1s", cv=0.5),
    "lognormal, median and p95": Lognormal(median="1s", p95="4s"),
    "gamma, cv 0.5": Gamma(mean="1s", cv=0.5),
    "gamma, cv 1.5": Gamma(mean="1s", cv=1.5),
    "weibull, shape 0.7": Weibull(mean="1s", shape=0.7),
    "weibull, shape 1.5": Weibull(mean="1s", shape=1.5),
}


@compiled
def draw_uniform(chance: Any, drawn: Floats) -> None:
    """Fill an array with uniform numbers."""
    for number in range(len(drawn)):
        drawn[number] = uniform(chance[0])


@compiled
def draw_gaps(chance: Any, drawn: Floats) -> None:
    """Fill an array with gaps between successes."""
    for number in range(len(drawn)):
        draw_gap(chance[0])
        drawn[number] = chance[0].until_next


class Sampler:
    """Draws of a law: how to begin two neighbouring streams, the moments, the distribution."""

    def __init__(
        self,
        name: str,
        begin: Callable[[str], Draw],
        mean: float,
        variance: float,
        cdf: Callable[[Floats], Floats],
    ) -> None:
        self.name, self.begin = name, begin
        self.mean, self.variance, self.cdf = mean, variance, cdf


def samplers() -> list[Sampler]:
    """Return all samplers."""

    def compiled_stream(fill: Any, probability: float) -> Callable[[str], Draw]:
        def begin(provider: str) -> Draw:
            chance = trials(
                [Streams(1).key(f"gap {probability}", provider=provider)], [probability]
            )

            def draw(count: int) -> Floats:
                drawn = np.empty(count)
                fill(chance, drawn)
                return drawn

            return draw

        return begin

    def numpy_stream(name: str, distribution: Any) -> Callable[[str], Draw]:
        def begin(provider: str) -> Draw:
            generator = Streams(1).generator(name, provider=provider)
            return lambda count: distribution.sample(generator, count)

        return begin

    def geometric(probability: float) -> Callable[[Floats], Floats]:
        return lambda gaps: -np.expm1(np.floor(gaps) * math.log1p(-probability))

    return [
        Sampler(
            "uniform number",
            compiled_stream(draw_uniform, 0.5),
            0.5,
            1.0 / 12.0,
            lambda drawn: np.clip(drawn, 0.0, 1.0),
        ),
        *(
            Sampler(
                f"gap, probability {probability:g}",
                compiled_stream(draw_gaps, probability),
                1.0 / probability,
                (1.0 - probability) / probability**2,
                geometric(probability),
            )
            for probability in PROBABILITIES
        ),
        *(
            Sampler(
                name,
                numpy_stream(name, distribution),
                distribution.mean_s,
                distribution.second_moment_s2 - distribution.mean_s**2,
                distribution.cdf,
            )
            for name, distribution in DISTRIBUTIONS.items()
        ),
    ]


def measured(sampler: Sampler, draws: int) -> dict[str, Any]:
    """Return what the draws of a sampler show."""
    one, neighbour = sampler.begin("gmail"), sampler.begin("hmail")
    sample = sampler.begin("imail")(min(1 << 20, draws))
    edges = np.unique(np.quantile(sample, np.linspace(0.0, 1.0, QUANTILES + 1)[1:-1]))
    deviation = math.sqrt(sampler.variance)
    below = np.zeros(len(edges) + 1, np.int64)
    total, closely, moments, correlations = 0, 0, np.zeros(3), np.zeros(2)
    block = min(BLOCK, draws // CLOSELY)
    while total < draws:
        drawn = one(block)
        scaled = (drawn - sampler.mean) / deviation
        squares = scaled * scaled
        moments += (scaled.sum(), squares.sum(), squares @ squares)
        total += block
        if total * CLOSELY <= draws:
            # A draw at an edge counts as below it, as in a distribution function.
            below += np.bincount(np.searchsorted(edges, drawn), minlength=len(below))
            other = (neighbour(block) - sampler.mean) / deviation
            correlations += (scaled[1:] @ scaled[:-1], scaled @ other)
            closely += block
    mean, square, fourth = moments / total
    following, beside = correlations / math.sqrt(closely)
    distance = float(np.abs(np.cumsum(below)[:-1] / closely - sampler.cdf(edges)).max())
    return {
        "sampler": sampler.name,
        "draws": total,
        "bias_sd": mean,
        "z_mean": mean * math.sqrt(total),
        "z_variance": (square - 1.0) / math.sqrt(fourth - square**2) * math.sqrt(total),
        "z_next": following,
        "z_neighbour": beside,
        "distance": distance,
        "p_distance": float(stats.kstwobign.sf(distance * math.sqrt(closely))),
    }


def main() -> None:
    """Measure all samplers, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1_600_000_000, help="of each sampler")
    parser.add_argument("--out", type=Path, default=Path("runs/samplers"))
    options = parser.parse_args()
    print(
        f"{'sampler':<28}{'bias, sd':>10}{'mean':>7}{'var.':>7}{'next':>7}{'neighb.':>8}"
        f"{'distance':>10}{'p':>7}"
    )
    rows = []
    for sampler in samplers():
        row = measured(sampler, options.draws)
        rows.append(row)
        print(
            f"{row['sampler']:<28}{row['bias_sd']:>10.1e}{row['z_mean']:>7.2f}"
            f"{row['z_variance']:>7.2f}{row['z_next']:>7.2f}{row['z_neighbour']:>8.2f}"
            f"{row['distance']:>10.1e}{row['p_distance']:>7.3f}",
            flush=True,
        )
    options.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(options.out / "samplers.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
