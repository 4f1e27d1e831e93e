"""English words for the fixed names of the domain, marked for translation: roles, permissions, statuses."""

from collections.abc import Mapping


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for "mark, translate later"
    """Mark a msgid for extraction; it is translated where it is shown."""
    return msgid


WORDS: Mapping[str, str] = {
    # what a rule counts by
    "region": N_("region"),
    "sector": N_("sector"),
    "scope": N_("scope"),
    "function": N_("function"),
    "organisation": N_("organisation"),
    # roles
    "anonymous": N_("everybody"),
    "authenticated": N_("everyone signed in"),
    "member": N_("member"),
    "steering": N_("steering group"),
    "secretariat": N_("secretariat"),
    "translator": N_("translator"),
    "author": N_("author"),
    "editor": N_("editor"),
    "manager": N_("administrator"),
    "system": N_("r2pflow itself"),
    # permissions
    "view": N_("read"),
    "edit": N_("edit the text"),
    "comment": N_("comment"),
    "decide": N_("take part in the decision"),
    "translate": N_("translate"),
    "sign": N_("sign"),
    "publish": N_("publish"),
    "share": N_("share"),
    "manage": N_("administer"),
    # regions
    "africa": N_("Africa"),
    "asia_pacific": N_("Asia and the Pacific"),
    "europe": N_("Europe"),
    "latin_america": N_("Latin America and the Caribbean"),
    "middle_east": N_("Middle East and North Africa"),
    "north_america": N_("North America"),
    # sectors
    "faith": N_("Faith-based"),
    "human_rights": N_("Human rights"),
    "humanitarian": N_("Humanitarian"),
    "prevention": N_("Conflict prevention"),
    "peacebuilding": N_("Peacebuilding"),
    "women": N_("Women"),
    "youth": N_("Youth"),
    "academia": N_("Academia"),
    # functions
    "advocacy": N_("Advocacy"),
    "messaging": N_("Messaging"),
    "research": N_("Research"),
    "monitoring": N_("Monitoring"),
    "education": N_("Education"),
    # scopes
    "international": N_("International"),
    "regional": N_("Regional"),
    "national": N_("National"),
    # kinds of comment
    "editorial": N_("editorial"),
    "substantive": N_("substantive"),
    "objection": N_("objection"),
    # dispositions
    "accepted": N_("accepted"),
    "partly": N_("accepted in part"),
    "rejected": N_("not accepted"),
    "out_of_scope": N_("out of scope"),
    "deferred": N_("deferred"),
    # where a comment's quotation is now
    "exact": N_("in place"),
    "moved": N_("moved with the text"),
    "orphan": N_("the words are gone"),
    # ballots
    "open": N_("open"),
    "carried": N_("carried"),
    "lost": N_("not carried"),
    "cancelled": N_("cancelled"),
    # positions
    "yes": N_("in favour"),
    "no": N_("against"),
    "abstain": N_("abstention"),
    "block": N_("blocking objection"),
    "recuse": N_("recused"),
    # translations
    "missing": N_("not begun"),
    "in_progress": N_("in progress"),
    "translated": N_("translated"),
    "verified": N_("verified"),
    "stale": N_("behind the text"),
    # what became of a document in a batch
    "waiting": N_("waiting"),
    "done": N_("done"),
    "refused": N_("refused"),
    # dossiers
    "consultation": N_("consultation"),
    "campaign": N_("campaign"),
    "conference": N_("conference"),
    "crisis": N_("crisis"),
}

SUBJECTS: Mapping[str, str] = {
    "comment_round_opened": N_("Please comment: %(title)s"),
    "round_reminder": N_("Still time to comment: %(title)s"),
    "round_closed": N_("Comment round over: %(title)s"),
    "comment_submitted": N_("New comments: %(title)s"),
    "comment_answered": N_("Your comment is answered: %(title)s"),
    "ballot_opened": N_("Please decide: %(title)s"),
    "ballot_reminder": N_("Your position is still missing: %(title)s"),
    "ballot_closed": N_("Decided: %(title)s"),
    "step_reminder": N_("Next step soon: %(title)s"),
    "translation_wanted": N_("To translate: %(title)s"),
    "state_entered": N_("Moved on: %(title)s"),
    "document_published": N_("Published: %(title)s"),
    "timer_refused": N_("Held up: %(title)s"),
}
"""What a mail on an event is about, by the event."""
