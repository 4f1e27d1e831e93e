"""Random workflows in which every name is declared, whatever else they say."""

from hypothesis import strategies as st

from r2pflow.domain.definition import EffectCall, Guard, State, Transition, Workflow, WorklistDef
from r2pflow.domain.definition import Test as Clause
from r2pflow.domain.people import Titles

NAMES = st.sampled_from(["a", "b2", "2nd", "yes", "null", "été", "x.y-z_w", "no", "1e5"])
WORDS = st.one_of(
    NAMES,
    st.sampled_from(["Modify portal content", "a: b", "#c", "- d", "'", '"', "\\", "[x]", "{y}", "&z", "*", "!t", "%"]),
)
PROSE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(
    str.strip
)
VALUES = st.one_of(
    PROSE, WORDS, st.integers(-99, 99), st.booleans(), st.sampled_from([0.5, -1.25, "null", "~", "1", "0.5"])
)
TITLES = st.one_of(st.none(), PROSE, st.dictionaries(st.sampled_from(["en", "fr", "zh-Hans"]), PROSE, min_size=1)).map(
    lambda found: Titles() if found is None else Titles({"en": found} if isinstance(found, str) else found)
)
LEAVES = st.one_of(
    st.builds(lambda n, v: Clause("field", n, v, "is"), WORDS, st.one_of(VALUES, st.lists(VALUES))),
    st.builds(lambda n, v: Clause("field", n, v, "in"), WORDS, st.lists(VALUES)),
    st.builds(lambda n, v: Clause("field", n, v, "filled"), WORDS, st.booleans()),
    st.builds(
        lambda n, v: Clause("named", n, v),
        st.sampled_from(["is ripe", "c: d", "#e"]),
        st.one_of(st.none(), VALUES, st.lists(VALUES), st.dictionaries(WORDS, VALUES)),
    ),
)
TESTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda kind, tests: Clause(kind, tests=tuple(tests)),
            st.sampled_from(["any", "all"]),
            st.lists(inner, min_size=1, max_size=4),
        ),
        st.builds(lambda test: Clause("not", tests=(test,)), inner),
    ),
    max_leaves=8,
)


def distinct(strategy, **options):
    return st.lists(strategy, unique=True, **options).map(tuple)


@st.composite
def workflows(draw, words=WORDS, tests=TESTS, titles=TITLES):
    """Draw workflows in which every name is declared."""
    roles = draw(distinct(words, min_size=1, max_size=4))
    permissions = draw(distinct(words, min_size=1, max_size=4))
    some_roles, some_permissions = distinct(st.sampled_from(roles)), distinct(st.sampled_from(permissions), max_size=3)
    states = draw(distinct(NAMES, min_size=1, max_size=4))
    guards = st.builds(
        Guard, some_permissions, some_roles, distinct(words, max_size=2), st.lists(tests, max_size=3).map(tuple)
    )

    def state(name):
        grants = {permission: draw(some_roles) for permission in draw(some_permissions)}
        return State(name, draw(titles), draw(titles), grants, draw(some_permissions), final=draw(st.booleans()))

    def transition(name):
        return Transition(
            name,
            draw(distinct(st.sampled_from(states))),
            draw(st.sampled_from([*states, "stay"])),
            draw(distinct(st.sampled_from(["user", "automatic", "timer"]), min_size=1)),
            draw(guards),
            draw(st.sampled_from(["optional", "required", "none"])),
            tuple(draw(st.lists(st.builds(EffectCall, words, st.one_of(st.none(), VALUES)), max_size=2))),
            draw(titles),
            draw(titles),
        )

    def worklist(name):
        return WorklistDef(name, draw(titles), draw(distinct(st.sampled_from(states), min_size=1)), draw(guards))

    return Workflow(
        name=draw(NAMES),
        version=draw(st.integers(1, 3)),
        initial=draw(st.sampled_from(states)),
        states={name: state(name) for name in states},
        transitions={name: transition(name) for name in draw(distinct(NAMES, max_size=4))},
        title=draw(titles),
        description=draw(titles),
        permissions={permission: draw(some_roles) for permission in draw(some_permissions)},
        roles=roles,
        aliases=draw(st.dictionaries(st.sampled_from(roles), st.sampled_from(["author", "manager"]))),
        means={permission: draw(st.sampled_from(["view", "edit", permission])) for permission in permissions},
        bypass=draw(some_roles),
        worklists={name: worklist(name) for name in draw(distinct(NAMES, max_size=2))},
    )
