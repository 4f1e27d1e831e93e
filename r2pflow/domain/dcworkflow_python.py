"""Python expressions in TALES, taken to pieces: constants, the document and its fields, the person, scripts."""

import ast
import warnings
from typing import Any

DOCUMENT = ("here", "object", "context")

# Attributes that every object of Plone has, and no document type here as a field.
_NOT_FIELDS = frozenset(
    "id getId absolute_url portal_type meta_type review_state REQUEST aq_parent aq_inner aq_base Title Description "
    "Subject Creator Type Language Rights Contributors listCreators created modified effective expires "
    "restrictedTraverse objectIds objectValues contentIds contentValues isPrincipiaFolderish".split()
)
_NOT_FIELD_PREFIXES = ("_", "aq_", "portal_", "plone_", "manage_", "acl_", "wl_", "at_", "get")


class Untranslatable(Exception):
    """Say why an expression is not one that a guard here can ask."""


def parse(code: str) -> ast.expr:
    """Return the expression; refuse with Untranslatable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of odd escapes in what it parses
            return ast.parse(" ".join(code.split()) if "\n" in code else code.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Untranslatable("it is not Python") from error


def script_of(function: ast.expr) -> str:
    """Return the name of the workflow's script that is called, or nothing."""
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "scripts":
        return function.attr
    if isinstance(function, ast.Subscript) and isinstance(function.value, ast.Name) and function.value.id == "scripts":
        name = literal(function.slice)
        return name if isinstance(name, str) else ""
    return ""


def is_document(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in DOCUMENT


def is_person(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in ("user", "member")
    is_call = isinstance(node, ast.Call) and not node.args and not node.keywords
    return is_call and tell(node).endswith("portal_membership.getAuthenticatedMember()")


def field_of(node: ast.expr) -> str | None:
    """Return the field that the node reads of the document, or None when it is something else."""
    if isinstance(node, ast.Attribute) and is_document(node.value):
        return check_field(node.attr)
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and is_document(node.func.value)
    if is_method and isinstance(node, ast.Call) and tell(node.func).endswith(".getProperty") and len(node.args) == 1:
        name = literal(node.args[0])
        return check_field(name) if isinstance(name, str) else None
    is_getattr = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr"
    if is_getattr and isinstance(node, ast.Call) and len(node.args) in (2, 3) and is_document(node.args[0]):
        name = literal(node.args[1])
        if len(node.args) == 3 and literal(node.args[2]) not in (None, "", [], False):
            return None
        return check_field(name) if isinstance(name, str) else None
    return None


def check_field(name: str) -> str:
    """Return the name; refuse with Untranslatable what is an attribute of every object of Plone."""
    if not name or name in _NOT_FIELDS or name.startswith(_NOT_FIELD_PREFIXES):
        raise Untranslatable(f"{name[:100]!r} is no field of a document here")
    return name


def literal(node: ast.expr) -> Any:
    """Return the constant, tuples as lists; refuse with Untranslatable."""
    try:
        return _as_plain(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise Untranslatable(f"`{tell(node)}` is no constant") from error


def _as_plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_plain(part) for part in value]
    if isinstance(value, dict) and all(isinstance(key, str) and key.strip() and len(key) <= 100 for key in value):
        return {key: _as_plain(part) for key, part in value.items()}
    # A YAML file reads numbers of so many digits as numbers, and others as text.
    is_number = isinstance(value, int | float) and (value == 0 or 1e-9 <= abs(value) < 1e17)
    if value is None or isinstance(value, bool) or is_number:
        return value
    if isinstance(value, str):
        value.encode()  # refuses half a character
        return value
    raise ValueError(value)


def tell(node: ast.expr) -> str:
    """Return the expression for a message, shortened."""
    try:
        told = ast.unparse(node)
    except (RecursionError, ValueError):
        told = "..."
    return told if len(told) <= 60 else told[:57] + "..."
