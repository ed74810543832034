"""How much each row speaks for the present distribution against the reference's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.categories import bin_of_each, binned, category_profile
from agentops_graph.detection.distances import shares_of, smoothed
from agentops_graph.detection.psi import bin_shares, bins_of, reference_shares

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Words
    from agentops_graph.domain.profile import CategoryProfile, FeatureProfile, ReferenceProfile


def row_scores(
    reference: ReferenceProfile,
    names: Iterable[str],
    features: Mapping[str, Floats],
    categories: Mapping[str, Words],
    rows: int,
) -> Floats:
    """Log-likelihood ratio per row, over those of the named features that arrive.

    Rows from before a drift score below 0 on average and rows after it above 0, whatever moved:
    the increment of Page's test (1954) with both densities taken from the bins.
    """
    total = np.zeros(rows)
    for name in names:
        if name in reference.features and name in features:
            total += _of_numbers(reference.features[name], features[name])
        elif name in reference.categories and name in categories:
            total += _of_words(reference.categories[name], categories[name])
    return total


def _of_numbers(profile: FeatureProfile, values: Floats) -> Floats:
    now, before = smoothed(bin_shares(profile, values)), smoothed(reference_shares(profile))
    return np.asarray(np.log(now / before)[bins_of(profile, values)], dtype=np.float64)


def _of_words(profile: CategoryProfile, words: Words) -> Floats:
    counted = category_profile(words)
    before, now = smoothed(shares_of(binned(profile, counted)))
    ratio = np.log(now / before).tolist()
    places = bin_of_each(profile, counted.rows - counted.missing)
    by_word: dict[str | None, float] = {name: ratio[place] for name, place in places.items()}
    by_word[None] = ratio[-1]
    return np.array([by_word.get(word, ratio[-2]) for word in words.tolist()], dtype=np.float64)
