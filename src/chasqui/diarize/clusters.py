"""How many voices there are, and what each is like: voiceprints that lie near each other are one speaker.

Agglomerative clustering (average linkage on cosine distance) of at most SAMPLED windows, spread over the recording;
what it leaves are a few centres, and everything else is given to the nearest of them. So memory and time do not grow
with the square of the duration.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

Floats = npt.NDArray[np.float32]

SAMPLED = 2000
#: Two groups of windows whose mean cosine distance is below this are one speaker. Windows of one LibriSpeech speaker
#: were 0.2–0.4 apart, those of two 0.4–0.6; the least error on the meetings for tuning was at 0.38.
APART = 0.38
#: Whoever speaks less than this is nobody of their own: a cough, a laugh, two at once. In long recordings more, as
#: there are more of those; at most half a minute, so that a question from the back stays.
LEAST_S, LEAST_SHARE, LEAST_AT_MOST_S = 2.0, 0.004, 30.0


def centres(prints: npt.NDArray[np.floating], hop_s: float, count: int | None = None, most: int = 20) -> Floats:
    """[speakers, 256] of length one, the one that is heard most first.

    Args:
        prints: [windows, 256], one every `hop_s` seconds of speech.
        count: how many speakers there are, if somebody said; fewer come back where fewer can be told apart.
        most: no more than so many.
    """
    step = -(-len(prints) // SAMPLED)
    points = np.asarray(prints[::step], np.float32)
    if len(points) < 2:
        return unit(points)
    groups = _groups(points, count, most)
    each_s = hop_s * step
    least_s = 0.0 if count else min(max(LEAST_S, LEAST_SHARE * each_s * len(points)), LEAST_AT_MOST_S)
    sizes = np.bincount(groups)
    order = np.argsort(-sizes, kind="stable")
    kept = [group for group in order if sizes[group] and sizes[group] * each_s >= least_s] or [order[0]]
    return unit(np.stack([points[groups == group].mean(axis=0) for group in kept[:most]]))


def unit(rows: npt.NDArray[np.floating]) -> Floats:
    """Rows of length one."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6), np.float32)


def _groups(points: Floats, count: int | None, most: int) -> npt.NDArray[np.int64]:
    # On vectors of length one, so that nothing of the distances of silence (all noughts) becomes not-a-number.
    tree = linkage(unit(points + 1e-6), "average", metric="cosine")
    if count:
        return np.asarray(fcluster(tree, count, "maxclust"), np.int64)
    return np.asarray(fcluster(tree, APART, "distance"), np.int64)
