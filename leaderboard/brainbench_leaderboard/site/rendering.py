"""Templates filled in: everything from outside is escaped, and a page loads this site's files alone."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from brainbench_leaderboard.site import places
from brainbench_leaderboard.site.data_files import rounded
from brainbench_leaderboard.site.method_names import bare

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)


def render(template: str, path: str, **content: Any) -> str:
    """The page that lies at `path` in the site, from templates/site/`template`.

    A template gets `content`, `root` (from the page to the top of the site), `path` and `policy`.
    """
    filled = _environment().get_template(f"site/{template}")
    return filled.render(root=places.up(path), path=path, policy=POLICY, **content)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("brainbench_leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    environment.filters |= {"breakable": breakable, "rounded": rounded}
    environment.globals |= {"places": places, "bare": bare}
    return environment


def breakable(name: str) -> Markup:
    """The name, escaped, with places where a narrow screen may break it."""
    from markupsafe import Markup

    return Markup("<wbr>").join(re.split(r"(?<=[_:/])", name))
