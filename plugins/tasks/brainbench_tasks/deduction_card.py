"""What a reader must know of the deduction dataset before using or citing it."""

from __future__ import annotations

from brainbench.nouns import DatasetCard, RegionPlace
from brainbench_tasks.deduction_files import repository

# The masks of the other two regions are published as images, without coordinates that could be checked.
PLACES = {
    "md": RegionPlace(
        "fronto-parietal and cingulo-opercular nodes after Dosenbach et al. 2010, which the multiple-demand "
        "system is commonly likened to; not the voxels that were scored, which differ by person",
        networks=("fronto-parietal", "cingulo-opercular"),
    )
}


def card() -> DatasetCard:
    """Description, licences, citations, sources with their commits, and what to beware of."""
    events, betas = repository("events"), repository("betas")
    return DatasetCard(
        description=(
            "fMRI responses of ten adults to 70 deduction problems read in the scanner (36 syllogisms, "
            "34 transitive inferences): three premises, then a conclusion to be judged. Responses are "
            "single-trial GLMsingle betas (% signal change) at the conclusion, in the tenth of each "
            "region's voxels that responds most to the task; one voxel set per participant."
        ),
        licence="Betas: MIT (repository of the paper's authors). Problems and behaviour: CC0 (OpenNeuro).",
        citation=(
            "Xiao M., Du K., Lin Z.: Beyond representational alignment with brain-guided language models "
            "for robust reasoning. Nature Machine Intelligence 8, 1275-1289 (2026), "
            "doi:10.1038/s42256-026-01278-w, arXiv:2606.11893. "
            "Data: Lytle M. N., Prado J., Booth J. R.: Brain correlates of deductive reasoning in adults. "
            "OpenNeuro ds003076 (2020), doi:10.18112/openneuro.ds003076.v1.0.1; first used in "
            "Prado J., Mutreja R., Booth J. R.: Fractionating the neural substrates of transitive "
            "reasoning. Cerebral Cortex 23, 499-507 (2013; online 2012)."
        ),
        sources=(
            f"https://github.com/{events.name}/tree/{events.commit}",
            f"https://github.com/{betas.name}/tree/{betas.commit}",
        ),
        caveats=_CAVEATS,
    )


_CAVEATS = (
    "Syllogisms and transitive inferences were scanned in different runs and their betas fitted apart, "
    "with different assumed durations: scores over all items can come from telling the two types apart, "
    "so scores within a type are the ones to trust.",
    "The voxels of each participant were chosen by contrasts of this task on these trials, so they are "
    "selected to respond, and differ from person to person.",
    "The conditions under which GLMsingle pooled trials held the right answer and whether the participant "
    "gave it: betas may carry both through its regularisation.",
    "'False' means that the conclusion does not follow: some such conclusions contradict the premises, "
    "others are merely left open by them.",
    "46 of the 70 answers are True, so answering always True scores 65.7 %.",
    "Two transitive problems with circular premises (transitive-run1-08 and transitive-run1-14) are "
    "left out, as in the paper.",
    "Ten of 17 participants are kept, those whose betas the authors published; the others were left out "
    "for their accuracy, missing runs or failed processing.",
    "All participants saw the problems in the same order: position in the run is the same for all.",
    "A correct answer and a quick one go with the problem's difficulty: response time predicts responses.",
    "The prompts are worded by brainbench: scores of a model need not equal those printed in the paper.",
)
