"""The next step of a document: what its reader can fire, what not yet and why, and where else the way leads."""

from dataclasses import dataclass

from r2pflow.domain.engine import Offer
from r2pflow.persistence.unit_of_work import UnitOfWork
from r2pflow.services import standing
from r2pflow.services.access import Subject
from r2pflow.services.comments import may_dispose
from r2pflow.services.offers import find_offers
from r2pflow.services.standing import Status
from r2pflow.web.errors import PERSONAL
from r2pflow.web.i18n import gettext, ngettext, title_of
from r2pflow.web.pages.document_shell import Shell, state_title, transition_title
from r2pflow.web.rendering import has_endpoint, url
from r2pflow.web.sentences import sentence


@dataclass(frozen=True)
class NextStep:
    """One transition as it is offered; `reasons` say why it cannot be fired, and what would help."""

    name: str
    title: str
    description: str
    target: str  # title of the state that it leads to; empty when it stays
    reasons: tuple[str, ...]
    is_mine: bool  # the person may, even where the moment refuses
    is_main: bool
    comment: str  # required | optional | none
    kept: str  # a comment that was typed already
    question: str  # asked once before a step that is hard to take back

    @property
    def is_fireable(self) -> bool:
        return not self.reasons

    @property
    def is_aside(self) -> bool:
        """Tell whether it leads off the way: back, or to an end that the way does not have."""
        return bool(self.question) and not self.is_main


def list_steps(
    work: UnitOfWork, subject: Subject, way: list[tuple[str, Status]], kept: tuple[str, str] | None = None
) -> list[NextStep]:
    """Return the transitions from the present state: the person's own first, the main one on top.

    `way` is what `standing.lay_way` made; `kept` is the name of a step and the comment that was typed for it.
    """
    main = standing.find_main_transition(subject.workflow, way)
    passed = {state for state, status in way if status == "done"}
    steps = [
        _make_step(subject, offer, offer.transition == main, offer.to in passed, kept)
        for offer in find_offers(work, subject)
    ]
    return sorted(steps, key=lambda step: (not step.is_mine, not step.is_main, step.is_aside, not step.is_fireable))


def list_tasks(subject: Subject, shell: Shell, steps: list[NextStep], may_comment: bool) -> list[dict[str, str]]:
    """Return what the person can do here beside firing: text, label of the link, address."""
    reference = subject.reference
    tasks: list[tuple[str, str, str]] = []
    if may_comment:
        told = gettext(
            "Comment for your organisation: select words in the text, or choose “Comment” beside a paragraph."
        )
        tasks.append((told, gettext("To the text"), "#b-"))
    if subject.state.ballot and subject.may("decide") and has_endpoint("decision"):
        told = gettext("Read the text, then record the position of your organisation.")
        tasks.append((told, gettext("To the decision"), url("decision", reference=reference)))
    if subject.may("translate") and has_endpoint("languages") and not subject.state.final:
        told = gettext("The text can be translated.")
        tasks.append((told, gettext("To the languages"), url("languages", reference=reference)))
    if shell.unanswered and may_dispose(subject):
        told = ngettext(
            "%(num)s comment waits for an answer.", "%(num)s comments wait for an answer.", shell.unanswered
        )
        tasks.append((told, gettext("Answer"), url("comments", reference=reference, show="unanswered")))
    if subject.may("edit") and shell.is_open and not any(step.is_fireable for step in steps):
        told = gettext("The text is open: you can edit it.")
        tasks.append((told, gettext("Edit the text"), url("edit", reference=reference)))
    return [{"text": text, "label": label, "href": href} for text, label, href in tasks]


def _make_step(subject: Subject, offer: Offer, is_main: bool, is_back: bool, kept: tuple[str, str] | None) -> NextStep:
    transition = offer.transition
    subject = subject.find_lane(transition.name)
    title = transition_title(subject, transition.name)
    target = state_title(subject, offer.to) if offer.to != subject.state_name else ""
    question = ""
    if is_back:
        question = gettext("“%(step)s” takes the document back to “%(state)s”. Go on?", step=title, state=target)
    elif _ends(subject, offer):
        question = gettext("“%(step)s” cannot be taken back. Go on?", step=title)
    return NextStep(
        name=transition.name,
        title=title,
        description=title_of(transition.description),
        target=target,
        reasons=tuple(sentence(refusal, subject) for refusal in offer.refusals),
        is_mine=not any(refusal.code in PERSONAL for refusal in offer.refusals),
        is_main=is_main,
        comment=transition.comment,
        kept=kept[1] if kept and kept[0] == transition.name else "",
        question=question,
    )


def _ends(subject: Subject, offer: Offer) -> bool:
    return offer.to != subject.state_name and subject.workflow.states[offer.to].final
