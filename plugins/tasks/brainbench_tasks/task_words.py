"""Words of the generated reasoning tasks: three vocabularies that share no word, one for each split.

None of them is in `brainbench.problem_words`, nor in the problems of the scanner (names, kinds, adjectives
and comparatives alike), so that a model taught or steered on any of those has to deduce here, not to
remember. Raise the tasks' version with every change.
"""

from __future__ import annotations

from typing import Literal

from brainbench.problem_words import Vocabulary

Split = Literal["train", "validation", "test"]


def _vocabulary(names: str, comparatives: str, kinds: str, adjectives: str) -> Vocabulary:
    sorts = [tuple(words.split()) for words in (names, comparatives, kinds, adjectives)]
    return Vocabulary(*sorts)


VOCABULARIES: dict[Split, Vocabulary] = {
    "test": _vocabulary(
        names="Agnes Aldo Bianca Boris Cedric Clara Dennis Diana Edith Elmer Felix Fiona Gordon Greta Hanna "
        "Hector Irene Ivan Judith Julian Karin Klaus Laura Lukas Maria Martin Nadia Norman Olga Oscar Paula "
        "Peter",
        comparatives="busier cleverer fitter funnier happier hungrier lazier leaner luckier politer quicker "
        "ruder sillier stricter wiser wealthier",
        kinds="skerb gluft plarm glarf kooft frulg jift plong reerp zelt thook mept blapt drelk reept stulk "
        "jult drerf klalk lorg rurg prurn slilt kralt yirn brurk yeert glolp tilg trurn veenk doong yoft "
        "gund skeeg brird thond snorg jeelm snalb",
        adjectives="bitter bright clever damp dirty dusty empty fresh gentle hairy heavy humble icy lazy "
        "lively merry narrow odd plain rich round sharp silent sleepy smooth sour square sweet tidy wild",
    ),
    "validation": _vocabulary(
        names="Albert Alma Bernard Bertha Carmen Conrad Dora Dustin Elaine Ernest Flora Frank Gloria Gustav "
        "Helga Henry Ingrid Isaac Joanna Joseph Kevin Kira Leon Lydia Marco Miriam Nigel Noelle Orla Otis "
        "Phoebe Philip",
        comparatives="angrier blonder broader chubbier cruder fairer fussier grumpier jollier lonelier "
        "meaner messier noisier paler plumper rougher",
        kinds="gleel brelt nurb snirb toolp rolb krob strot woog virf sned neenk zoont nund trorg spalp yirb "
        "blurt zolf dreet flern flirb drulm jeern brel yalt krung yong skoob klun relg skard joolp woopt "
        "stilg soorf glurd vird klern krurb",
        adjectives="broad cheap curly dense dry flat fluffy frozen glossy greasy hollow hot juicy light "
        "lonely loose misty modern muddy neat noisy pale polite rare ripe rough rude rusty salty silky",
    ),
    "train": _vocabulary(
        names="Adrian Amelia Barbara Bruno Cecilia Colin Daphne Derek Elise Emil Francis Frieda Gerald Gina "
        "Harold Hilda Igor Iris Jasper Jenna Kurtis Kathy Leopold Linda Monica Morris Nelly Nolan Oliver "
        "Ottilie Patrick Pamela",
        comparatives="cheekier chattier clumsier cooler crueller feebler fiercer gloomier hardier healthier "
        "blunter looser milder gruffer slimmer sturdier",
        kinds="skaf hirf skoog sperg hoomp thenk flof bruk skulp nalk vump glurn slund trelp jeef chorl "
        "klalg klet tirf keld kram trurk flork zool kralg yoolk grirm seeng thamp zild tulg slolb perf strid "
        "gron plend nalf plol trenk cholm",
        adjectives="silver slim smart solid spicy spotted steady steep stiff sticky tame tender thick thin "
        "tiny tough vivid upright wet rigid wooden woolly wrinkled golden crisp firm stale mellow chilly",
    ),
}
