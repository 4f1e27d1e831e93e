"""Read what collective.exportimport wrote of a Plone site: contents, translations, local roles, comments, members.

The content export is a list of objects. Its neighbours, `export_translations.json`, `export_localroles.json`,
`export_discussion.json` and `export_members.json`, say the rest by UID; the same may stand in the objects themselves
(`localroles`, `block`, `conversation`). An object that makes no sense is a Fault, and keeps nothing else back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from r2pflow.domain import markup
from r2pflow.domain.errors import InvalidInput
from r2pflow.domain.plone_text import find_html

SITE_ROOT = "<Portal>"
"""How the export names the site itself among local roles."""
TRANSPARENT = frozenset({"Plone Site", "LRF", "LIF", "Language Root Folder", "Language Independent Folder"})
"""Containers that only sort by language: what is in them stands where they stand."""
NEIGHBOURS = {
    "translations": "export_translations.json",
    "localroles": "export_localroles.json",
    "discussions": "export_discussion.json",
    "members": "export_members.json",
}


@dataclass(frozen=True)
class Step:
    """One entry of a workflow history; `transition` is empty where the history begins. `at` is aware."""

    workflow: str
    transition: str
    actor: str
    comment: str
    state: str
    at: datetime


@dataclass(frozen=True)
class Remark:
    """One comment of a discussion, as plain text."""

    id: str
    author: str
    author_name: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Entry:
    """One object of the site. `html` is its text without title and description; `parent` is a UID, empty at the top."""

    uid: str
    path: str
    type: str
    short_name: str
    title: str
    description: str
    language: str
    html: str
    state: str
    creator: str
    created_at: datetime
    modified_at: datetime
    parent: str
    is_dossier: bool
    is_document: bool
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Sharing:
    """The local roles of one object, by user or group id; `blocks` keeps those from above out."""

    uid: str
    roles: Mapping[str, tuple[str, ...]]
    blocks: bool = False


@dataclass(frozen=True)
class Member:
    """A user of the site."""

    id: str
    name: str
    email: str


@dataclass(frozen=True)
class Fault:
    """An object, or a part of one, that cannot be taken over, and why: a code and its parameters."""

    path: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """All that was read; `source` tells one site from another, e.g. `intranet.example.org/Plone`."""

    source: str
    entries: tuple[Entry, ...]
    translations: tuple[Mapping[str, str], ...] = ()  # language -> UID
    sharing: tuple[Sharing, ...] = ()
    remarks: Mapping[str, tuple[Remark, ...]] = field(default_factory=dict)  # UID -> its discussion
    members: Mapping[str, Member] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # group id -> ids of users
    left_out: Mapping[str, int] = field(default_factory=dict)  # type of object -> how many have no text
    faults: tuple[Fault, ...] = ()


def read_site(content: Any, neighbours: Mapping[str, Any] | None = None) -> Site:
    """Return the site of a content export, parsed from JSON, and its neighbours by the keys of NEIGHBOURS.

    A mapping with `content` beside those keys is taken for all of them together. Raises InvalidInput for something
    else than an export.
    """
    told = dict(neighbours or {})
    if isinstance(content, Mapping) and "content" in content:
        told = {**{key: content[key] for key in NEIGHBOURS if key in content}, **told}
        content = content["content"]
    if not isinstance(content, list):
        raise InvalidInput("not_an_export", found=type(content).__name__)
    for key, found in told.items():
        if not isinstance(found, dict if key == "members" else list):
            raise InvalidInput("not_an_export", found=f"{key}: {type(found).__name__}")
    reader = _Reader()
    objects = [one for one in content if reader.is_object(one)]
    root = _find_root(objects)
    parents = {reader.find_parent(one) for one in objects}
    entries = [entry for one in objects if (entry := reader.read_entry(one, parents)) is not None]
    by_uid = {entry.uid for entry in entries}
    transparent = {str(one.get("UID") or one.get("@id")) for one in objects if one.get("@type") in TRANSPARENT}
    members = told.get("members") or {}
    return Site(
        source=root,
        entries=tuple(_hang(entries, by_uid, transparent, objects)),
        translations=tuple(reader.read_groups(told.get("translations") or [], objects)),
        sharing=tuple(reader.read_sharing([*(told.get("localroles") or []), *_own_sharing(objects)])),
        remarks=reader.read_discussions([*(told.get("discussions") or []), *_own_discussions(objects)]),
        members=_read_members(members.get("members") or []),
        groups=_read_group_members(members),
        left_out=reader.left_out,
        faults=tuple(reader.faults),
    )


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.left_out: dict[str, int] = {}
        self._seen: set[str] = set()

    def is_object(self, one: Any) -> bool:
        path = str(one.get("@id", "?")) if isinstance(one, Mapping) else "?"
        if not isinstance(one, Mapping) or not isinstance(one.get("@type"), str) or not one.get("@id"):
            self.faults.append(Fault(path, "not_an_object"))
            return False
        uid = str(one.get("UID") or one["@id"])
        if uid in self._seen:
            self.faults.append(Fault(path, "object_twice", {"uid": uid}))
            return False
        self._seen.add(uid)
        return True

    def find_parent(self, one: Mapping[str, Any]) -> str:
        parent = one.get("parent")
        return str(parent.get("UID") or parent.get("@id") or "") if isinstance(parent, Mapping) else ""

    def read_entry(self, one: Mapping[str, Any], parents: set[str]) -> Entry | None:
        uid, path, kind = str(one.get("UID") or one["@id"]), str(one["@id"]), one["@type"]
        if kind in TRANSPARENT:
            return None
        html = find_html(one)
        has_children = uid in parents or path in parents
        is_dossier = bool(one.get("is_folderish")) and (has_children or not html)
        if not is_dossier and not html and not str(one.get("description") or "").strip():
            self.left_out[kind] = self.left_out.get(kind, 0) + 1
            return None
        try:
            created = read_instant(one.get("created") or one.get("modified"))
            steps = tuple(_read_steps(one.get("workflow_history")))
            modified = read_instant(one.get("modified") or one.get("created"))
        except ValueError as error:
            self.faults.append(Fault(path, "bad_instant", {"found": str(error)[:80]}))
            return None
        title = str(one.get("title") or one.get("id") or "").strip()
        creators = one.get("creators")
        return Entry(
            uid=uid,
            path=path,
            type=kind,
            short_name=str(one.get("id") or unquote(path.rstrip("/").rsplit("/", 1)[-1])),
            title=title or uid,
            description=str(one.get("description") or "").strip(),
            language=_read_token(one.get("language")),
            html=html,
            state=_read_token(one.get("review_state")),
            creator=str(creators[0]) if isinstance(creators, list) and creators else "",
            created_at=created,
            modified_at=modified,
            parent=self.find_parent(one),
            is_dossier=is_dossier,
            is_document=bool(html) or not is_dossier,
            steps=steps,
        )

    def read_groups(self, groups: Sequence[Any], objects: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, str]]:
        for group in groups:
            if isinstance(group, Mapping) and all(isinstance(uid, str) for uid in group.values()):
                yield dict(group)
            else:
                self.faults.append(Fault(NEIGHBOURS["translations"], "not_an_object"))
        by_path = {str(one["@id"]).rstrip("/"): str(one.get("UID") or one["@id"]) for one in objects}
        for one in objects:
            told = (
                (one.get("@components") or {}).get("translations") if isinstance(one.get("@components"), dict) else {}
            )
            listed = told.get("items") if isinstance(told, Mapping) else None
            found = {
                str(other.get("language")): by_path[str(other.get("@id")).rstrip("/")]
                for other in listed or []
                if isinstance(other, Mapping) and str(other.get("@id")).rstrip("/") in by_path
            }
            if found:
                yield {_read_token(one.get("language")): str(one.get("UID") or one["@id"]), **found}

    def read_sharing(self, rows: Iterable[Any]) -> Iterable[Sharing]:
        for row in rows:
            roles = row.get("localroles", {}) if isinstance(row, Mapping) else None
            if not isinstance(roles, Mapping) or not isinstance(row.get("uuid"), str):
                self.faults.append(Fault(NEIGHBOURS["localroles"], "not_an_object"))
                continue
            held = {str(who): tuple(map(str, names)) for who, names in roles.items() if isinstance(names, list | tuple)}
            yield Sharing(row["uuid"], held, bool(row.get("block")))

    def read_discussions(self, rows: Iterable[Any]) -> Mapping[str, tuple[Remark, ...]]:
        found: dict[str, tuple[Remark, ...]] = {}
        for row in rows:
            talk = row.get("conversation") if isinstance(row, Mapping) else None
            if not isinstance(talk, Mapping) or not isinstance(talk.get("items"), list):
                self.faults.append(Fault(NEIGHBOURS["discussions"], "not_an_object"))
                continue
            remarks = []
            for one in talk["items"]:
                try:
                    remarks.append(_read_remark(one))
                except (ValueError, AttributeError, TypeError, InvalidInput) as error:
                    self.faults.append(Fault(str(row.get("uuid")), "bad_comment", {"found": str(error)[:80]}))
            found[str(row.get("uuid"))] = tuple(sorted(remarks, key=lambda one: (one.at, one.id)))
        return found


def _hang(
    entries: Sequence[Entry], known: set[str], transparent: set[str], objects: Sequence[Mapping[str, Any]]
) -> Iterable[Entry]:
    """Yield the entries, each under its nearest parent in the export, containers before what they hold."""
    above = {str(one.get("UID") or one["@id"]): one.get("parent") for one in objects}
    by_path = {entry.path.rstrip("/"): entry.uid for entry in entries}

    def find(parent: str) -> str:
        seen: set[str] = set()
        while parent and parent not in seen:
            seen.add(parent)
            parent = by_path.get(parent.rstrip("/"), parent)
            if parent in known:
                return parent
            up = above.get(parent)
            told = up if parent in transparent and isinstance(up, Mapping) else {}
            parent = str(told.get("UID") or told.get("@id") or "")
        return ""

    hung = {entry.uid: Entry(**{**vars(entry), "parent": find(entry.parent)}) for entry in entries}

    def depth(entry: Entry) -> int:
        steps, up = 0, entry.parent
        while up and steps <= len(hung):
            steps, up = steps + 1, hung[up].parent
        return steps

    return sorted(hung.values(), key=lambda entry: (depth(entry), not entry.is_dossier))


def _find_root(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return host and first part of the path that all objects share: one Zope may hold several sites."""
    places = {tuple(urlsplit(str(one["@id"])).path.split("/")[1:2]) for one in objects}
    hosts = sorted({urlsplit(str(one["@id"])).netloc for one in objects})
    shared = next(iter(places)) if len(places) == 1 and len(objects) > 1 else ()
    return "/".join([hosts[0] if hosts else "", *shared])[:200]


def _own_sharing(objects: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for one in objects:
        if one.get("localroles") or one.get("block"):
            uid = str(one.get("UID") or one["@id"])
            yield {"uuid": uid, "localroles": one.get("localroles") or {}, "block": one.get("block")}


def _own_discussions(objects: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for one in objects:
        talk = one.get("conversation") or one.get("exportimport.conversation")
        if talk:
            yield {"uuid": str(one.get("UID") or one["@id"]), "conversation": talk}


def _read_steps(found: Any) -> Iterable[Step]:
    steps = [
        Step(
            workflow=str(workflow),
            transition=str(one.get("action") or ""),
            actor=str(one.get("actor") or ""),
            comment=str(one.get("comments") or ""),
            state=str(one.get("review_state") or one.get("state") or ""),
            at=read_instant(one.get("time")),
        )
        for workflow, entries in (found.items() if isinstance(found, Mapping) else ())
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, Mapping)
    ]
    return sorted(steps, key=lambda step: step.at)


def _read_remark(one: Mapping[str, Any]) -> Remark:
    text = one.get("text")
    body = str((text.get("data") if isinstance(text, Mapping) else text) or "")
    if isinstance(text, Mapping) and text.get("mime-type") == "text/html":
        body = markup.plain(markup.sanitise(body))
    return Remark(
        id=str(one.get("comment_id") or one.get("@id") or ""),
        author=str(one.get("author_username") or ""),
        author_name=str(one.get("author_name") or one.get("author_username") or ""),
        body=body.strip(),
        at=read_instant(one.get("creation_date")),
    )


def _read_members(rows: Any) -> Mapping[str, Member]:
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("username"):
            name = str(row["username"])
            found[name] = Member(name, str(row.get("fullname") or name), str(row.get("email") or "").strip().lower())
    return found


def _read_group_members(members: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    rows = members.get("groups")
    return {
        str(row["groupid"]): tuple(map(str, row.get("principals") or ()))
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping) and row.get("groupid")
    }


def _read_token(found: Any) -> str:
    """Return a vocabulary term as the REST API writes it, or a plain text."""
    return str((found.get("token") if isinstance(found, Mapping) else found) or "")


def read_instant(found: Any) -> datetime:
    """Return an aware instant of an ISO 8601 text; one without zone is UTC. Raises ValueError."""
    if not isinstance(found, str) or not found:
        raise ValueError(f"no instant: {found!r}")
    at = datetime.fromisoformat(found.replace("Z", "+00:00") if found.endswith("Z") else found)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
