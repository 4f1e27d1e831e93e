"""Tally a ballot from two files: its entry in YAML, its voters in CSV.

The only part of the core that opens files: for auditors, who need nothing but these two.
"""

import csv
import io
import re
from pathlib import Path
from typing import Any, NoReturn

from r2pflow.domain.clauses import BallotRule, Voter, list_attributes
from r2pflow.domain.decisions import check_voters, judge
from r2pflow.domain.errors import DefinitionError, DefinitionErrors, InvalidInput
from r2pflow.domain.reading import read_ballot, read_file
from r2pflow.domain.rule_errors import shorten
from r2pflow.domain.verdicts import Verdict

MAX_CELL = 10_000  # characters
MAX_BYTES = 100_000_000

MESSAGES = {
    "file_unreadable": "the file cannot be read: {problem}",
    "file_too_large": "the file is larger than {limit} bytes",
    "csv_encoding": "the text is not UTF-8",
    "csv_syntax": "this is not CSV: {problem}",
    "csv_no_header": "the first line must be the header voter,position,...",
    "csv_header": "the header has no column {name}; expected is voter,position,... with commas",
    "csv_blank_column": "column {number} has no name",
    "csv_duplicate_column": "the column {name} is there twice",
    "csv_lacks_column": "the rule reads {attribute}, and there is no such column",
    "csv_row_length": "the row has {found} cells, the header {expected}",
    "csv_blank_cell": "the cell {name} is empty",
    "csv_long_cell": "the cell {name} has more than {limit} characters",
    "csv_long_row": "a cell has more than {limit} characters",
    "csv_nul": "there is a NUL character in the text",
    "duplicate_voter": "the voter {voter} is there twice, first on line {first}",
    "unknown_position": "unknown position {position}; this ballot has {accepted}",
    "attribute_missing": "the cell {attribute} is empty",
    "rule_too_large": "the rule has more than {limit} clauses, counted in every group of these voters",
    "weight_too_long": "{attribute} has more than {limit} digits",
    "bad_weight": "{attribute} is {value}, where a number of zero or more in decimals is expected, such as 12.5",
}


def tally_files(rule_path: str | Path, csv_path: str | Path, closed: bool = False) -> Verdict:
    """Judge the voters of the CSV file by the ballot's entry in the YAML file.

    Raise DefinitionErrors for the rule and DefinitionError for the voters; their text is `file:line: message`.
    """
    ballot = read_rule_file(rule_path)
    voters = read_voters_file(csv_path, ballot)
    try:
        return judge(ballot, voters, closed=closed)
    except InvalidInput as error:
        _refuse(error.code, rule_path, 1, **error.params)


def read_rule_file(path: str | Path) -> BallotRule:
    """Read a ballot's entry, without its name above it; an electorate may be absent.

    Raise DefinitionErrors, a line of `file:line: message` for each.
    """
    try:
        ballot = read_ballot(read_file(Path(path)), str(path))
    except ValueError as error:  # a path that no file can have
        _refuse("file_unreadable", path, 0, problem=str(error))
    except DefinitionErrors as refused:
        for told in refused.errors:
            told.column = 0  # `file:line: message`, as for the voters' file
        raise
    return BallotRule(ballot.positions, ballot.rule, ballot.silence or None, ballot.reason_required)


def read_voters_file(path: str | Path, ballot: BallotRule) -> list[Voter]:
    """Read `voter,position,<attributes>`; an empty position is a voter who has not yet spoken.

    Raise DefinitionError, whose text is `file:line: message`.
    """
    text = _decode(_read_bytes(path), path)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    voters: list[Voter] = []
    lines: dict[str, int] = {}
    line = 1
    try:
        for row in rows:
            if not header:
                header = row
                _check_header(header, path, line, ballot)
            elif row:  # a blank line is no row
                voter = _read_voter(header, row, path, line)
                if voter.id in lines:
                    _refuse("duplicate_voter", path, line, voter=shorten(voter.id), first=lines[voter.id])
                lines[voter.id] = line
                voters.append(voter)
            line = rows.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            _refuse("csv_long_row", path, line, limit=MAX_CELL)
        _refuse("csv_syntax", path, line, problem=str(error))
    if not header:
        _refuse("csv_no_header", path, 1)
    try:
        check_voters(ballot, voters)
    except InvalidInput as error:
        accepted = ", ".join(shorten(position.id) for position in ballot.positions[:20])
        shown = {name: shorten(value) for name, value in error.params.items()}
        _refuse(error.code, path, lines[error.params["voter"]], **shown, accepted=accepted)
    return voters


def _check_header(header: list[str], path: str | Path, line: int, ballot: BallotRule) -> None:
    for number, name in enumerate(header, 1):
        if len(name) > MAX_CELL:
            _refuse("csv_long_cell", path, line, name=number, limit=MAX_CELL)
    for name in ("voter", "position"):
        if name not in header:
            _refuse("csv_header" if header else "csv_no_header", path, line, name=name)
    for number, name in enumerate(header, 1):
        if not name.strip():
            _refuse("csv_blank_column", path, line, number=number)
        if name in header[: number - 1]:
            _refuse("csv_duplicate_column", path, line, name=shorten(name))
    for name in list_attributes(ballot.rule):
        if name not in header or name in ("voter", "position"):
            _refuse("csv_lacks_column", path, line, attribute=shorten(name))


def _read_voter(header: list[str], row: list[str], path: str | Path, line: int) -> Voter:
    if len(row) != len(header):
        _refuse("csv_row_length", path, line, found=len(row), expected=len(header))
    cells = dict(zip(header, row, strict=True))
    for name, cell in cells.items():
        if len(cell) > MAX_CELL:
            _refuse("csv_long_cell", path, line, name=shorten(name), limit=MAX_CELL)
        if name != "position" and not cell.strip():
            _refuse("csv_blank_cell", path, line, name=shorten(name))
    return Voter(cells.pop("voter"), cells.pop("position") or None, cells)


def _read_bytes(path: str | Path) -> bytes:
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        _refuse("file_unreadable", path, 0, problem=problem)
    if len(raw) > MAX_BYTES:
        _refuse("file_too_large", path, 0, limit=MAX_BYTES)
    return raw


def _decode(raw: bytes, path: str | Path) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse("csv_encoding", path, len(re.findall(rb"\r\n|\r|\n", raw[: error.start])) + 1)
    if "\0" in text:
        _refuse("csv_nul", path, len(re.findall("\r\n|\r|\n", text[: text.index("\0")])) + 1)
    return text


def _refuse(code: str, path: str | Path, line: int, message: str = "", **params: Any) -> NoReturn:
    message = message or MESSAGES[code].format(**params)
    raise DefinitionError(code, path=str(path), line=line, message=message, **params) from None
