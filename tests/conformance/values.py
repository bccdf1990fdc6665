"""Values of the conformance cases: reading rows, and comparing them as the README says."""
import json
import struct
from decimal import Decimal

RELATIVE = Decimal("1e-12")


def parse_rows(text):
    """Each line as a list of (key, value) pairs, so that a name may come twice."""
    return [parse_json(line) for line in text.split("\n") if line.strip()]


def parse_json(text):
    return json.loads(text, object_pairs_hook=Pairs, parse_float=Decimal)


class Pairs(list):
    """A JSON object in its order."""


# ---- types -------------------------------------------------------------------------------------------------

def parse_ddl(text):
    """A schema.ddl as [(name, type)]; nullability and comments are dropped. A type is a tuple, its first the kind."""
    fields, rest = _fields(text.strip(), end="")
    if rest:
        raise ValueError(f"cannot read the schema behind `{rest[:30]}`")
    return fields


def _fields(text, end):
    fields = []
    while text and not text.startswith(end or "\0"):
        name, text = _name(text)
        text = text.lstrip()
        if text.startswith(":"):
            text = text[1:].lstrip()
        kind, text = _type(text)
        text = text.lstrip()
        if text.upper().startswith("NOT NULL"):
            text = text[8:].lstrip()
        fields.append((name, kind))
        if text.startswith(","):
            text = text[1:].lstrip()
    return fields, text


def _name(text):
    if not text.startswith("`"):
        end = next((i for i, c in enumerate(text) if c in " :\t"), len(text))
        return text[:end], text[end:]
    name, i = "", 1
    while True:
        if text[i] == "`" and text[i + 1 : i + 2] == "`":
            name += "`"
            i += 2
        elif text[i] == "`":
            return name, text[i + 1 :]
        else:
            name += text[i]
            i += 1


def _type(text):
    end = next((i for i, c in enumerate(text) if not (c.isalnum() or c == "_")), len(text))
    kind, rest = text[:end].lower(), text[end:].lstrip()
    kind = {"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "real": "float"}.get(kind, kind)
    if kind in ("decimal", "dec", "numeric") and rest.startswith("("):
        inside, rest = rest[1:].split(")", 1)
        return ("decimal", *[int(part) for part in inside.split(",")]), rest
    if kind == "array":
        element, rest = _type(rest[1:].lstrip())
        return ("array", element), rest.lstrip()[1:]
    if kind == "map":
        key, rest = _type(rest[1:].lstrip())
        value, rest = _type(rest.lstrip()[1:].lstrip())
        return ("map", key, value), rest.lstrip()[1:]
    if kind == "struct":
        fields, rest = _fields(rest[1:].lstrip(), end=">")
        return ("struct", tuple(fields)), rest[1:]
    if kind == "interval":
        words = rest.split()
        for length in (3, 1):
            phrase = " ".join(words[:length]).upper().rstrip(",>")
            if length == 3 and " TO " not in f" {phrase} ":
                continue
            return ("interval", phrase), rest[rest.upper().index(phrase) + len(phrase) :]
    return (kind,), rest if rest.startswith((",", ">")) else text[end:]


# ---- comparing ---------------------------------------------------------------------------------------------

def same(kind, ours, theirs):
    """Are the two values of the type the same?"""
    if ours is None or theirs is None:
        return ours is theirs
    name = kind[0]
    if name == "float":
        return _same_float(ours, theirs)
    if name == "double":
        return _same_double(ours, theirs)
    if name == "decimal":
        return _is_number(ours) and _is_number(theirs) and Decimal(ours) == Decimal(theirs)
    if name == "array":
        return isinstance(ours, list) and len(ours) == len(theirs) and all(
            same(kind[1], a, b) for a, b in zip(ours, theirs))
    if name == "struct":
        return isinstance(ours, Pairs) and same_row(kind[1], ours, theirs)
    if name == "map":
        return isinstance(ours, Pairs) and len(ours) == len(theirs) and all(
            a == b and same(kind[2], x, y) for (a, x), (b, y) in zip(sorted(ours, key=str), sorted(theirs, key=str)))
    return type(ours) is type(theirs) and ours == theirs


def _is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _same_double(ours, theirs):
    if not (_is_number(ours) and _is_number(theirs)):
        return ours == theirs
    a, b = Decimal(ours), Decimal(theirs)
    return a == b or abs(a - b) <= RELATIVE * max(abs(a), abs(b))


def _same_float(ours, theirs):
    """Java prints some floats longer than they need be: they are the same if they read as the same float."""
    if not (_is_number(ours) and _is_number(theirs)):
        return ours == theirs
    return struct.pack("f", float(ours)) == struct.pack("f", float(theirs))


def same_row(fields, ours, theirs):
    if [key for key, _ in ours] != [key for key, _ in theirs]:
        return False
    kinds = {name: kind for name, kind in fields}
    return all(same(kinds[key], a, b) for (key, a), (_, b) in zip(ours, theirs))


def sort_key(value):
    """Brings rows that are the same next to each other in both lists; doubles by their first digits."""
    if isinstance(value, list):
        return "[" + ",".join(sort_key(item) for item in value) + "]"
    if isinstance(value, tuple):
        return value[0] + ":" + sort_key(value[1])
    if _is_number(value):
        return f"{Decimal(value):.8e}"
    return str(value)


def differing_row(fields, ours, theirs, ordered):
    """What differs between two lists of rows, in words; None if nothing does."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows, expected {len(theirs)}"
    if not ordered:
        ours, theirs = sorted(ours, key=sort_key), sorted(theirs, key=sort_key)
    for number, (a, b) in enumerate(zip(ours, theirs)):
        if not same_row(fields, a, b):
            return f"row {number}: {show(a)}, expected {show(b)}"
    return None


def show(value):
    """A value as short text."""
    def plain(v):
        if isinstance(v, Pairs):
            return {k: plain(x) for k, x in v}
        if isinstance(v, list):
            return [plain(x) for x in v]
        return str(v) if isinstance(v, Decimal) else v
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= 400 else text[:400] + "..."
