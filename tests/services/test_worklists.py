"""Worklists: for whom, counted, a page at a time, and not more than may be seen."""

from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import update

from r2pflow.domain import engine
from r2pflow.domain.conditions import evaluate
from r2pflow.domain.definition import Transition
from r2pflow.domain.errors import NotFound
from r2pflow.domain.facts import PARTS
from r2pflow.domain.people import NOBODY, THE_SYSTEM
from r2pflow.domain.text import canonical
from r2pflow.persistence.documents import DocumentRow
from r2pflow.plugins.catalogue import Catalogue, load_catalogue
from r2pflow.plugins.loading import load_plugins
from r2pflow.services.access import get_subject
from r2pflow.services.desk import read_desk
from r2pflow.services.dossiers import save_dossier
from r2pflow.services.drafting import create_document
from r2pflow.services.facts import gather
from r2pflow.services.people import load_actors, save_group
from r2pflow.services.sharing import block, share, share_dossier
from r2pflow.services.transitions import fire
from r2pflow.services.worklists import list_worklist

FIRST = """\
workflow: note
initial: draft
roles: [{id: Reviewer, is: steering}]
permissions: {view: [secretariat, editor], edit: [editor, secretariat], share: [secretariat]}
states:
  draft: {text: open}
  pending: {grants: {view: [secretariat, editor, Reviewer]}}
  hidden: {grants: {view: [secretariat]}}
  out: {final: true}
transitions:
  submit: {from: [draft], to: pending, guard: {role: [secretariat]}}
  hide: {from: [draft], to: hidden, guard: {role: [secretariat]}}
  publish: {from: [pending, hidden], to: out, guard: {role: [secretariat]}}
worklists:
  to_review: {title: {en: To review}, states: [pending, hidden], guard: {role: [Reviewer, editor]}}
  to_edit: {title: {en: To edit}, states: [draft], guard: {permission: [edit]}}
  to_begin: {title: {en: To begin}, states: [draft], guard: {role: [authenticated]}}
"""
SECOND = """\
workflow: translation
initial: waiting
permissions: {translate: [translator]}
states: {waiting: {}, done: {final: true}}
transitions: {finish: {from: [waiting], to: done, guard: {role: [secretariat]}}}
worklists: {to_translate: {title: {en: To translate}, states: [waiting], guard: {role: [secretariat]}}}
"""
TYPES = """\
types:
  note:
    title: {en: Note}
    code: NO
    workflow: [note, translation]
    languages: {authoritative: en}
    template: statement
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory) -> Catalogue:
    folder = tmp_path_factory.mktemp("workflows")
    for name, text in (("note", FIRST), ("translation", SECOND), ("documents", TYPES)):
        (folder / f"{name}.yaml").write_text(text)
    return load_catalogue(load_plugins(), [folder])


@pytest.fixture
def write(work, coalition, clock):
    def write(number: int, *steps: str) -> list[str]:
        references = []
        for _ in range(number):
            clock.forward(minutes=1)
            text = canonical("<h1>Note</h1><p>One.</p>")
            references.append(create_document(work, coalition["secretariat"], "note", text))
            for step in steps:
                fire(work, coalition["secretariat"], references[-1], step)
        work.commit()
        return references

    return write


def references(work, actor, name, number=1) -> list[str]:
    return [row.reference for row in list_worklist(work, actor, name, number)[1].rows]


def test_a_page_has_what_has_waited_longest_and_the_count_is_of_all(work, coalition, write, clock):
    work.settings = replace(work.settings, page_size=3)
    waiting = write(5, "submit")
    write(2)
    clock.forward(hours=1)
    work.session.execute(
        update(DocumentRow).where(DocumentRow.reference == waiting[0]).values(state_entered_at=clock())
    )
    work.commit()
    _, first = list_worklist(work, coalition["alpha"], "to_review")
    assert [row.reference for row in first.rows] == waiting[1:4]
    assert (first.total, first.last, first.number) == (5, 2, 1)
    for number in (2, 7):
        _, last = list_worklist(work, coalition["alpha"], "to_review", number)
        assert [row.reference for row in last.rows] == [waiting[4], waiting[0]] and last.number == 2


def test_what_may_not_be_seen_is_neither_listed_nor_counted(work, coalition, write):
    seen, _hidden = write(1, "submit"), write(2, "hide")
    title, page = list_worklist(work, coalition["alpha"], "to_review")
    assert ([row.reference for row in page.rows], page.total, title.get("en")) == (seen, 1, "To review")


def test_a_list_is_for_those_whom_its_guard_lets_through(work, coalition, write):
    drafts = write(2)
    assert references(work, coalition["secretariat"], "to_edit") == drafts
    assert references(work, coalition["secretariat"], "to_begin") == drafts
    assert references(work, coalition["delta"], "to_begin") == []
    for name in ("to_review", "unknown"):
        with pytest.raises(NotFound, match="worklist_not_found"):
            list_worklist(work, coalition["delta"], name)


def test_a_role_that_is_shared_counts_on_what_it_is_shared(work, coalition, write):
    mine, _others = write(1, "submit"), write(1, "submit")
    share(work, coalition["secretariat"], mine[0], "editor", person_id=coalition["delta"].person_id)
    work.commit()
    assert references(work, coalition["delta"], "to_review") == mine
    assert list_worklist(work, coalition["delta"], "to_review")[1].total == 1
    assert [one.document.reference for one in read_desk(work, coalition["delta"]).waiting] == mine


def test_a_further_workflow_of_a_chain_has_its_own_lists(work, coalition, write, clock):
    first, second = write(2)
    assert references(work, coalition["secretariat"], "to_translate") == [first, second]
    fire(work, coalition["secretariat"], first, "finish")
    work.commit()
    title, page = list_worklist(work, coalition["secretariat"], "to_translate")
    assert ([row.reference for row in page.rows], page.total) == ([second], 1)
    desk = read_desk(work, coalition["secretariat"])
    assert list(desk.worklists) == ["to_edit", "to_begin", "to_translate"]
    assert {one.document.reference for one in desk.waiting} == {first, second}


def test_a_document_is_counted_once_however_many_ways_it_came_on_the_list(work, coalition, catalogue, write):
    write(3)
    _, page = list_worklist(work, coalition["secretariat"], "to_edit")
    assert page.total == len({row.id for row in page.rows}) == 3


PLONE = """\
workflow: review
initial: draft
roles: [{id: Reviewer, is: editor}, {id: Boss, is: steering}, {id: Owner, is: author}]
means: {Review: publish, Request review: Request review}
bypass: [Boss]
permissions: {view: [anonymous], Review: [Reviewer], Request review: [Owner, translator]}
states:
  draft: {grants: {edit: [author]}, text: open}
  out: {final: true}
transitions:
  publish: {from: [draft], to: out, guard: {role: [secretariat]}}
worklists:
  to_review: {states: [draft], guard: {permission: [Review]}}
  to_request: {states: [draft], guard: {permission: [Request review]}}
  asked: {states: [draft], guard: {role: [secretariat], require: [has_text]}}
  not_asked: {states: [draft], guard: {role: [secretariat]}, where: [{not: {all: [has_text, {field: a, is: x}]}}]}
  ready: {states: [draft], guard: {role: [secretariat]}, where: [languages_ready]}
"""
REVIEWED = """\
types:
  note:
    title: {en: Note}
    code: NO
    workflow: review
    languages: {authoritative: en, required: [en], optional: [fr]}
    fields: {a: {kind: text, title: {en: A}}}
    template: statement
"""


@pytest.fixture
def reviewed(tmp_path, work, coalition):
    (tmp_path / "workflows").mkdir()
    for name, text in (("review", PLONE), ("documents", REVIEWED)):
        (tmp_path / "workflows" / f"{name}.yaml").write_text(text)
    work.catalogue = load_catalogue(load_plugins(), [tmp_path / "workflows"])

    def write(html: str, language: str = "en") -> str:
        return create_document(work, coalition["secretariat"], "note", canonical(html), language=language)

    return write


def names_of(work, actor):
    return set(read_desk(work, actor).worklists)


def test_a_list_is_asked_for_by_the_names_that_a_workflow_has_for_permissions(work, coalition, reviewed):
    one = reviewed("<h1>One</h1><p>Text.</p>")
    assert names_of(work, coalition["translator"]) >= {"to_request"}
    assert references(work, coalition["translator"], "to_request") == [one]
    assert "to_request" not in names_of(work, coalition["delta"])
    assert references(work, coalition["secretariat"], "to_request") == [one], "its author holds it by sharing"


def test_a_list_asks_nothing_of_those_who_bypass_guards(work, coalition, reviewed):
    one = reviewed("<h1>One</h1><p>Text.</p>")
    assert references(work, coalition["alpha"], "asked") == [one]
    assert references(work, coalition["alpha"], "to_review") == [one]


def test_a_list_asks_the_conditions_of_its_guard_as_the_document_does(work, coalition, reviewed):
    one = reviewed("<h1>One</h1><p>Text.</p>")
    bare = reviewed("<h1>Title only</h1>")
    assert references(work, coalition["secretariat"], "asked") == [one]
    assert references(work, coalition["alpha"], "asked") == [one, bare], "guards ask nothing of those who bypass"


def test_what_sql_cannot_ask_narrows_no_list_by_its_opposite(work, coalition, reviewed):
    one = reviewed("<h1>One</h1><p>Text.</p>")
    assert references(work, coalition["secretariat"], "not_asked") == [one]


def test_a_list_of_what_is_ready_knows_in_which_language_a_document_is_written(work, coalition, reviewed):
    own = reviewed("<h1>One</h1><p>Text.</p>")
    reviewed("<h1>Une</h1><p>Texte.</p>", "fr")
    assert references(work, coalition["secretariat"], "ready") == [own]


MANY = """\
worklists:
  by_role: {states: [draft, out], guard: {role: [Reviewer, Owner]}}
  by_permission: {states: [draft], guard: {permission: [Review, edit]}}
  by_own: {states: [draft, out], guard: {permission: [Request review]}}
  by_all: {states: [draft], guard: {role: [member, Owner], permission: [edit, Request review], require: [has_text]}}
  by_group: {states: [draft], guard: {group: [bureau], require: [languages_ready]}}
  by_any:
    states: [draft]
    guard: {}
    where: [{any: [has_text, languages_ready]}, {not: {all: [languages_ready, has_text]}}]
  by_ballot: {states: [draft], guard: {}, where: [{not: {ballot: open}}, comments_closed, no_comment_unanswered]}
"""


def test_a_list_shows_what_its_guard_lets_through_asked_document_by_document(work, coalition, tmp_path):
    (tmp_path / "workflows").mkdir()
    text = PLONE[: PLONE.index("worklists:")] + MANY
    for name, content in (("review", text), ("documents", REVIEWED)):
        (tmp_path / "workflows" / f"{name}.yaml").write_text(content)
    work.catalogue = load_catalogue(load_plugins(), [tmp_path / "workflows"])
    save_group(work, THE_SYSTEM, "bureau", {"en": "Bureau"}, ["beta"])
    save_dossier(work, THE_SYSTEM, "desk", {"en": "Desk"}, "crisis")
    dice, found = Random(3), []
    for _ in range(16):
        html = "<h1>One</h1>" + dice.choice(["", "<p>Text.</p>"])
        language, dossier = dice.choice(["en", "fr"]), dice.choice([None, "desk"])
        author = coalition["secretariat"]
        one = create_document(work, author, "note", canonical(html), language=language, dossier=dossier)
        found.append(one)
        if dice.random() < 0.3:
            share(work, THE_SYSTEM, one, dice.choice(["editor", "author"]), person_id=coalition["delta"].person_id)
        if dice.random() < 0.3:
            block(work, THE_SYSTEM, one, blocks=True)
        if dice.random() < 0.3:
            fire(work, coalition["alpha"], one, "publish")
    share_dossier(work, THE_SYSTEM, "desk", "editor", organisation_id=coalition["gamma"].organisation_id)
    work.commit()
    conditions, shown = work.catalogue.registry.conditions, 0
    for actor in (*load_actors(work), NOBODY):
        subjects = [get_subject(work, actor, one) for one in found]
        for name, worklist in subjects[0].workflow.worklists.items():
            way = Transition("x", worklist.states, "stay", guard=worklist.guard)
            wanted = []
            for subject in subjects:
                asked = replace(subject.workflow, transitions={"x": way}, digest="")
                facts = gather(work, subject, PARTS)
                known = {"actor": subject.actor, "facts": facts, "conditions": conditions}
                refusals = engine.explain(asked, "x", state=subject.state_name, **known)
                if not refusals and not evaluate(worklist.where, facts, subject.actor, conditions):
                    wanted.append(subject.reference)
            try:
                listed = sorted(references(work, actor, name))
            except NotFound:
                listed = []
            assert listed == sorted(wanted), (actor.name, name)
            shown += len(listed)
    assert shown > 100
