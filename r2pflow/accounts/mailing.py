"""Mails of sign-in: queued like every other mail, in the language of the person they go to."""

from typing import Any

from flask import current_app
from flask_security import MailUtil

from r2pflow.accounts.edge import get_edge
from r2pflow.accounts.links import absolute
from r2pflow.accounts.models import Account


class QueuedMail(MailUtil):
    """Take the mails of Flask-Security: its subject and body are replaced by ours."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,
        body: str | None,
        html: str | None,
        **context: Any,
    ) -> None:
        """Queue the mail and commit."""
        account: Account = context["user"]
        name = template.rsplit("/", 1)[-1]
        send_account_mail(account, name, **{key: context[key] for key in ("reset_token",) if key in context})
        current_app.extensions["r2pflow"].db.session.commit()


def send_account_mail(account: Account, name: str, **context: Any) -> None:
    """Queue the mail `security/email/<name>` in the running transaction."""
    edge = get_edge()
    with edge.speak_in(account.person.language):
        values = {"person": account.person, "absolute": absolute, **context}
        subject = " ".join(edge.render_text(f"security/email/{name}.subject.txt", **values).split())
        text = edge.render_text(f"security/email/{name}.txt", **values)
        html = edge.render_text(f"security/email/{name}.html", **values)
    edge.queue_mail(to=account.email, subject=subject, text=text, html=html)
