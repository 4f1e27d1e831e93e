"""Signals that announce, after the commit, what has happened; a receiver can refuse nothing.

Each is sent with the application as sender and the named values:

    transition_fired      document_id, reference, transition, source, target, trigger
    document_published    document_id, symbol, edition, languages
    comment_submitted     document_id, comment_id
    ballot_closed         document_id, ballot_id, outcome
"""

from blinker import Namespace

_signals = Namespace()

transition_fired = _signals.signal("transition-fired")
document_published = _signals.signal("document-published")
comment_submitted = _signals.signal("comment-submitted")
ballot_closed = _signals.signal("ballot-closed")
