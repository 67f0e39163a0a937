"""Which bundles are there, and which words does a user mean.

Bundles lie in folders: those in ``WAKEWORD_MODELS``, the package's own, the checkout's. A
folder may hold ``index.json``, ``{"default": ["name", ...]}``: which bundles are loaded where
nobody names one. They come first; the others hear only who asks for them or for their words.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wakeword.errors import BundleError, UnknownModelError
from wakeword.files import read_json
from wakeword.runtime.bundle import METADATA_FILE, Bundle
from wakeword.runtime.checks import require_list, require_table

ENVIRONMENT = "WAKEWORD_MODELS"
INDEX_FILE = "index.json"


@dataclass(frozen=True)
class Selection:
    """A bundle and those of its words that are wanted, in the order of its labels."""

    bundle: Bundle
    words: tuple[str, ...]


def model_folders() -> list[Path]:
    """Folders that are searched for bundles, in order.

    Raises
    ------
    BundleError
        ``WAKEWORD_MODELS`` names something that is no folder.
    """
    folders = []
    for part in filter(None, os.environ.get(ENVIRONMENT, "").split(os.pathsep)):
        if not Path(part).is_dir():
            raise BundleError(f"{ENVIRONMENT} names '{part}', which is not a folder")
        folders.append(Path(part))
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_models", package.parent / "models"):
        # A folder called models beside an installed package may be anybody's.
        if folder.is_dir() and (folder.parent == package or _is_checkout(package.parent)):
            folders.append(folder)
            break
    return folders


def bundle_folders() -> list[Path]:
    """Folders of all installed bundles, those that win first; they may be damaged."""
    return [bundle for folder in model_folders() for bundle in _bundles_in(folder)]


def default_folders() -> list[Path]:
    """Those of :func:`bundle_folders` whose bundles are loaded where nobody names one."""
    return [
        bundle
        for folder in model_folders()
        for bundle in _bundles_in(folder)
        if bundle.name in (_defaults(folder) or [bundle.name])
    ]


def installed_bundles() -> list[Bundle]:
    """Load all installed bundles; of two with one name the first found counts.

    Raises
    ------
    BundleError
        One of them is damaged; the message names its folder.
    """
    return _load(bundle_folders())


def find_bundle(name: str) -> Bundle:
    """The installed bundle called ``name``, or the one in folder ``name``.

    Raises
    ------
    UnknownModelError
        There is none; the message says which there are.
    BundleError
        It is damaged.
    """
    if _is_path(name):
        return Bundle.load(name)
    bundles = installed_bundles()
    for bundle in bundles:
        if bundle.name == name:
            return bundle
    if (Path(name) / METADATA_FILE).is_file():
        return Bundle.load(name)
    raise _unknown(name, _whole(bundles))


def select(specs: Sequence[str] = ()) -> list[Selection]:
    """What to load for the words that a user asked for.

    Parameters
    ----------
    specs
        Each the name of a bundle, the path of a bundle's folder, a word (the first bundle
        that hears it), or ``bundle:word``. None at all means all words of the default bundles,
        each once.

    Raises
    ------
    UnknownModelError
        No bundle or word has this name; the message says which there are.
    BundleError
        A bundle is damaged, or none is installed.
    """
    if not specs:
        return _all_words(_load(default_folders()))
    return merge([selection for spec in specs for selection in _resolve(spec)])


def choose(offered: Sequence[Selection], specs: Sequence[str] = ()) -> list[Selection]:
    """As :func:`select`, among ``offered`` only; no spec is ever taken for a path.

    Raises
    ------
    UnknownModelError
        What was asked for is not among them; the message says what is.
    """
    if not specs:
        return _each_word_once(offered)
    return merge([_choose(offered, spec) for spec in specs])


def merge(selections: Iterable[Selection]) -> list[Selection]:
    """Each bundle once, with all of its words that are wanted anywhere."""
    chosen: dict[Path, tuple[Bundle, set[str]]] = {}
    for selection in selections:
        key = selection.bundle.path.resolve()
        chosen.setdefault(key, (selection.bundle, set()))[1].update(selection.words)
    return [
        Selection(bundle, tuple(word for word in bundle.words if word in words))
        for bundle, words in chosen.values()
    ]


def _load(folders: Iterable[Path]) -> list[Bundle]:
    """Bundles by their own names, of two with one name the first."""
    found: dict[str, Bundle] = {}
    for folder in folders:
        bundle = Bundle.load(folder)
        found.setdefault(bundle.name, bundle)
    return list(found.values())


def _resolve(spec: str) -> list[Selection]:
    if _is_path(spec) and (Path(spec).exists() or ":" not in Path(spec).name):
        bundle = Bundle.load(spec)
        return [Selection(bundle, bundle.words)]
    name, colon, word = spec.rpartition(":")
    if colon and name:
        bundle = find_bundle(name)
        return [Selection(bundle, (_word_of(Selection(bundle, bundle.words), word),))]
    if not _is_path(spec):
        found = _named(_whole(installed_bundles()), spec)
        if found is not None:
            return [found]
    bundle = find_bundle(spec)
    return [Selection(bundle, bundle.words)]


def _choose(offered: Sequence[Selection], spec: str) -> Selection:
    found = _named(offered, spec)
    if found is not None:
        return found
    name, _, word = spec.rpartition(":")
    for selection in offered:
        if selection.bundle.name == name:
            return Selection(selection.bundle, (_word_of(selection, word),))
    raise _unknown(spec, offered)


def _named(offered: Sequence[Selection], spec: str) -> Selection | None:
    """The model called ``spec``, or the first that hears the word ``spec``."""
    for selection in offered:
        if selection.bundle.name == spec:
            return selection
    for selection in offered:
        if _plain(spec) in selection.words:
            return Selection(selection.bundle, (_plain(spec),))
    return None


def _whole(bundles: Iterable[Bundle]) -> list[Selection]:
    return [Selection(bundle, bundle.words) for bundle in bundles]


def _all_words(bundles: Iterable[Bundle]) -> list[Selection]:
    selections = _each_word_once(_whole(bundles))
    if not selections:
        raise BundleError(
            f"no models are installed; name a bundle's folder, or set {ENVIRONMENT} to a folder "
            "of bundles"
        )
    return selections


def _each_word_once(offered: Iterable[Selection]) -> list[Selection]:
    taken: set[str] = set()
    selections = []
    for selection in offered:
        words = tuple(word for word in selection.words if word not in taken)
        if words:
            selections.append(Selection(selection.bundle, words))
        taken.update(words)
    return selections


def _word_of(selection: Selection, word: str) -> str:
    if _plain(word) not in selection.words:
        raise UnknownModelError(
            f"model '{selection.bundle.name}' does not hear '{word}'; "
            f"it hears: {', '.join(selection.words)}"
        )
    return _plain(word)


def _plain(word: str) -> str:
    """``Smart_Mirror`` is what a shell makes of 'smart mirror'."""
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())


def _bundles_in(folder: Path) -> list[Path]:
    found = {p.parent.name: p.parent for p in sorted(folder.glob(f"*/{METADATA_FILE}"))}
    found = {name: path for name, path in found.items() if not name.startswith(".")}
    first = _defaults(folder) or []
    for name in first:
        if name not in found:
            raise BundleError(f"{folder / INDEX_FILE} names '{name}', but there is no such bundle")
    return [found[name] for name in [*first, *(n for n in found if n not in first)]]


def _defaults(folder: Path) -> list[str] | None:
    """Names that the folder's index gives; None where it has no index."""
    if not (folder / INDEX_FILE).exists():
        return None
    where = str(folder / INDEX_FILE)
    index = require_table(read_json(folder / INDEX_FILE, error=BundleError), where)
    return [str(name) for name in require_list(index.get("default"), f"{where}: default")]


def _is_path(spec: str) -> bool:
    return spec in (".", "..") or any(mark in spec for mark in ("/", os.sep, os.altsep or "/"))


def _is_checkout(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file()


def _unknown(name: str, offered: Sequence[Selection]) -> UnknownModelError:
    names = ", ".join(selection.bundle.name for selection in offered) or "none"
    words = ", ".join(dict.fromkeys(w for s in offered for w in s.words)) or "none"
    return UnknownModelError(f"unknown model '{name}'; installed models: {names}; words: {words}")
