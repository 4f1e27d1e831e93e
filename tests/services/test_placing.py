"""Wherever documents lie and whatever is shared, granted, blocked and moved: lists and single documents agree."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from r2pflow.domain.errors import Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import NOBODY, THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.documents import DocumentRow, DossierRow, LocalRoleRow, TrackRow
from r2pflow.persistence.people import GroupRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import dossier_rules, dossiers, people, sharing
from r2pflow.services.access import get_subject, list_ids, list_viewers, visible_to
from r2pflow.services.drafting import create_document
from r2pflow.services.foreseeing import foresee_document, foresee_dossier
from r2pflow.settings import Settings

PERMISSIONS = ("view", "edit", "comment", "translate", "share")
ROLES = ("author", "editor", "translator", "member", "secretariat", "rapporteur")
TEXT = canonical("<h1>Act early</h1><p>Warnings come first.</p>")


@pytest.fixture(scope="module")
def chained() -> Catalogue:
    return load_catalogue(load_plugins(), [Path(__file__).parent / "chained"])


@pytest.fixture
def work(engine, chained: Catalogue, clock, tmp_path: Path):
    with Session(engine) as session:
        yield UnitOfWork(session, chained, Settings(instance=tmp_path), EmbeddedQueue(), clock)


@pytest.fixture
def actors(work: UnitOfWork, coalition: dict[str, Actor]) -> list[Actor]:
    for name, organisations in (("bureau", ["beta"]), ("desk", ["gamma", "delta"])):
        people.save_group(work, THE_SYSTEM, name, {"en": name}, organisations)
    people.save_person(work, THE_SYSTEM, {"name": "Loner", "email": "loner@example.org", "roles": []})
    work.commit()
    return [*people.load_actors(work), NOBODY]


class World:
    """Random deeds, each by somebody at random or by the system; what is refused leaves nothing."""

    def __init__(self, work: UnitOfWork, actors: list[Actor], seed: int) -> None:
        self.work, self.actors, self.dice = work, actors, Random(seed)
        self.slugs: list[str] = []
        self.references: list[str] = []
        self.done: dict[str, int] = {}
        self.groups = list(work.session.scalars(select(GroupRow.id)))

    def step(self) -> None:
        deeds = {
            self.add_dossier: 2,
            self.add_document: 3,
            self.share: 6,
            self.unshare: 2,
            self.block: 3,
            self.grant: 4,
            self.move_dossier: 3,
            self.move_document: 3,
            self.put_into_state: 5,
        }
        deed = self.dice.choices(list(deeds), list(deeds.values()))[0]
        try:
            with self.work.undone_on_error():
                deed()
        except (Forbidden, NotFound, InvalidInput):
            return
        self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1

    def somebody(self) -> Actor:
        return self.dice.choice([THE_SYSTEM, THE_SYSTEM, *self.actors])

    def some_slug(self) -> str | None:
        return self.dice.choice([None, *self.slugs])

    def add_dossier(self) -> None:
        if len(self.slugs) < 9:
            slug = f"d{len(self.slugs)}"
            dossiers.save_dossier(self.work, THE_SYSTEM, slug, {"en": slug}, "campaign", self.some_slug())
            self.slugs.append(slug)

    def add_document(self) -> None:
        if len(self.references) < 14:
            kind, office = (
                self.dice.choice(["paper", "leaflet"]),
                next(a for a in self.actors if "secretariat" in a.roles),
            )
            self.references.append(create_document(self.work, office, kind, TEXT, dossier=self.some_slug()))

    def share(self) -> None:
        whom = self.dice.choice([actor for actor in self.actors if actor.person_id])
        holder = self.dice.choice(
            [
                {"person_id": whom.person_id},
                {"organisation_id": whom.organisation_id},
                {"group_id": self.dice.choice(self.groups)},
            ]
        )
        role = self.dice.choice(ROLES)
        if self.dice.random() < 0.4 and self.references:
            sharing.share(self.work, self.somebody(), self.dice.choice(self.references), role, **holder)
        elif self.slugs:
            sharing.share_dossier(self.work, self.somebody(), self.dice.choice(self.slugs), role, **holder)

    def unshare(self) -> None:
        row = self.dice.choice(list(self.work.session.scalars(select(LocalRoleRow))) or [None])
        if row is not None and row.document_id:
            sharing.unshare(self.work, self.somebody(), row.document_id, row.id)
        elif row is not None:
            slug = self.work.session.get(DossierRow, row.dossier_id).slug
            sharing.unshare_dossier(self.work, self.somebody(), slug, row.id)

    def block(self) -> None:
        blocks = self.dice.random() < 0.6
        if self.dice.random() < 0.5 and self.references:
            sharing.block(self.work, self.somebody(), self.dice.choice(self.references), blocks=blocks)
        elif self.slugs:
            sharing.block_dossier(self.work, self.somebody(), self.dice.choice(self.slugs), blocks=blocks)

    def grant(self) -> None:
        if self.slugs:
            grants = {
                permission: {
                    "roles": self.dice.sample(ROLES, self.dice.randint(0, 3)),
                    "adds": self.dice.random() < 0.5,
                }
                for permission in self.dice.sample(PERMISSIONS, self.dice.randint(0, 3))
            }
            dossier_rules.save_grants(self.work, self.somebody(), self.dice.choice(self.slugs), grants)

    def move_dossier(self) -> None:
        if self.slugs:
            dossiers.move_dossier(self.work, self.somebody(), self.dice.choice(self.slugs), self.some_slug())

    def move_document(self) -> None:
        if self.references:
            reference = self.dice.choice(self.references)
            dossiers.move_document(self.work, self.somebody(), reference, self.some_slug())

    def put_into_state(self) -> None:
        if self.references:
            reference = self.dice.choice(self.references)
            here = DocumentRow.reference == reference
            state = self.dice.choice(["draft", "read", "closed"])
            self.work.session.execute(update(DocumentRow).where(here).values(state=state))
            document_id = select(DocumentRow.id).where(here).scalar_subquery()
            along = self.dice.choice(["idle", "busy"])
            self.work.session.execute(update(TrackRow).where(TrackRow.document_id == document_id).values(state=along))
            self.work.session.expire_all()

    def check(self) -> None:
        session = self.work.session
        rows = {row.id: row for row in session.scalars(select(DossierRow))}
        for row in rows.values():
            above = rows.get(row.parent_id)
            assert row.path == f"{above.path if above else '/'}{row.id}/"
            begins = "/" if row.blocks_sharing or above is None else above.shared_path
            assert row.shared_path == f"{begins}{row.id}/"
        for document in session.scalars(select(DocumentRow)):
            assert document.dossier_path == (rows[document.dossier_id].path if document.dossier_id else "")
        viewers = {}
        for reference in self.references:
            number = get_subject(self.work, THE_SYSTEM, reference).id
            for one in list_viewers(self.work, self.actors, number):
                viewers.setdefault(one.actor.person_id, set()).add(reference)
        for actor in self.actors:
            for permission in PERMISSIONS:
                listed = set(session.scalars(select(DocumentRow.reference).where(visible_to(actor, permission))))
                held = {one for one in self.references if self._may(actor, one, permission)}
                assert listed == held, (actor.name, permission)
                if permission == "view":
                    assert viewers.get(actor.person_id, set()) == held, actor.name

    def _may(self, actor: Actor, reference: str, permission: str) -> bool:
        try:
            return get_subject(self.work, actor, reference).may(permission)
        except NotFound:
            return permission != "view" and self._may_unseen(actor, reference, permission)

    def _may_unseen(self, actor: Actor, reference: str, permission: str) -> bool:
        """Tell whether the actor holds another permission on what they may not view: the filter asks it alone."""
        subject = get_subject(self.work, THE_SYSTEM, reference)
        held = sharing.find_shared_roles(self.work, actor, list_ids(subject.shared_path), subject.id)
        return replace(subject, actor=actor.with_roles(held)).may(permission)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_list_shows_is_what_each_document_allows_whatever_happened(work, actors, seed):
    world = World(work, actors, seed)
    for count in range(90):
        world.step()
        if count % 15 == 14:
            world.check()
    assert len(world.done) >= 7, world.done


@pytest.mark.parametrize("seed", range(3))
def test_what_is_foreseen_is_what_then_follows(work, actors, seed):
    world = World(work, actors, 100 + seed)
    for _ in range(70):
        world.step()
    persons = [actor for actor in actors if actor.person_id]

    def list_readers(references: list[str]) -> dict[str, set[str]]:
        found = {reference: set() for reference in references}
        for reference in references:
            number = get_subject(work, THE_SYSTEM, reference).id
            found[reference] = {one.actor.name for one in list_viewers(work, persons, number)}
        return found

    office = next(one for one in persons if "secretariat" in one.roles)
    work.session.execute(update(DocumentRow).values(state="draft"))
    seen = 0
    for count in range(30):
        slug, reference = world.dice.choice(world.slugs), world.dice.choice(world.references)
        somebody, place, blocks = world.dice.choice([THE_SYSTEM, office]), world.some_slug(), count % 2 == 0
        roles = world.dice.sample(ROLES, world.dice.randint(0, 3))
        grants = {"view": {"roles": roles, "adds": world.dice.random() < 0.5}}
        deeds = (
            (reference, partial(dossiers.move_document, work, somebody, reference, place)),
            (reference, partial(sharing.block, work, somebody, reference, blocks=blocks)),
            (slug, partial(dossiers.move_dossier, work, somebody, slug, place)),
            (slug, partial(sharing.block_dossier, work, somebody, slug, blocks=blocks)),
            (slug, partial(dossier_rules.save_grants, work, somebody, slug, grants)),
        )
        place_of, deed = deeds[count % len(deeds)]
        before = list_readers(world.references)
        foresee = foresee_document if place_of == reference else foresee_dossier
        try:
            foreseen = foresee(work, place_of, deed)
        except (Forbidden, NotFound, InvalidInput) as error:
            with pytest.raises(type(error)), work.undone_on_error():
                deed()
            assert list_readers(world.references) == before
            continue
        assert list_readers(world.references) == before
        deed()
        after = list_readers(world.references)
        losing = {name for one in world.references for name in before[one] - after[one]}
        winning = {name for one in world.references for name in after[one] - before[one]}
        assert (set(foreseen.losing), set(foreseen.winning)) == (losing, winning), deed
        seen += bool(losing or winning)
    assert seen, "nothing followed from anything"
