"""The embedded model's tokenizer: words it has read are one token each, anything else is bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from brainbench.problem_words import KINDS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, START, USER, ASSISTANT, END = "<|pad|>", "<|start|>", "<|user|>", "<|assistant|>", "<|end|>"
SPECIAL = (PAD, START, USER, ASSISTANT, END)
CHAT_TEMPLATE = (
    "{{ '" + START + "' }}"
    "{% for message in messages %}"
    "{{ '" + ASSISTANT + "' if message['role'] == 'assistant' else '" + USER + "' }}"
    "{{ message['content'] | trim }}"
    "{{ '" + END + "' if message['role'] == 'assistant' else '' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '" + ASSISTANT + "' }}{% endif %}"
)


def train_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Every word of the texts is one token; any other text is read in known pieces, down to single bytes.

    A word has the same token wherever it stands: each is marked by a space before it, also after a line
    break, or a name could not be recognised. Pieces are taken longest first, so that "trops" is "trop" and
    "s", the same word in the plural. Punctuation and line breaks stand alone.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    split = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\n|[^\w\s]"), "isolated"), pre_tokenizers.ByteLevel()]
    )
    words = {word for text in texts for word, _ in split.pre_tokenize_str(_PLURALS.sub(r"\1", text))}
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = dict.fromkeys((*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *sorted(words)))
    vocabulary = {piece: at for at, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=PAD, max_input_chars_per_word=1_000_000))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("##", ""),
            decoders.Fuse(),
            decoders.Replace(Regex("Ġ(?=[.,:;!?'])"), ""),
            decoders.Replace(Regex("Ġ?ĊĠ?"), "Ċ"),
            decoders.Replace(Regex("^Ġ"), ""),
            decoders.ByteLevel(),
        ]
    )
    tokenizer.add_special_tokens(list(SPECIAL))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=START, eos_token=END, pad_token=PAD, padding_side="left"
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


_PLURALS = re.compile(rf"\b({'|'.join(KINDS)})s\b")
