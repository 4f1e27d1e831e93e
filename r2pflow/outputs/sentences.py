"""The sentences of errors and refusals: what is the matter, and what to do about it, in any language."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from r2pflow.domain.errors import DefinitionError, DefinitionErrors, R2PFlowError, Refusal, Refused
from r2pflow.domain.people import SYSTEM, Titles
from r2pflow.outputs.translations import Translator
from r2pflow.outputs.words import N_, WORDS

FieldTitle = Callable[[str], str]
"""Give the title of a field of the document at hand in the reader's language; empty when it has none."""

SENTENCES: Mapping[str, str] = {
    # what was sent
    "unknown_job": N_("No worker here knows jobs of the kind %(value)s. A plugin may be missing."),
    "choose_holder": N_("Choose a person, an organisation or a group to share with."),
    "required": N_("Please fill in this field."),
    "already_taken": N_("“%(value)s” is already in use. Please choose another."),
    "bad_email": N_("“%(value)s” is no e-mail address. It should look like name@example.org."),
    "bad_group": N_("The name of a group has letters a to z, digits and underscores only, at most 80 of them."),
    "bad_slug": N_("A short name has lower-case letters a to z, digits and hyphens only, at most 80 of them."),
    "bad_digest": N_("A digest has 64 characters, 0 to 9 and a to f."),
    "not_a_digest": N_("A digest has 64 characters, 0 to 9 and a to f."),
    "not_a_number": N_("“%(value)s” is no whole number."),
    "bad_body": N_("Send a JSON object: “comment” is a text, “change_number” a whole number. Both may be left out."),
    "no_file": N_("Please choose a file first."),
    "empty_comment": N_("Please write your comment before you send it."),
    "empty_text": N_("The text is empty. Write at least a title and a paragraph."),
    "no_text": N_("The document has no text yet. Write one under “Edit” first."),
    "reason_required": N_("Please give a reason: it will be read together with your answer."),
    "quotation_not_found": N_(
        "The words “%(value)s” are not in this paragraph. Select them again, or comment on all of it."
    ),
    "unknown_block": N_("This paragraph is no longer in the text. Reload the page and choose it again."),
    "unknown_choice": N_("“%(value)s” is not one of the choices. Please take one from the list."),
    "unknown_document_type": N_("There is no such type of document. Please take one from the list."),
    "unknown_workflow": N_("No file defines the workflow “%(value)s” that is to apply here."),
    # taking a Plone site over
    "not_json": N_("%(name)s is no JSON: %(found)s"),
    "not_an_export": N_("This is no content export of collective.exportimport: found %(found)s."),
    "not_an_object": N_("An entry of the export is no object of a Plone site. It was left out."),
    "object_twice": N_("The object is in the export twice. The first one counts."),
    "bad_instant": N_("A time in the export cannot be read: %(found)s."),
    "bad_comment": N_("A comment of the export cannot be read: %(found)s."),
    "original_missing": N_("This is a translation of an object that was not taken over."),
    "roles_of_site": N_("Roles on the whole site are not taken over: %(holders)s. Give them in the directory."),
    "not_imported": N_("The object that this belongs to was not taken over."),
    "state_unknown": N_("The workflow has no state “%(state)s”. The document stands in “%(taken)s” instead."),
    "window_not_opened": N_("The state “%(state)s” opens a round or a ballot. It was not opened for %(reference)s."),
    "translation_apart": N_(
        "The paragraphs do not pair with those of %(original)s: taken over as a document of its own."
    ),
    "holder_unknown": N_("“%(holder)s” stands for everybody, and was given no role."),
    "dossier_below_itself": N_("A dossier cannot lie in itself, nor in one that lies in it. Choose another place."),
    "dossiers_too_deep": N_("Dossiers lie inside each other at most %(limit)s deep. Choose a place higher up."),
    "policy_does_not_fit": N_("These workflows do not fit documents of this type: %(found)s"),
    "unknown_dossier": N_("There is no dossier of that name. Please take one from the list."),
    "unknown_field": N_("This type of document has no such field. Reload the form and try again."),
    "unknown_kind": N_("This round does not take comments of that kind. Please take one from the list."),
    "unknown_language": N_("This document does not exist in that language. Please take one from the list."),
    "unknown_outcome": N_("Please choose one of the answers in the list."),
    "unknown_position": N_("This ballot does not know that position. Please take one from the list."),
    "unknown_revision": N_("There is no such revision of this document. Reload the page and try again."),
    "unknown_timezone": N_("There is no such time zone. Please take one from the list, such as Europe/Paris."),
    "unknown_calendar": N_("Days count as “all” or as “working” days. Please choose one of them."),
    "bad_duration": N_("This is no duration. Write for example P5D for five days or PT12H for twelve hours."),
    "bad_date": N_("“%(value)s” is no date. It should look like 2027-03-31."),
    "bad_datetime": N_("“%(value)s” is no day and time. It should look like 2027-03-31 14:30."),
    "bad_number": N_("“%(value)s” is no number. Write it with digits, such as 1200 or 12.5."),
    "bad_amount": N_("“%(value)s” is no amount. Write it with digits and at most two decimals, such as 1250.50."),
    "bad_url": N_("“%(value)s” is no web address. It should look like https://example.org/page."),
    "ends_before_start": N_("The end comes before the beginning."),
    "bad_time": N_("“%(value)s” is no time. It should look like 14:30."),
    "bad_field": N_("“%(value)s” does not fit this field."),
    "no_working_day": N_("No working day follows within a year. Ask the secretariat to look at its calendar."),
    "not_answered_yet": N_("This comment has not been answered yet."),
    "text_too_large": N_("The text is too large. Divide it into several documents."),
    "too_deeply_nested": N_("Lists or quotations lie too deep inside one another. Take them apart and try again."),
    "too_many_blocks": N_("The text has too many paragraphs (the limit is %(limit)s). Divide it into two documents."),
    "too_many_elements": N_("The formatting of the text is too heavy. Paste it again without its formatting."),
    "block_shape": N_("The translation of a paragraph must stay a paragraph of the same kind."),
    "address_not_allowed": N_("A link may lead to a web page, a mail address or a place in the text only."),
    "unreadable_file": N_("This file cannot be read. Save it again as .docx, .html, .md or .txt and try once more."),
    "import_failed": N_("This file cannot be read. Save it again as .docx, .html, .md or .txt and try once more."),
    "broken_file": N_(
        "The file %(name)s cannot be read: damaged, protected by a password, or another kind. Save it again first."
    ),
    "empty_file": N_("The file %(name)s is empty."),
    "file_too_large": N_("The file %(name)s is larger than can be imported. Divide it, or leave pictures out."),
    "wrong_encoding": N_("The text of %(name)s is not in UTF-8. Save it again with that encoding."),
    "no_plan": N_("The document %(reference)s has no plan of dates to take away."),
    "unknown_event": N_("Nothing is known of an event called %(value)s."),
    "unknown_format": N_("This kind of file cannot be imported. Use .docx, .html, .md or .txt."),
    "upload_too_large": N_("The file is larger than %(limit)s. Make it smaller, for example without pictures."),
    "in_the_past": N_("This moment is past. Choose one that is still ahead."),
    "too_far_ahead": N_("This moment is more than ten years ahead. Choose a nearer one."),
    "too_many_schedules": N_("So much is scheduled on this document already (%(limit)s). Take something back first."),
    "choose_documents": N_("Choose at least one document."),
    "too_many_documents": N_("%(count)s documents are too many at once; at most %(limit)s are possible."),
    "documents_not_found": N_("These documents do not exist, or are not open to you: %(references)s."),
    "comments_differ": N_("Some of these documents ask for a comment at this step, others take none. Fire them apart."),
    "nothing_to_fire": N_("None of these documents can take this step now. Choose others, or try them all the same."),
    "wrong_password": N_("This is not your present password."),
    # questions about a definition
    "question_ambiguous": N_("“%(found)s” is both a state and a transition. Say which."),
    "question_contradicts_itself": N_("“%(question)s” asks for what it leaves out, so that there is nothing to prove."),
    "question_ends_early": N_("“%(question)s” ends where more is expected."),
    "question_mistyped_name": N_("There is no %(kind)s “%(found)s” here. Did you mean “%(nearest)s”?"),
    "question_open_quote": N_("A quotation mark is not closed: %(found)s"),
    "question_too_long": N_("A question has at most %(limit)s characters."),
    "question_unclear": N_("“%(found)s” is not expected at this place of “%(question)s”."),
    "question_unknown_name": N_("There is no %(kind)s “%(found)s” here."),
    # ballots
    "ballot_undecided": N_("The ballot is still open: not every position that counts has been recorded."),
    "empty_electorate": N_("Nobody could vote in this ballot. Give a role to the organisations that should."),
    "rule_too_large": N_("The rule has more clauses, counted in every group, than can be judged (%(limit)s)."),
    "weight_too_long": N_("The weight %(attribute)s of %(voter)s has more than %(limit)s digits."),
    "attribute_missing": N_("The rule reads an attribute that an organisation lacks. Complete it in the directory."),
    "bad_weight": N_("The weight of an organisation is no number. Correct it in the directory."),
    "duplicate_voter": N_("An organisation is in this electorate twice. Ask the secretariat to look into it."),
    "ballot_closed": N_("This ballot is closed; positions can no longer be recorded."),
    "ballot_secret": N_("This ballot is secret: only its totals are shown, on the page of the decision."),
    "not_in_electorate": N_("Your organisation has no vote in this ballot. The secretariat can tell you why."),
    # permission
    "sign_in_first": N_("Please sign in to do this."),
    "form_expired": N_("This form had been open for too long, or in another window. Please send it once more."),
    "may_not_create": N_("You may not begin a document of this type. The secretariat can do it for you."),
    "not_an_administrator": N_("Only the secretariat keeps the directory. Please write to it."),
    "not_a_keeper": N_(
        "This takes the secretariat, or the role “secretariat” on the dossier: where it lies, and where it goes."
    ),
    "not_yours_to_explain": N_("What others may do is told to the secretariat, and to who may share the document."),
    "not_your_comment": N_("Only the organisation that made this comment can say whether the answer satisfies it."),
    "only_managers_grant_manager": N_("Only an administrator can make somebody an administrator."),
    "not_your_schedule": N_("Only who scheduled this, or the secretariat, can take it back."),
    "only_own_roles": N_("You can only share a role that you hold yourself."),
    "round_closed": N_("The comment round is over. Write to the secretariat if your comment must still be heard."),
    "text_frozen": N_("The text cannot be changed at this stage. It can again once the document is sent back."),
    "verifier_is_translator": N_("Somebody other than the translator has to verify a translation."),
    # absence
    "document_not_found": N_("There is no document %(reference)s, or it is not open to you."),
    "batch_not_found": N_("There is no such batch, or it is not open to you."),
    "schedule_not_found": N_("Nothing is scheduled there any more: it was done, or taken back."),
    "ballot_not_found": N_("There is no such ballot, or it is not open to you."),
    "job_not_found": N_("This job is no longer given up: it is waiting, running or done."),
    "comment_not_found": N_("There is no such comment, or it is not open to you."),
    "dossier_not_found": N_("There is no such dossier."),
    "group_not_found": N_("There is no such group."),
    "edition_not_found": N_("There is no published document of that symbol."),
    "publication_not_found": N_("There is no published document of that symbol."),
    "file_not_ready": N_("This file is still being made. Try again in a minute."),
    "not_translated_yet": N_("This document has not been translated into that language yet."),
    "language_not_published": N_("This document has not been published in that language."),
    "pdf_file_missing": N_("The file of this edition is gone from the disk. Please tell the operator: %(path)s."),
    "pdf_not_ready": N_("This PDF is still being made. Try again in a minute."),
    "local_role_not_found": N_("This share was already taken away."),
    "organisation_not_found": N_("There is no such organisation in the directory."),
    "person_not_found": N_("There is no such person in the directory."),
    "unknown_state": N_("No version of the workflow has the state “%(value)s”. Take one of those that are accepted."),
    "unknown_version": N_("No document stands in the version %(value)s of the workflow %(workflow)s."),
    "state_not_mapped": N_("The new version has no state “%(state)s”. Say which state takes its place."),
    "round_open": N_("A comment round is open, and the new version has no place for it. Close it first."),
    "ballot_open": N_("A ballot is open, and the new version has no place for it. Close it first."),
    "workflow_in_chain": N_("The document runs in the workflow %(workflow)s already, beside this one."),
    "worklist_not_found": N_("There is no such worklist, or it is not for you."),
    "workflow_not_found": N_("There is no workflow of that name."),
    "version_not_found": N_("There is no such version of this workflow. Choose one from the list."),
    "page_not_found": N_("There is no page at this address."),
    "unknown_transition": N_("There is no such step in this workflow. Go back to the document and choose another."),
    # meanwhile
    "moved_on": N_("Somebody else changed this document meanwhile. Look at it again, then repeat your step."),
    "dossier_not_empty": N_("The dossier still holds documents or dossiers. Move them elsewhere first."),
    "already_answered": N_("Somebody else answered this comment meanwhile. Read that answer before you change it."),
    "ballot_on_other_text": N_("The text is no longer the one on which this ballot was held."),
    "source_moved_on": N_(
        "The text behind this translation changed meanwhile. Your words are still here: compare, save again."
    ),
    "merge_conflict": N_(
        "Somebody else changed the same paragraphs meanwhile. Your text is still here: compare, save again."
    ),
    # machine and configuration
    "bad_setting": N_("The setting %(key)s has a value that does not fit: %(value)s. Accepted: %(remedy)s."),
    "definition_twice": N_("The %(kind)s %(name)s is defined twice: %(paths)s. Rename one of them."),
    "mounted_twice": N_("r2pflow is mounted twice in this application. Call init_app once."),
    "no_database": N_("The application has no SQLAlchemy() that r2pflow could use: call db.init_app(app) first."),
    "definition_unreadable": N_(
        "The workflow %(workflow)s, version %(version)s, cannot be run here any more: %(found)s. "
        "Documents that wait on it: %(documents)s. Install the plugin that it needs, or move them to another version."
    ),
    "document_type_missing": N_(
        "No file defines documents of the type %(type)s any more. The operator can put it back; nothing is lost."
    ),
    "folder_missing": N_("A folder is missing: %(path)s. Make it, or mend the setting that names it."),
    "fonts_missing": N_("Fonts are missing. Run `make setup`, then `r2pflow doctor`."),
    "native_library_missing": N_("A library is missing: %(what)s. Type: %(remedy)s"),
    "graphviz_missing": N_("Pictures of workflows need Graphviz, which is missing. Type: %(remedy)s"),
    "layout_failed": N_("The workflow cannot be laid out as a picture (%(found)s). Its table says the same."),
    "pandoc_missing": N_("Word files need pandoc, which is missing. Type: %(remedy)s"),
    "export_busy": N_("Several files are being made just now. Try again in a minute."),
    "export_failed": N_("The %(format)s file could not be made (%(found)s). `r2pflow doctor` may say why."),
    "plugin_bad": N_("The plugin %(provider)s registers %(name)s wrongly: %(found)s."),
    "plugin_failed": N_("The plugin %(provider)s failed while it registered: %(found)s."),
    "plugin_name_empty": N_("The plugin %(provider)s registers a %(kind)s without a name."),
    "plugin_name_reserved": N_("The plugin %(provider)s registers %(name)s, a name that the format keeps."),
    "plugin_name_taken": N_("%(name)s is registered twice, by: %(providers)s. Remove one of the plugins."),
    "plugin_not_importable": N_("The plugin %(plugin)s of %(provider)s cannot be imported: %(found)s."),
    "plugin_target_missing": N_("%(target)s, which %(provider)s registers as %(name)s, is not there: %(found)s."),
    "plugin_target_not_callable": N_("%(target)s, which %(provider)s registers as %(name)s, is no function."),
    "mail_refused": N_("The mail server %(server)s did not take the mail: %(found)s."),
    "mail_unreachable": N_("The mail server %(server)s cannot be reached: %(found)s. See R2PFLOW_MAIL_SERVER."),
    "database_not_upgraded": N_("The database is of another version than this program. Type: r2pflow db upgrade"),
    "instance_not_empty": N_("There are documents in %(path)s already. Name an empty folder by R2PFLOW_INSTANCE."),
    "port_taken": N_("Nothing can listen at %(host)s, port %(port)s: %(found)s. Choose another by --port."),
    "file_unreadable": N_("The file %(name)s cannot be read: %(found)s."),
    "file_not_writable": N_("The file %(name)s cannot be written: %(found)s."),
    "unknown_export": N_("Nothing is exported in the format %(value)s."),
    "database_unreachable": N_("The database cannot be reached: %(found)s. Look at R2PFLOW_DATABASE_URL."),
    "instance_not_writable": N_("The folder %(path)s cannot be written to. Change its owner, or R2PFLOW_INSTANCE."),
    "database_busy": N_("The database is busy: others are writing to it. Try again in a moment."),
    # refusals
    "effect_failed": N_("What belongs to this step failed (%(name)s), so nothing was changed. Tell the operator."),
    "failed_unexpectedly": N_("This failed on a fault of the program (%(error)s). The operator's log says more."),
    "person_inactive": N_("Who asked for this has no active account any more."),
    "wrong_state": N_("This step does not lead from the present state. Reload the page to see where it is."),
    "not_this_trigger": N_("This step happens by itself; nobody fires it by hand."),
    "comment_required": N_("Say a word about why: this step needs a comment."),
    "comment_not_allowed": N_("This step takes no comment. Leave the field empty."),
}

GENERAL: Mapping[str, str] = {
    "InvalidInput": N_("Something in what you sent does not fit. Check it and try again."),
    "NotFound": N_("There is no such thing, or it is not open to you."),
    "Forbidden": N_("You may not do this."),
    "Refused": N_("This step is not possible now."),
    "Conflict": N_("Something changed meanwhile. Reload the page and try again."),
    "SetupError": N_("Something is missing on this machine. The operator can run `r2pflow doctor` to see what."),
}

_CONDITIONS: Mapping[str, str] = {
    "has_text": N_("The document has no text yet. Write it under “Edit”."),
    "comments_closed": N_("The comment round is still open. Close it, or wait for its deadline."),
    "has_open_comments": N_("There is no comment left to answer."),
    "has_published_edition": N_("No edition is published yet."),
}

_BALLOTS: Mapping[tuple[str, str], str] = {  # by what was asked for (empty: anything) and what was found
    ("", "none"): N_("No ballot has been held on this text."),
    ("", "open"): N_("The ballot is still open."),
    ("", "carried"): N_("The ballot is already closed."),
    ("", "lost"): N_("The ballot is already closed."),
    ("", "cancelled"): N_("The ballot was cancelled."),
    ("carried", "lost"): N_("The ballot did not carry."),
    ("lost", "carried"): N_("The ballot carried, so there is nothing to send back."),
}


def sentence(found: R2PFlowError | Refusal, speak: Translator, field_title: FieldTitle | None = None) -> str:
    """Return what the error or refusal means and what would help; never empty, whatever the code."""
    if isinstance(found, Refused):
        told = " ".join(sentence(refusal, speak, field_title) for refusal in found.refusals)
        return told or speak.gettext(GENERAL["Refused"])
    if isinstance(found, DefinitionError | DefinitionErrors):
        return str(found)
    params = found.params
    if isinstance(found, Refusal) and found.code == "condition":
        return _tell_condition(params, speak, field_title)
    if found.code == "no_permission":
        return _tell_permission(params, speak)
    if found.code == "no_role":
        return speak.gettext("This is for: %(roles)s.", roles=_join_words(params.get("roles", ()), speak))
    if found.code == "no_group":
        return speak.gettext("This is for members of: %(groups)s.", groups=_join(params.get("groups", ()), speak))
    if found.code == "too_long":
        return speak.gettext(
            "This text has %(count)s characters; at most %(limit)s are possible.",
            count=speak.number(params.get("count", 0)),
            limit=speak.number(params.get("limit", 0)),
        )
    if found.code == "translation_incomplete":
        return speak.ngettext(
            "%(num)s paragraph is not translated yet.",
            "%(num)s paragraphs are not translated yet.",
            int(params.get("count", 1)),
        )
    if found.code == "moved_on" and params.get("meanwhile"):
        happened = (_tell_happening(one, speak) for one in params["meanwhile"])
        return " ".join((speak.gettext(SENTENCES.get("moved_on", "")), speak.gettext("Meanwhile:"), *happened))
    if found.code in SENTENCES:
        try:
            filled = {name: _tell(value, speak) for name, value in params.items()}
            return speak.gettext(SENTENCES[found.code], **{"path": filled.get("where"), **filled})
        except (KeyError, TypeError, ValueError):  # raised with other parameters than its sentence has
            pass
    kinds = [kind.__name__ for kind in type(found).__mro__]
    return speak.gettext(next((GENERAL[kind] for kind in kinds if kind in GENERAL), GENERAL["Refused"]))


def word(name: str, speak: Translator) -> str:
    """Return the word for a fixed name; one that nobody fixed with spaces for underscores."""
    return speak.gettext(WORDS[name]) if name in WORDS else name.replace("_", " ")


def _join(words: Iterable[Any], speak: Translator) -> str:
    found = [str(one) for one in words]
    return speak.enumeration(found) if found else ""


def _join_words(names: Iterable[str], speak: Translator) -> str:
    return _join((word(name, speak) for name in names), speak)


def _tell(value: Any, speak: Translator) -> Any:
    return _join(value, speak) if isinstance(value, list | tuple) else value


_HAPPENINGS: Mapping[str, str] = {
    "transition": N_("%(who)s chose “%(transition)s”; the document is now in “%(state)s” (%(at)s)."),
    "text": N_("%(who)s changed the text (%(at)s)."),
    "fields": N_("%(who)s filled in fields (%(at)s)."),
    "migration": N_("%(who)s moved the document to another workflow; it is now in “%(state)s” (%(at)s)."),
}


def _tell_happening(one: Mapping[str, Any], speak: Translator) -> str:
    who, at = word(one["who"], speak) if one["who"] == SYSTEM else one["who"], speak.datetime(one["at"])
    transition, state = (word(one[name], speak) for name in ("transition", "target"))
    return speak.gettext(_HAPPENINGS[one.get("what", "")], who=who, transition=transition, state=state, at=at)


def _tell_permission(params: Mapping[str, Any], speak: Translator) -> str:
    what = _join_words(params.get("permissions") or [params.get("permission", "")], speak)
    holders = params.get("holders")
    if holders:
        return speak.gettext(
            "You may not %(what)s at this stage; these may: %(holders)s.",
            what=what,
            holders=_join_words(holders, speak),
        )
    return speak.gettext("You may not %(what)s at this stage.", what=what)


def _tell_condition(params: Mapping[str, Any], speak: Translator, field_title: FieldTitle | None) -> str:
    name, argument, detail = params.get("name", ""), params.get("argument"), params.get("detail") or {}
    if "error" in detail:
        return speak.gettext("A condition of this step could not be checked (%(name)s). Tell the operator.", name=name)
    if isinstance(detail.get("told"), Mapping):  # a plugin's own words, by language
        return Titles({code: str(text) for code, text in detail["told"].items()}).get(speak.language)
    if name in ("any", "all", "not"):
        return _tell_combination(name, detail, speak, field_title)
    if "operator" in detail:
        return speak.gettext(
            "The field “%(field)s” does not allow this step: it is now “%(found)s”.",
            field=_title(name, field_title),
            found=_tell(detail.get("found"), speak) or "–",
        )
    if name == "glossary_clean":
        words = _join(detail["warnings"], speak)
        return speak.gettext("The message check found words to reconsider: %(words)s.", words=words)
    if name == "fields_filled":
        return speak.gettext(
            "Some fields are still empty: %(fields)s. Fill them in first.",
            fields=_join((_title(one, field_title) for one in detail["fields"]), speak),
        )
    if name == "no_comment_unanswered":
        return speak.ngettext(
            "%(num)s comment still waits for an answer.",
            "%(num)s comments still wait for an answer.",
            int(detail.get("count") or 0),
        )
    if name == "no_substantive_comment_unanswered":
        return speak.ngettext(
            "%(num)s substantive comment or objection still waits for an answer.",
            "%(num)s substantive comments or objections still wait for an answer.",
            int(detail.get("count") or 0),
        )
    if name == "ballot":
        found = str(detail.get("found"))
        told = _BALLOTS.get((str(argument), found)) or _BALLOTS["", found]
        return speak.gettext(told)
    if name in ("languages_ready", "language_verified"):
        missing = _join((speak.language_name(code) for code in detail["languages"]), speak)
        return speak.gettext("These languages are not verified yet: %(languages)s.", languages=missing)
    if name == "in_state" and isinstance(detail.get("found"), Mapping):
        wanted = detail.get("accepted") or {}
        return " ".join(
            speak.gettext(
                "In the workflow “%(workflow)s” the document is in “%(found)s”; this step waits for: %(states)s.",
                workflow=word(workflow, speak),
                found=word(str(found or "–"), speak),
                states=_join((word(one, speak) for one in wanted.get(workflow, ())), speak),
            )
            for workflow, found in detail["found"].items()
            if found not in wanted.get(workflow, ())
        )
    if name in _CONDITIONS:
        return speak.gettext(_CONDITIONS[name])
    return speak.gettext("A condition of this step is not met: %(name)s.", name=word(name, speak))


def _tell_combination(name: str, detail: Mapping[str, Any], speak: Translator, field_title: FieldTitle | None) -> str:
    inner = [_tell_condition(one, speak, field_title) for one in detail.get("refusals", ())]
    if name == "not" or not inner:
        tests = _join(detail.get("tests", ()), speak)
        return speak.gettext("A condition of this step is not met: %(name)s.", name=tests)
    if name == "any" and len(inner) > 1:
        return speak.gettext("One of these must change first: %(sentences)s", sentences=" ".join(inner))
    return " ".join(inner)


def _title(name: str, field_title: FieldTitle | None) -> str:
    return (field_title(name) if field_title else "") or name.replace("_", " ")
