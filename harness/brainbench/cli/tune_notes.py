"""What is known of a kept adapter, in words. Facts come from a file and may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from brainbench.adapter import Adapter
from brainbench.adapter_intervention import SavedAdapter
from brainbench.cli.known import data_of, model_of, version_of


def notes(adapter: Adapter) -> list[tuple[str, str]]:
    """Headings and sentences."""
    facts = adapter.facts
    found = [("kind", _kind(adapter)), ("has seen", _sights(adapter))]
    if adapter.idle:
        kept = _mapping(facts.get("training")).get("best_epoch") == 0
        why = ": no epoch was better than the model as it was" if kept else ""
        found.append(("changes", f"nothing{why}"))
    if "intervention" in facts:
        seed = f", seed {facts['seed']}" if "seed" in facts else ""
        found.append(("trained by", f"{facts['intervention']}{version_of(facts)}{seed}"))
    if data := data_of(facts):
        found.append(("trained on", data))
    if model := model_of(facts):
        found.append(("for model", model))
    found += _course(_mapping(facts.get("training")))
    if pair := _pair(_mapping(facts.get("brain")).get("cosine")):
        held = _pair(_mapping(facts.get("brain")).get("cosine_heldout"))
        found.append(("brain cosine", pair + (f"; of other items: {held}" if held else "")))
    perplexity = _mapping(facts.get("perplexity"))
    if pair := _pair([perplexity.get("before"), perplexity.get("after")]):
        found.append(("perplexity", f"{pair} on neutral text"))
    role = "a control" if SavedAdapter(adapter).role == "control" else "guided by the brain"
    found.append(("counts as", role))
    if unknown := _unknown(adapter):
        found.append(("not known", ", ".join(unknown)))
    return [*found, ("fingerprint", adapter.fingerprint)]


def _kind(adapter: Adapter) -> str:
    numbers = f"{adapter.size:,} numbers"
    if adapter.kind == "lora":
        return f"LoRA, rank {adapter.rank}, alpha {adapter.alpha:g}: {numbers} beside the model's own weights"
    return f"full: {numbers} in the place of the model's own weights"


def _sights(adapter: Adapter) -> str:
    if adapter.looks_at:
        return ", ".join(adapter.looks_at)
    known = "intervention" in adapter.facts
    return "no responses, behaviour or labels" if known else "nothing that is known of"


def _course(training: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How the training went, as far as its facts say."""
    parts = []
    epochs, best, seconds = (training.get(name) for name in ("epochs", "best_epoch", "seconds"))
    if _is_number(epochs):
        parts.append(f"{epochs:g} epochs" + (f", kept from epoch {best:g}" if _is_number(best) else ""))
    if _is_number(seconds):
        parts.append(f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min")
    if pair := _pair(training.get("loss")):
        parts.append(f"loss {pair}")
    found = [("training", "; ".join(parts))] if parts else []
    checked = _mapping(training.get("validation"))
    if pair := _pair([checked.get("before"), checked.get("after")]):
        found.append(("validation", f"{checked.get('task')}, {checked.get('items')} items: accuracy {pair}"))
    return found


def _unknown(adapter: Adapter) -> list[str]:
    """What of it cannot be known: nobody has noted it."""
    facts = adapter.facts
    lacking = [
        ("intervention" in facts, "who trained it"),
        ("dataset" in facts, "on what data"),
        (adapter.fitted_on is not None, "which items it has seen (a test may be among them)"),
        (bool(_mapping(facts.get("model"))), "for which model"),
        (bool(_mapping(facts.get("training"))), "how the training went"),
    ]
    imported = [f"it comes from {facts['imported']}"] if "imported" in facts else []
    unknown = [words for known, words in lacking if not known]
    return imported + unknown if unknown else []


def _pair(values: object) -> str:
    """Two numbers, before and after; nothing where they are none."""
    if not isinstance(values, list | tuple) or len(values) != 2 or not all(map(_is_number, values)):
        return ""
    return f"{values[0]:.3g} before, {values[1]:.3g} after"


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _is_number(found: object) -> TypeGuard[float]:
    """Whether it can be formatted: no whole number beyond what a float holds."""
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e300
