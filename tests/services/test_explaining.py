"""Explaining agrees with firing, and says who could and from where everybody has what they may do."""

import pytest
from sqlalchemy import update

from r2pflow.domain.errors import Forbidden, NotFound, Refused
from r2pflow.domain.people import THE_SYSTEM
from r2pflow.domain.reasons import Source
from r2pflow.domain.text import canonical
from r2pflow.folders import get_folder
from r2pflow.outputs import reasons
from r2pflow.outputs.translations import translator
from r2pflow.persistence.documents import DocumentRow, DossierRow, LocalRoleRow
from r2pflow.persistence.people import GroupMemberRow, GroupRow
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services import dossiers, parties, people, placing
from r2pflow.services.access import get_subject, load_subject
from r2pflow.services.drafting import create_document
from r2pflow.services.explaining import explain, explain_permissions, list_lines, meet, read_surroundings
from r2pflow.services.transitions import fire
from tests.services.test_chains import CHAIN

TEXT = canonical("<h1>Protect civilians</h1><p>States must act early.</p>")
ENGLISH = translator("en")
PRESS = """
workflow: release
initial: drafting
bypass: [manager]
permissions: {view: [authenticated], edit: [editor], share: [], manage: [manager]}
states:
  drafting: {grants: {view: [editor, secretariat, manager]}, inherit: [edit], text: open}
  out: {final: true}
transitions:
  print: {from: [drafting], to: out, guard: {permission: [edit], role: [member], group: [press]}}
  greet: {from: [drafting], to: stay}
"""
PRESS_TYPES = """
types:
  release:
    title: {en: Release}
    code: RE
    workflow: release
    languages: {authoritative: en}
    template: statement
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("press")
    (folder / "release.yaml").write_text(PRESS, encoding="utf-8")
    (folder / "documents.yaml").write_text(PRESS_TYPES, encoding="utf-8")
    return load_catalogue(load_plugins(), [get_folder("workflows"), CHAIN, folder])


def make(work, name, **options) -> str:
    reference = create_document(work, THE_SYSTEM, name, TEXT, **options)
    work.commit()
    return reference


def make_group(work, name, *members) -> int:
    group = GroupRow(name=name, titles={})
    work.session.add(group)
    work.session.flush()
    for actor in members:
        work.session.add(GroupMemberRow(group_id=group.id, organisation_id=actor.organisation_id))
    work.commit()
    return group.id


def share(work, role, **place):
    work.session.add(LocalRoleRow(role=role, created_at=work.now(), **place))
    work.commit()


def one(work, actor, reference, name):
    (found,) = explain(work, meet(work, THE_SYSTEM, reference, str(actor.person_id)), name)
    return found


def name_them(explanation):
    return [reasons.tell_party(party, ENGLISH) for party in explanation.could]


@pytest.mark.parametrize("kind", ["position_paper", "notice"])
def test_what_is_explained_as_fireable_fires_and_nothing_else(work, coalition, catalogue, kind):
    reference = make(work, kind)
    for state in catalogue.chain_of(kind)[0].states:
        work.session.execute(update(DocumentRow).values(state=state))
        work.commit()
        for name in ("secretariat", "delta", "translator"):
            explained = explain(work, load_subject(work, coalition[name], reference))
            assert {e.transition.name for e in explained} == {
                transition for workflow in catalogue.chain_of(kind) for transition in workflow.transitions
            }
            for explanation in explained:
                comment = "Because." if explanation.needs_comment else ""
                try:
                    fire(work, coalition[name], reference, explanation.transition.name, comment=comment)
                    refusals = ()
                except Refused as refused:
                    refusals = refused.refusals
                except NotFound:
                    refusals = explanation.refusals
                    assert refusals[0].params["permissions"] == ["view"]
                work.rollback()
                assert explanation.refusals == refusals, (state, name, explanation.transition.name)


def test_a_permission_has_a_reason_exactly_where_it_is_held(work, coalition, catalogue):
    for kind in ("joint_statement", "notice"):
        reference = make(work, kind)
        for state in catalogue.chain_of(kind)[0].states:
            work.session.execute(update(DocumentRow).values(state=state))
            for actor in coalition.values():
                subject = load_subject(work, actor, reference)
                for permission, why in explain_permissions(work, subject).items():
                    assert bool(why) == subject.may(permission), (kind, state, actor.name, permission)


def test_all_that_is_missing_is_told_and_who_could(work, coalition):
    reference = make(work, "release")
    make_group(work, "press", coalition["alpha"], coalition["beta"])
    share(work, "editor", document_id=1, organisation_id=coalition["alpha"].organisation_id)
    share(work, "editor", document_id=1, person_id=coalition["translator"].person_id)
    told = one(work, coalition["translator"], reference, "print")
    assert [refusal.code for refusal in told.refusals] == ["no_group"]
    assert name_them(told) == ["Alpha"], "beta may not edit, and the translator is in no group"
    told = one(work, coalition["gamma"], reference, "print")
    assert [refusal.code for refusal in told.refusals] == ["no_permission", "no_permission", "no_group"]
    assert one(work, coalition["alpha"], reference, "print").is_fireable
    assert reasons.tell_could(told, ENGLISH) == "Who could: Alpha."


def test_of_an_organisation_and_its_people_the_organisation_is_named(work, coalition):
    reference = make(work, "release")
    share(work, "editor", document_id=1, organisation_id=coalition["delta"].organisation_id)
    share(work, "editor", document_id=1, person_id=coalition["translator"].person_id)
    share(work, "editor", document_id=1, person_id=coalition["gamma"].person_id)
    assert name_them(one(work, coalition["alpha"], reference, "greet")) == ["Delta", "Secretariat", "Gamma"]


def test_who_bypasses_guards_is_told_so_and_counts_among_those_who_could(work, coalition):
    reference = make(work, "release")
    values = {"name": "Boss", "email": "boss@example.org", "organisation": None, "roles": ["manager"]}
    boss = people.load_actor(work, people.save_person(work, THE_SYSTEM, values))
    told = one(work, boss, reference, "print")
    assert told.is_fireable and told.bypasses and name_them(told) == ["Boss"]
    assert "written into the history" in reasons.tell_notes(told, ENGLISH)[0]
    assert not one(work, coalition["alpha"], reference, "print").bypasses


def test_where_nobody_could_what_is_asked_for_is_told(work, coalition):
    reference = make(work, "release")
    told = one(work, coalition["alpha"], reference, "print")
    assert told.could_count == 0
    message = reasons.tell_could(told, ENGLISH)
    assert "edit the text" in message and "member" in message and "press" in message


def test_a_step_from_elsewhere_says_from_where_and_who_could_there(work, coalition):
    reference = make(work, "position_paper")
    told = one(work, coalition["secretariat"], reference, "publish")
    subject = get_subject(work, THE_SYSTEM, reference)
    assert "leads from: Translation. The document is in “Drafting”." in reasons.tell_refusals(told, subject, ENGLISH)[0]
    assert name_them(told) == ["Secretariat"]
    assert told.source == "translation" and told.to == "published"


def test_a_deadline_that_fires_a_step_is_told(work, coalition, clock):
    reference = make(work, "position_paper")
    fire(work, coalition["secretariat"], reference, "open_comment")
    told = one(work, coalition["delta"], reference, "close_comment")
    assert [due.kind for due in told.due] == ["fire"] and told.due[0].at > clock()
    assert reasons.tell_notes(told, ENGLISH)[0].startswith("It happens by itself on ")
    described = reasons.describe(told, get_subject(work, THE_SYSTEM, reference), ENGLISH)
    assert described["fireable"] is False and described["refusals"][0]["message"] == "This is for: secretariat."


def test_an_unknown_step_is_not_found(work, coalition):
    with pytest.raises(NotFound):
        one(work, coalition["delta"], make(work, "position_paper"), "fly")


def test_where_a_role_comes_from_is_told_for_every_way(work, coalition):
    dossiers.save_dossier(work, THE_SYSTEM, "above", {"en": "Above"}, "campaign")
    dossier = dossiers.save_dossier(work, THE_SYSTEM, "below", {"en": "Below"}, "campaign", "above")
    reference = make(work, "position_paper", dossier="below")
    group = make_group(work, "bureau", coalition["delta"])
    share(work, "editor", document_id=1, person_id=coalition["delta"].person_id)
    share(work, "editor", document_id=1, organisation_id=coalition["delta"].organisation_id)
    share(work, "editor", dossier_id=dossier, group_id=group)
    subject = load_subject(work, people.load_actor(work, coalition["delta"].person_id), reference)
    held = parties.find_held(work, subject)
    told = [(source.kind, source.place, source.where.get("en")) for source in held["editor"]]
    assert sorted(told) == [("group", "dossier", "Below"), ("organisation", "document", ""), ("own", "document", "")]
    assert [source.called.get("en") for source in held["member"]] == ["Delta"]
    assert held["anonymous"] == [Source("everybody")]
    sentences = {reasons.tell_reason(reason, ENGLISH) for reason in explain_permissions(work, subject)["edit"]}
    assert "editor: given to the group bureau on the dossier “Below”" in sentences
    listed = {(party.kind, party.called.get("en")): party for party in parties.list_parties(work, subject)}
    assert sorted(map(repr, listed["person", "Delta"].held["editor"])) == sorted(map(repr, held["editor"]))
    assert {source.kind for source in listed["organisation", "Delta"].held["editor"]} == {"own", "group"}
    assert [source.kind for source in listed["group", "bureau"].held["editor"]] == ["own"]


def test_the_table_of_who_may_do_what_agrees_with_each_person_s_own_rights(work, coalition):
    reference = make(work, "position_paper")
    share(work, "author", document_id=1, person_id=coalition["gamma"].person_id)
    subject = get_subject(work, THE_SYSTEM, reference)
    lines = {
        (line.party.kind, line.party.called.get("en")): line
        for line in list_lines(subject, parties.list_parties(work, subject))
    }
    gamma = load_subject(work, coalition["gamma"], reference)
    assert set(lines["person", "Gamma"].permissions) == {
        name for name in ("view", "edit", "comment", "share", "manage", "publish") if gamma.may(name)
    }
    assert ("organisation", "Delta") not in lines, "a member has nothing in a draft"


def test_blocked_sharing_and_grants_of_dossiers_are_told(work, coalition):
    for slug, parent in (("top", None), ("middle", "top"), ("low", "middle")):
        dossiers.save_dossier(work, THE_SYSTEM, slug, {"en": slug.title()}, "campaign", parent)
    reference = make(work, "position_paper", dossier="low")
    rows = {row.slug: row for row in work.session.query(DossierRow)}
    assert read_surroundings(work, get_subject(work, THE_SYSTEM, reference)).blocked_by is None
    rows["middle"].blocks_sharing = True
    rows["top"].grants = {"view": {"roles": ["member"], "adds": True}}
    placing.settle(work, rows["middle"])
    placing.settle(work, rows["top"])
    work.commit()
    told = read_surroundings(work, get_subject(work, THE_SYSTEM, reference))
    assert told.blocked_by == {"en": "Middle"}
    assert told.grants == (({"en": "Top"}, "view", ("member",)),)
    subject = load_subject(work, coalition["delta"], reference)
    assert [reasons.tell_reason(reason, ENGLISH) for reason in explain_permissions(work, subject)["view"]] == [
        "member: role of Delta (granted by a dossier above)"
    ]
    work.session.execute(update(DocumentRow).values(blocks_sharing=True))
    assert read_surroundings(work, get_subject(work, THE_SYSTEM, reference)).blocked_by == {}


def test_what_another_workflow_of_the_chain_rules_is_told_as_such(work, coalition):
    reference = make(work, "notice")
    fire(work, coalition["secretariat"], reference, "agree")
    why = explain_permissions(work, load_subject(work, coalition["translator"], reference))["translate"]
    assert [reasons.tell_reason(reason, ENGLISH) for reason in why] == [
        "translator: own role (ruled by another workflow of this document)"
    ]
    told = one(work, coalition["secretariat"], reference, "finish")
    assert [refusal.code for refusal in told.refusals] == ["no_permission"]
    assert name_them(told) == ["Translator", "Verifier"]


def test_what_others_may_do_is_told_to_those_who_may_know(work, coalition):
    reference = make(work, "position_paper")
    share(work, "author", document_id=1, person_id=coalition["alpha"].person_id)
    assert meet(work, coalition["secretariat"], reference, "delta@example.org").actor.name == "Delta"
    assert meet(work, coalition["alpha"], reference, "delta@example.org").actor.name == "Delta"
    assert meet(work, coalition["beta"], reference, str(coalition["beta"].person_id)).actor.name == "Beta"
    with pytest.raises(Forbidden):
        meet(work, coalition["beta"], reference, "delta@example.org")
    with pytest.raises(NotFound):
        meet(work, coalition["delta"], reference, "beta@example.org")
    with pytest.raises(Forbidden):
        meet(work, coalition["beta"], reference, "nobody@example.org")
    with pytest.raises(NotFound):
        meet(work, coalition["alpha"], reference, "nobody@example.org")
