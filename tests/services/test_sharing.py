"""Sharing, blocking and moving: what follows at once, who may, and what the history says."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from r2pflow.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from r2pflow.domain.people import THE_SYSTEM, Actor
from r2pflow.domain.text import canonical
from r2pflow.jobs.embedded import EmbeddedQueue
from r2pflow.persistence.documents import DocumentRow, DossierRow, LocalRoleRow
from r2pflow.persistence.history import HistoryEntryRow
from r2pflow.persistence.people import GroupRow
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import dossier_rules, dossiers, people, sharing
from r2pflow.services.access import get_subject, list_ids
from r2pflow.services.drafting import create_document
from r2pflow.services.queries import list_local_roles
from r2pflow.services.transitions import fire
from r2pflow.settings import Settings

TEXT = canonical("<h1>Act early</h1><p>Warnings come first.</p>")


@pytest.fixture(scope="module")
def chained() -> Catalogue:
    return load_catalogue(load_plugins(), [Path(__file__).parent / "chained"])


@pytest.fixture
def work(engine, chained: Catalogue, clock, tmp_path: Path):
    with Session(engine) as session:
        yield UnitOfWork(session, chained, Settings(instance=tmp_path), EmbeddedQueue(), clock)


@pytest.fixture
def office(coalition: dict[str, Actor]) -> Actor:
    return coalition["secretariat"]


@pytest.fixture
def tree(work: UnitOfWork, office: Actor) -> dict[str, str]:
    """Dossiers `top` / `middle` / `low` and `aside`; a paper in each, called like it."""
    for slug, parent in (("top", None), ("middle", "top"), ("low", "middle"), ("aside", None)):
        dossiers.save_dossier(work, THE_SYSTEM, slug, {"en": slug.title()}, "campaign", parent)
    found = {
        slug: create_document(work, office, "paper", TEXT, dossier=slug) for slug in ("top", "middle", "low", "aside")
    }
    work.commit()
    return found


def may(work: UnitOfWork, actor: Actor, reference: str, permission: str = "view") -> bool:
    try:
        get_subject(work, actor, reference, permission)
    except (NotFound, Forbidden):
        return False
    return True


def tell(work: UnitOfWork, reference: str) -> list[tuple[str, str]]:
    """Return the kinds of the entries of a document's history after its beginning, and what they did."""
    number = get_subject(work, THE_SYSTEM, reference).id
    rows = work.session.scalars(
        select(HistoryEntryRow).where(HistoryEntryRow.document_id == number).order_by(HistoryEntryRow.id)
    )
    return [(row.kind, row.params.get("what", "")) for row in rows if row.kind not in ("created", "text")]


def test_what_is_shared_on_a_dossier_reaches_all_below_and_is_told_in_each_history(work, coalition, office, tree):
    reader = coalition["verifier"]
    sharing.share_dossier(work, office, "middle", "editor", person_id=reader.person_id)
    assert [may(work, reader, tree[one]) for one in ("top", "middle", "low", "aside")] == [False, True, True, False]
    assert tell(work, tree["low"]) == tell(work, tree["middle"]) == [("sharing", "given_above")]
    assert tell(work, tree["top"]) == []
    sharing.share_dossier(work, office, "middle", "editor", person_id=reader.person_id)
    assert tell(work, tree["low"]) == [("sharing", "given_above")]
    row = work.session.scalars(select(LocalRoleRow).where(LocalRoleRow.dossier_id.is_not(None))).one()
    with pytest.raises(NotFound, match="local_role_not_found"):
        sharing.unshare_dossier(work, office, "low", row.id)
    sharing.unshare_dossier(work, office, "middle", row.id)
    assert not may(work, reader, tree["low"])
    assert tell(work, tree["low"])[-1] == ("sharing", "taken_above")


def test_a_group_holds_a_role_on_a_document_and_on_a_dossier(work, coalition, office, tree):
    people.save_group(work, THE_SYSTEM, "bureau", {"en": "Bureau"}, ["beta"])
    group = work.session.scalars(select(GroupRow.id)).one()
    beta = people.load_actor(work, coalition["beta"].person_id)
    sharing.share(work, office, tree["aside"], "editor", group_id=group)
    sharing.share_dossier(work, office, "low", "editor", group_id=group)
    assert may(work, beta, tree["aside"], "edit") and may(work, beta, tree["low"], "edit")
    assert not may(work, coalition["delta"], tree["aside"])
    with pytest.raises(NotFound, match="group_not_found"):
        sharing.share(work, office, tree["aside"], "editor", group_id=999)
    with pytest.raises(InvalidInput, match="required"):
        sharing.share(work, office, tree["aside"], "editor", group_id=group, person_id=beta.person_id)


def test_a_blocked_document_is_open_only_to_whom_it_is_shared_with(work, coalition, office, tree):
    reader, delta = coalition["verifier"], coalition["delta"]
    sharing.share_dossier(work, office, "top", "editor", person_id=reader.person_id)
    sharing.share(work, office, tree["low"], "editor", person_id=delta.person_id)
    sharing.block(work, office, tree["low"])
    assert not may(work, reader, tree["low"]) and may(work, delta, tree["low"]) and may(work, reader, tree["middle"])
    assert tell(work, tree["low"])[-1] == ("sharing", "blocked")
    before = len(tell(work, tree["low"]))
    sharing.block(work, office, tree["low"])
    assert len(tell(work, tree["low"])) == before
    sharing.block(work, office, tree["low"], blocks=False)
    assert may(work, reader, tree["low"]) and tell(work, tree["low"])[-1] == ("sharing", "unblocked")


def test_who_blocks_keeps_what_they_held_from_above(work, coalition, office, tree):
    """Beta holds `share` on the document through the dossier alone, and can undo what they did."""
    beta, delta = coalition["beta"], coalition["delta"]
    sharing.share_dossier(work, office, "top", "author", organisation_id=beta.organisation_id)
    sharing.share_dossier(work, office, "top", "editor", person_id=delta.person_id)
    sharing.block(work, beta, tree["low"])
    assert may(work, beta, tree["low"], "share") and not may(work, delta, tree["low"])
    held = [(one.row.role, one.row.person_id, one.place) for one in list_local_roles(work, _see(work, tree["low"]))]
    assert ("author", beta.person_id, {}) in held
    sharing.block(work, beta, tree["low"], blocks=False)
    assert may(work, delta, tree["low"])


def test_who_blocks_a_dossier_keeps_it(work, coalition, office, tree):
    beta, delta = coalition["beta"], coalition["delta"]
    sharing.share_dossier(work, office, "top", "secretariat", person_id=beta.person_id)
    sharing.share_dossier(work, office, "top", "editor", person_id=delta.person_id)
    sharing.block_dossier(work, beta, "middle")
    assert may(work, beta, tree["low"]) and not may(work, delta, tree["low"]) and may(work, delta, tree["top"])
    assert tell(work, tree["low"])[-1] == ("sharing", "blocked_above")
    sharing.block_dossier(work, beta, "middle", blocks=False)
    assert may(work, delta, tree["low"]) and tell(work, tree["low"])[-1] == ("sharing", "unblocked_above")


def test_only_keepers_share_on_a_dossier_and_only_below_where_they_were_made_one(work, coalition, office, tree):
    beta = coalition["beta"]
    with pytest.raises(Forbidden, match="not_a_keeper"):
        sharing.share_dossier(work, beta, "low", "editor", person_id=beta.person_id)
    sharing.share_dossier(work, office, "middle", "secretariat", person_id=beta.person_id)
    sharing.share_dossier(work, beta, "low", "secretariat", person_id=coalition["delta"].person_id)
    with pytest.raises(Forbidden, match="not_a_keeper"):
        sharing.share_dossier(work, beta, "top", "editor", person_id=beta.person_id)
    with pytest.raises(Forbidden, match="not_a_keeper"):
        dossiers.save_dossier(work, beta, "another", {"en": "Another"}, "crisis")
    dossiers.save_dossier(work, beta, "another", {"en": "Another"}, "crisis", "low")
    dossiers.save_dossier(work, beta, "low", {"en": "Lower"}, "crisis")
    with pytest.raises(InvalidInput, match="unknown_choice"):
        sharing.share_dossier(work, beta, "low", "manager", person_id=beta.person_id)
    with pytest.raises(Forbidden, match="not_a_keeper"):
        sharing.get_kept_dossier(work, beta, "no-such")
    with pytest.raises(NotFound, match="dossier_not_found"):
        sharing.get_kept_dossier(work, office, "no-such")


def test_a_moved_document_is_open_to_those_of_its_new_place(work, coalition, office, tree):
    reader, delta = coalition["verifier"], coalition["delta"]
    sharing.share_dossier(work, office, "top", "editor", person_id=reader.person_id)
    sharing.share_dossier(work, office, "aside", "editor", person_id=delta.person_id)
    dossiers.move_document(work, office, tree["low"], "aside")
    assert may(work, delta, tree["low"]) and not may(work, reader, tree["low"])
    entry = work.session.scalars(select(HistoryEntryRow).where(HistoryEntryRow.kind == "moved")).one()
    assert entry.params == {"what": "document", "left": {"en": "Low"}, "place": {"en": "Aside"}}
    dossiers.move_document(work, office, tree["low"], "aside")
    dossiers.move_document(work, office, tree["low"], None)
    assert not may(work, delta, tree["low"]) and tell(work, tree["low"])[-1] == ("moved", "document")
    assert work.session.scalar(select(func.count()).where(HistoryEntryRow.kind == "moved")) == 2
    with pytest.raises(InvalidInput, match="unknown_dossier"):
        dossiers.move_document(work, office, tree["low"], "no-such")


def test_a_move_takes_the_right_at_both_ends(work, coalition, office, tree):
    beta = coalition["beta"]
    sharing.share_dossier(work, office, "middle", "secretariat", person_id=beta.person_id)
    assert may(work, beta, tree["low"], "share")
    with pytest.raises(Forbidden, match="not_a_keeper"):
        dossiers.move_document(work, beta, tree["low"], "aside")
    dossiers.move_document(work, beta, tree["low"], "middle")
    sharing.share_dossier(work, office, "aside", "secretariat", person_id=beta.person_id)
    dossiers.move_document(work, beta, tree["low"], "aside")
    with pytest.raises(Forbidden, match="not_a_keeper"):
        dossiers.move_dossier(work, beta, "middle", "aside")  # it lies in `top`, which beta does not keep
    dossiers.move_dossier(work, beta, "low", "aside")
    with pytest.raises(Forbidden, match="not_a_keeper"):
        dossiers.move_dossier(work, beta, "low", None)
    with pytest.raises((NotFound, Forbidden)):
        dossiers.move_document(work, coalition["delta"], tree["top"], "aside")


def test_a_dossier_is_moved_with_all_in_it_and_never_below_itself(work, coalition, office, tree):
    reader = coalition["verifier"]
    sharing.share_dossier(work, office, "aside", "editor", person_id=reader.person_id)
    dossiers.move_dossier(work, office, "middle", "aside")
    assert may(work, reader, tree["low"]) and may(work, reader, tree["middle"])
    assert tell(work, tree["low"])[-1] == ("moved", "above")
    assert tell(work, tree["aside"]) == [("sharing", "given_above")]
    for below in ("low", "middle"):
        with pytest.raises(InvalidInput, match="dossier_below_itself"):
            dossiers.move_dossier(work, office, "middle", below)
    dossiers.move_dossier(work, office, "middle", None)
    assert not may(work, reader, tree["low"])
    row = work.session.scalars(select(DocumentRow).where(DocumentRow.reference == tree["low"])).one()
    assert row.dossier_path == work.session.get(DossierRow, row.dossier_id).path


def test_dossiers_do_not_nest_without_end(work, office, tree):
    above = "low"
    for number in range(4, dossiers.MOST_LEVELS + 1):
        dossiers.save_dossier(work, office, f"deep-{number}", {"en": "Deep"}, "crisis", above)
        above = f"deep-{number}"
    with pytest.raises(InvalidInput, match="dossiers_too_deep"):
        dossiers.save_dossier(work, office, "deeper", {"en": "Deeper"}, "crisis", above)
    with pytest.raises(InvalidInput, match="dossiers_too_deep"):
        dossiers.move_dossier(work, office, "top", "aside")


def test_only_an_empty_dossier_is_deleted(work, office, tree):
    for slug in ("low", "top"):
        with pytest.raises(Conflict, match="dossier_not_empty"):
            dossiers.delete_dossier(work, office, slug)
    dossiers.move_document(work, office, tree["low"], None)
    sharing.share_dossier(work, office, "low", "editor", person_id=office.person_id)
    dossiers.delete_dossier(work, office, "low")
    with pytest.raises(NotFound):
        dossiers.get_dossier(work, "low")
    work.commit()


def test_what_a_dossier_grants_stands_in_place_of_what_is_above_or_beside_it(work, coalition, office, tree):
    beta, alpha, delta = coalition["beta"], coalition["alpha"], coalition["delta"]
    assert may(work, beta, tree["low"]) is may(work, alpha, tree["low"]) is True  # steering, by the workflow
    dossier_rules.save_grants(work, office, "top", {"view": {"roles": ["member"], "adds": False}})
    assert may(work, delta, tree["low"]) and tell(work, tree["low"]) == [("sharing", "granted")]
    dossier_rules.save_grants(work, office, "middle", {"view": {"roles": [], "adds": False}})
    assert may(work, delta, tree["top"]) and not may(work, delta, tree["low"]) and not may(work, beta, tree["low"])
    dossier_rules.save_grants(work, office, "low", {"view": {"roles": ["steering"], "adds": True}})
    assert may(work, beta, tree["low"]) and not may(work, beta, tree["middle"])
    dossiers.move_dossier(work, office, "low", "top")
    assert may(work, delta, tree["low"]) and may(work, beta, tree["low"])
    above = dossier_rules.find_granted_above(work, dossiers.get_dossier(work, "low"))
    assert above == {"view": (["member"], False)}
    with pytest.raises(InvalidInput, match="unknown_choice"):
        dossier_rules.save_grants(work, office, "low", {"view": {"roles": ["nobody_knows"], "adds": True}})
    with pytest.raises(InvalidInput, match="unknown_choice"):
        dossier_rules.save_grants(work, office, "low", {"fly": {"roles": ["member"], "adds": True}})
    with pytest.raises(Forbidden, match="not_a_keeper"):
        dossier_rules.save_grants(work, beta, "low", {})
    dossier_rules.save_grants(work, office, "top", {})
    assert not may(work, delta, tree["top"])


def test_running_documents_go_their_way_in_a_dossier_that_grants(work, coalition, office, tree):
    member = {"roles": ["member"], "adds": True}
    dossier_rules.save_grants(work, office, "top", {"edit": member, "view": member})
    fire(work, coalition["delta"], tree["low"], "hand_round")
    dossiers.move_document(work, office, tree["low"], "aside")
    subject = get_subject(work, office, tree["low"])
    assert subject.workflow.above == {} and subject.workflow.name == "paper"


def test_a_policy_is_for_new_documents_of_the_type_there_and_below(work, office, tree):
    dossier_rules.save_policies(work, office, "top", {"paper": ["paper", "tending"]})
    assert not _see(work, tree["low"]).tracks
    new = create_document(work, office, "paper", TEXT, dossier="low")
    assert [lane.workflow.name for lane in _see(work, new).lanes] == ["paper", "tending"]
    dossier_rules.save_policies(work, office, "middle", {"paper": []})
    new = create_document(work, office, "paper", TEXT, dossier="low")
    assert not _see(work, new).tracks
    by_type = {one.type.name: one for one in dossier_rules.list_policies(work, dossiers.get_dossier(work, "middle"))}
    assert by_type["paper"].own == () and by_type["paper"].chain == ("paper",)
    assert by_type["paper"].above == ("paper", "tending") and by_type["paper"].place.slug == "top"


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"paper": ["tending"]}, "policy_does_not_fit"),
        ({"paper": ["tending", "paper"]}, "policy_does_not_fit"),
        ({"paper": ["paper", "paper"]}, "policy_does_not_fit"),
        ({"paper": ["no_such"]}, "unknown_choice"),
        ({"novel": ["paper"]}, "unknown_choice"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused(work, office, tree, policy, code):
    with pytest.raises(InvalidInput, match=code):
        dossier_rules.save_policies(work, office, "top", policy)
    choices = dossier_rules.list_policies(work, dossiers.get_dossier(work, "top"), with_choices=True)[0].choices
    assert set(choices) == {("paper",), ("paper", "tending")}


def test_a_large_dossier_is_moved_in_few_statements(work, office, tree, engine):
    for _ in range(30):
        create_document(work, office, "leaflet", TEXT, dossier="low")
    dossier_rules.save_grants(work, office, "aside", {"view": {"roles": ["member"], "adds": False}})
    work.commit()
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_r: seen.append(statement))
    dossiers.move_dossier(work, office, "middle", "aside")
    assert len(seen) < 50, "\n".join(one[:120] for one in seen)
    assert work.session.scalar(select(func.count()).where(HistoryEntryRow.kind == "moved")) == 32


def test_roles_that_a_dossier_gives_are_those_of_its_own_line(work, coalition, office, tree):
    beta = coalition["beta"]
    sharing.share_dossier(work, office, "top", "editor", person_id=beta.person_id)
    low = dossiers.get_dossier(work, "low")
    assert sharing.find_shared_roles(work, beta, list_ids(low.shared_path)) == {"editor"}
    assert [(one.row.role, one.place) for one in sharing.list_dossier_shares(work, low)] == [("editor", {"en": "Top"})]


def _see(work: UnitOfWork, reference: str):
    return get_subject(work, THE_SYSTEM, reference)


def test_two_moves_at_once_never_make_a_ring(engine, chained, clock, tmp_path, work, office, tree):
    """On PostgreSQL the second waits and is refused; on SQLite it may also find the database busy."""
    ends = Barrier(2)

    def move(slug: str, parent: str) -> str:
        with Session(engine) as session:
            other = UnitOfWork(session, chained, Settings(instance=tmp_path), EmbeddedQueue(), clock)
            ends.wait()
            try:
                other.complete(lambda: dossiers.move_dossier(other, office, slug, parent))
            except (InvalidInput, DBAPIError) as error:
                other.rollback()
                return type(error).__name__
            return "moved"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(move, "top", "aside")
        second = pool.submit(move, "aside", "low")
        told = sorted([first.result(), second.result()])
    assert told[1] == "moved" and told[0] in ("InvalidInput", "OperationalError"), told
    work.session.expire_all()
    rows = {row.id: row for row in work.session.scalars(select(DossierRow))}
    for row in rows.values():
        above = rows[row.parent_id].path if row.parent_id else "/"
        assert row.path == f"{above}{row.id}/" and row.path.count(f"/{row.id}/") == 1
