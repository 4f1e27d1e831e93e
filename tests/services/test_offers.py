"""What one may do with each of 50 listed documents: the same as asked one by one, in three queries."""

from itertools import cycle, islice

import pytest
from sqlalchemy import event, update

from r2pflow.domain.people import NOBODY, THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.folders import get_folder
from r2pflow.persistence.documents import DocumentRow, LocalRoleRow
from r2pflow.persistence.people import GroupMemberRow, GroupRow
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import people
from r2pflow.services.access import get_subject
from r2pflow.services.dossiers import save_dossier
from r2pflow.services.drafting import create_document
from r2pflow.services.offers import find_offers, find_offers_for
from tests.services.test_chains import CHAIN

TEXT = canonical("<h1>Protect civilians</h1><p>States must act early.</p>")
SHIPPED = ("position_paper", "joint_statement", "conference_launch", "consultation_report")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(load_plugins(), [get_folder("workflows"), CHAIN])


@pytest.fixture
def fifty(work, coalition, catalogue) -> list[int]:
    """Documents of all shipped types in all their states, and some in a chain; shared in every way."""
    places = [(name, state) for name in SHIPPED for state in catalogue.chain_of(name)[0].states]
    places += [("notice", state) for state in catalogue.chain_of("notice")[0].states]
    save_dossier(work, THE_SYSTEM, "above", {"en": "Above"}, "campaign")
    dossier = save_dossier(work, THE_SYSTEM, "below", {"en": "Below"}, "campaign", "above")
    group = GroupRow(name="bureau", titles={})
    work.session.add(group)
    work.session.flush()
    work.session.add(GroupMemberRow(group_id=group.id, organisation_id=coalition["delta"].organisation_id))
    ids = []
    for number, (name, state) in enumerate(islice(cycle(places), 50)):
        reference = create_document(work, THE_SYSTEM, name, TEXT, dossier="below" if number % 3 else None)
        document_id = get_subject(work, THE_SYSTEM, reference).id
        work.session.execute(update(DocumentRow).where(DocumentRow.id == document_id).values(state=state))
        if number % 5 == 0:
            share(work, "author", document_id=document_id, person_id=coalition["alpha"].person_id)
        if number % 7 == 0:
            share(work, "editor", document_id=document_id, group_id=group.id)
        ids.append(document_id)
    share(work, "author", dossier_id=dossier, organisation_id=coalition["beta"].organisation_id)
    work.commit()
    return ids


def share(work, role, **place):
    work.session.add(LocalRoleRow(role=role, created_at=work.now(), **place))


@pytest.fixture
def statements(engine):
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("name", ["secretariat", "alpha", "beta", "delta", "translator"])
def test_fifty_documents_of_all_types_and_states_take_three_queries(work, coalition, fifty, statements, name):
    actor = people.load_actor(work, coalition[name].person_id)
    statements.clear()
    together = find_offers_for(work, actor, fifty)
    assert len(statements) <= 3, statements
    assert len(together) > 10
    for document_id, (subject, offers) in together.items():
        alone = get_subject(work, actor, document_id)
        assert (subject.standing, subject.actor.roles) == (alone.standing, alone.actor.roles)
        assert offers == find_offers(work, alone), alone.reference
    assert any(offer.is_fireable for _, offers in together.values() for offer in offers) == (name == "secretariat")


def test_documents_without_a_chain_take_two(work, coalition, fifty, statements):
    statements.clear()
    assert len(find_offers_for(work, coalition["secretariat"], fifty[:20])) == 20
    assert len(statements) == 2


def test_what_one_may_not_see_is_left_out(work, fifty):
    found = find_offers_for(work, NOBODY, fifty)
    assert found and {subject.state_name for subject, _ in found.values()} <= {"published", "withdrawn"}
    assert find_offers_for(work, NOBODY, []) == {}
