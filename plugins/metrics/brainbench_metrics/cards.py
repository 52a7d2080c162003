"""What a reader must know of each metric and scorer: what it computes, whose it is, what to beware of."""

from __future__ import annotations

from collections.abc import Sequence

from brainbench.cards import MethodCard

_XIAO = (
    "Xiao, Du and Lin (2026): Beyond representational alignment with brain-guided language models for robust "
    "reasoning, arXiv:2606.11893, after the authors' public code."
)
_ISMAYILZADA = "Ismayilzada et al. (2026), arXiv:2604.03480, after the paper and its public code."
_OVER_PEOPLE = "The interval holds for other people and other items; p is of the whole estimator."


def predictivity_paper(folds: int, alphas: Sequence[float]) -> MethodCard:
    """Of the published predictivity, with its number of folds and its penalties."""
    return MethodCard(
        "How well ridge regression predicts each voxel's response to unseen items from a layer's features.",
        "score = max over l of median over p of median over v of mean over f of r(ŷ, y). l: a layer. p: a "
        f"person. v: a voxel of p. f: one of {folds} shuffled folds of the items, stratified by type of "
        "task. y: v's measured responses to the fold's items. ŷ = W x + b: what a ridge regression fitted "
        "on the other items predicts from the layer's features x; one penalty for all voxels of a person, "
        f"of {min(alphas):g} to {max(alphas):g}, by leave-one-out in the training items. r: Pearson's "
        "correlation. Ceiling: the same with other people's voxels for x, extrapolated to infinitely many "
        "people.",
        f"{_XIAO} The ceiling's extrapolation follows Schrimpf et al. (2021), PNAS 118, e2105646118.",
        (
            "The layer is chosen on the data that it is scored on: the score is optimistic.",
            "Over items of several types of task one bit, the type, comes as far as whole models do: "
            "scores within a type are the ones to trust.",
            "The extrapolated ceiling is unstable where people share little.",
        ),
    )


def predictivity_robust(folds: int, repeats: int, permutations: int) -> MethodCard:
    """Of ours."""
    return MethodCard(
        "How well ridge regression predicts responses to unseen items of the same type of task, by the layer "
        "that it chose in training.",
        "score = mean over p of mean over f of r, with r = Σ s·y / √(Σ s² · Σ y²). p: a person. f: a fold "
        f"of the items, {folds} of them, {repeats} times. Sums are over the fold's items and p's voxels. y: "
        "measured, s: predicted responses, each voxel in units of its own spread, both less the mean of "
        "their type of task. s comes from a ridge regression on the fold's other items, on standardised "
        "features of one layer; its penalty, and the layer, by the least leave-one-out error in those "
        "items (the layer's summed over people). Ceiling: the same with all other people's voxels as the "
        "features.",
        "Of brainbench. Not clipped, and not divided by the ceiling.",
        (
            f"{_OVER_PEOPLE} p is from {permutations:,} shuffles within types of task.",
            "Dull predictors (text length, response time, ...) score here, too: read it beside the best one.",
        ),
    )


def rsa_paper(lowest_ceiling: float) -> MethodCard:
    """Of the published representational similarity analysis."""
    return MethodCard(
        "Whether items that differ for a layer are those that differ in the brain: rank correlation of "
        "dissimilarities, over each person's noise ceiling.",
        "score = max over l of median over p of clip(ρ(Dₚ, Dₗ) / cₚ, −1, 1). "
        "l: a layer. p: a person. Dₗ, Dₚ: of each pair of items 1 less Pearson's correlation of their "
        "patterns, in the layer and in p's voxels. ρ: Spearman's correlation over pairs. cₚ = ρ(Dₚ, D of the "
        f"mean pattern of the others); who has none above {lowest_ceiling:g} is dropped.",
        _ISMAYILZADA,
        (
            "Ratio, clipping and the choice of the best layer together are far from 0 where nothing is "
            "shared.",
            "The ceiling takes everyone's voxels to correspond.",
        ),
    )


def rsa_robust(distance: str, comparator: str, splits: int, permutations: int) -> MethodCard:
    """Of ours."""
    return MethodCard(
        "Whether items that differ for a layer are those that differ in the brain, at a layer chosen on "
        "other people and other items.",
        "score = tanh(mean over p of artanh rₚ), with rₚ = mean over h of r(Dₚ, Dₗ). p: a person. h: one "
        f"half of the items, of {splits} random splits. Dₚ, Dₗ: {distance} distances of each pair of items "
        f"in h, in p's voxels and in layer l. r: {comparator}, within categories of pairs (which types of "
        "task the two items are of). l: the layer with the highest mean r for other people in the other "
        "half. Ceiling: how well the mean D of the others fits a person's (lower bound), and the mean of "
        "all (upper).",
        "Of brainbench. The ceiling is that of Nili et al. (2014), PLoS Computational Biology 10:e1003553.",
        (
            f"{_OVER_PEOPLE} p is from {permutations:,} shuffles of the model's items, within types of task.",
            "No ratio to the ceiling, no clipping, nobody dropped for a low ceiling.",
        ),
    )


def semantic_distance() -> MethodCard:
    """Of the distance between object and response."""
    return MethodCard(
        "How far a response lies from the object that it is about, as a sentence encoder sees them.",
        "score = 1 − cos(a, b). a, b: the encoder's vectors of the object's name and of the response. "
        "0: the same direction; 2: opposite ones.",
        "The oldest automatic measure of originality (Beaty and Johnson 2021, Behavior Research Methods "
        "53:757, say), here with sentence vectors.",
        (
            "It learns from no ratings, and knows nothing of sense: a response that has nothing to do with "
            "the object scores highest.",
        ),
    )


def divergent_association(words: int) -> MethodCard:
    """Of the task of ten words."""
    return MethodCard(
        "Asked for ten nouns as different from each other as possible: how far apart the first "
        f"{words} that count are.",
        f"score = 100 · mean over i < j of (1 − cos(wᵢ, wⱼ)). wᵢ: the encoder's vector of the i-th of the "
        f"first {words} different single words.",
        "The task and its score are those of Olson, Nahas, Chmoulevitch, Cropper and Webb (2021), PNAS "
        "118:e2022340118.",
        (
            "Vectors are those of a sentence encoder and not of GloVe, words are not looked up in a "
            "dictionary, and the question is worded anew: not to be compared with published norms.",
            "Nobody rated such lists here: how far the score agrees with people is not known.",
        ),
    )


def trained_judge(penalties: Sequence[float]) -> MethodCard:
    """Of the regression on human ratings."""
    return MethodCard(
        "A regression that has learnt from human raters how original a response is.",
        "score = clip(w · z + b, 1, 5). z: the encoder's vectors of the response and of the object, their "
        "cosine, and log(1 + number of words). w, b: ridge regression of the mean human rating, on the "
        f"ratings' training split; its penalty, of {min(penalties):g} to {max(penalties):g}, chosen on the "
        "validation split.",
        "Of brainbench; see docs/originality.md. Ratings: Organisciak, Acar, Dumas and Berthiaume (2023), "
        "Thinking Skills and Creativity 49:101356, of nine studies.",
        ("About objects that it has not learnt from it agrees less with people.",),
    )


def llm_judge() -> MethodCard:
    """Of the language model's opinion."""
    return MethodCard(
        "A language model's rating of each response by itself, from 1 (its ordinary use) to 5 (highly "
        "original).",
        "score = n. n: the whole number from 1 to 5 with which the judge's likeliest answer starts; an "
        "answer that starts with none is left out, and counted.",
        "The way of judging is that of arXiv:2604.03480, whose rubric asks for originality, uniqueness and "
        "distance from typical uses; the words are ours.",
        ("It is worth what the judge is worth: see the scorer's validity, which hangs on the model.",),
    )
