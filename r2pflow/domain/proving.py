"""Answer questions about a definition by search: can this ever happen, and if so, by which shortest way?

The search runs over the states; a step is whatever `ways` leaves open. So "never" is proved for every document that
moves by transitions of this definition alone, and a way that is found is one that nothing in the definition rules out:
whether its conditions ever come true, the definition does not say. Moves by `workflow migrate` are not steps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from r2pflow.domain.definition import USER, Workflow
from r2pflow.domain.questions import ANYONE, NOBODY, Holding, Question, read_question
from r2pflow.domain.ways import Hand, Ways, everybody, only_with

NEVER, POSSIBLE, ALWAYS = "never", "possible", "always"


@dataclass(frozen=True)
class Step:
    """One transition of a way, and all the hands by which the question lets it be fired."""

    transition: str
    source: str
    target: str
    hands: tuple[Hand, ...]


@dataclass(frozen=True)
class Answer:
    """Whether a claim holds, and the shortest way that shows it.

    That is a way against `never`, for `possible`, and into a trap of `always`; `way` is None where there is none.
    `holds_anyway` says of a `never` that it would hold without all that the question leaves out.
    """

    kind: str
    question: Question
    holds: bool
    way: tuple[Step, ...] | None = None
    holds_anyway: bool = False

    def as_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {
            "kind": self.kind,
            "question": self.question.text,
            "holds": self.holds,
            "holds_anyway": self.holds_anyway,
            "start": self.question.start,
            "path": None if self.way is None else [_plain(step) for step in self.way],
        }


def _plain(step: Step) -> dict[str, object]:
    return {
        "transition": step.transition,
        "from": step.source,
        "to": step.target,
        "by": [
            {
                "trigger": hand.trigger,
                "roles": [list(roles) for roles in hand.role_sets],
                "groups": list(hand.groups),
                "bypass": hand.past_guard,
                "from_dossier": hand.from_dossier,
            }
            for hand in step.hands
        ],
    }


def prove(workflow: Workflow, kind: str, text: str) -> Answer:
    """Answer one claim.

    `never`: no document does what the question says. `possible`: the definition does not rule it out. `always`:
    wherever a document comes to, what the question says is still possible from there. Refuses with BadQuestion a
    question that cannot be read.
    """
    question = read_question(text, workflow)
    if kind == ALWAYS:
        trap = find_trap(workflow, question)
        return Answer(kind, question, trap is None, trap)
    way = find_way(workflow, question)
    if kind == POSSIBLE:
        return Answer(kind, question, way is not None, way)
    holds_anyway = way is None and find_way(workflow, _drop_clauses(workflow, question)) is None
    return Answer(kind, question, way is None, way, holds_anyway)


def _drop_clauses(workflow: Workflow, question: Question) -> Question:
    """Return the question without anything that is left out or limited."""
    return Question(
        question.text,
        question.start,
        question.states,
        question.transitions,
        powers=everybody(workflow),
        holdings=question.holdings,
    )


def find_way(workflow: Workflow, question: Question) -> tuple[Step, ...] | None:
    """Return the shortest way that the question describes, of equally short ones the first in the file."""
    return _Search(workflow, question).find_way()


def find_trap(workflow: Workflow, question: Question) -> tuple[Step, ...] | None:
    """Return the shortest way, by whatever hand, into a state from which the question's way is not to be found."""
    lost = frozenset(workflow.states) - _Search(workflow, question).find_origins()
    return _Search(workflow, Question("", question.start, lost, powers=everybody(workflow))).find_way()


class _Search:
    def __init__(self, workflow: Workflow, question: Question) -> None:
        self.workflow = workflow
        self.question = question
        self.ways = Ways(workflow, question.without_ballots)

    def find_way(self) -> tuple[Step, ...] | None:
        came_by: dict[str, Step | None] = {self.question.start: None}
        waiting = [self.question.start]
        for state in waiting:
            last = self.find_end(state)
            if last is not None:
                return (*_trace(came_by, state), *last)
            for step in self.list_steps(state):
                if step.target not in came_by:
                    came_by[step.target] = step
                    waiting.append(step.target)
        return None

    def find_origins(self) -> frozenset[str]:
        """Return the states from which there is such a way."""
        back: dict[str, list[str]] = {}
        found = [state for state in self.workflow.states if self.find_end(state) is not None]
        for state in self.workflow.states:
            for step in self.list_steps(state):
                back.setdefault(step.target, []).append(state)
        seen = set(found)
        for state in found:
            for before in back.get(state, ()):
                if before not in seen:
                    seen.add(before)
                    found.append(before)
        return frozenset(seen - self.question.without_states)

    def find_end(self, state: str) -> tuple[Step, ...] | None:
        """Return what completes the way in this state: nothing more, or the step that is asked for; None otherwise."""
        question = self.question
        if state not in question.states or not all(self.may_hold(state, one) for one in question.holdings):
            return None
        if not question.transitions:
            return ()
        return next(((step,) for step in self.list_steps(state, True) if step.transition in question.transitions), None)

    def list_steps(self, state: str, is_last: bool = False) -> Iterator[Step]:
        """Yield what may be fired from the state; the last step of `fire` may lead where the question does not go."""
        question = self.question
        for transition in self.workflow.transitions_from(state):
            target = transition.target(state)
            if transition.name in question.without_transitions or target not in self.workflow.states:
                continue
            if target in question.without_states and not is_last:
                continue
            hands = self.ways.find_hands(state, transition, question.powers)
            is_silent = not (question.without_comment and transition.comment == "required")
            open_hands = tuple(
                hand
                for hand in hands
                if hand.trigger not in question.without_triggers and (is_silent or hand.trigger != USER)
            )
            if open_hands:
                yield Step(transition.name, state, target, open_hands)

    def may_hold(self, state: str, holding: Holding) -> bool:
        """Tell whether that may be so in the state; what a dossier grants may make it so, or otherwise."""
        least = most = self.workflow.holders(state, holding.permission)
        is_open = self.ways.may_be_granted_above(state, holding.permission)
        if is_open:
            least = self.workflow.counting_roles(self.workflow.origins(state, holding.permission).get("state", ()))
        if holding.who == NOBODY:
            return not least
        if holding.who == ANYONE:
            return is_open or bool(most)
        roles = only_with(self.workflow, [holding.who]).roles
        return (is_open or not roles.isdisjoint(most)) if holding.is_asked else roles.isdisjoint(least)


def _trace(came_by: Mapping[str, Step | None], state: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    while (step := came_by[state]) is not None:
        steps.append(step)
        state = step.source
    return tuple(reversed(steps))
