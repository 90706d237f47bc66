"""LDIF written and read without any LDAP library, so that what the tests expect does not come from the code under test."""

import base64
import re
import struct
from collections.abc import Iterable

Value = str | bytes | int
SAFE = re.compile(r"[\x21-\x39\x3b\x3d-\x7e][\x20-\x7e]*(?<! )|")


def rdn_value(text: str) -> str:
    """A value as it stands in a DN (RFC 4514)."""
    text = re.sub(r'([,+"\\<>;=])', r"\\\1", text)
    text = re.sub(r"^([ #])", r"\\\1", text)
    return re.sub(r" $", r"\\ ", text)


def sid_bytes(sid: str) -> bytes:
    """The binary form of S-1-…."""
    authority, *parts = map(int, sid.split("-")[2:])
    return struct.pack(">BB", 1, len(parts)) + authority.to_bytes(6, "big") + struct.pack(f"<{len(parts)}I", *parts)


def line(name: str, value: Value) -> str:
    """One attribute value; base64 where the text is not plain ASCII."""
    if isinstance(value, bool):
        value = str(value).upper()
    raw = value if isinstance(value, bytes) else str(value).encode()
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        text = None
    if text is None or not SAFE.fullmatch(text):
        return f"{name}:: {base64.b64encode(raw).decode()}\n"
    return f"{name}: {text}\n"


def record(dn: str, attributes: dict[str, Value | Iterable[Value] | None]) -> str:
    """One entry; attributes without a value are left out."""
    lines = [line("dn", dn)]
    for name, values in attributes.items():
        if values is None:
            continue
        many = [values] if isinstance(values, (str, bytes, int)) else values
        lines += [line(name, value) for value in many]
    return "".join(lines) + "\n"


def modification(dn: str, changes: list[tuple[str, str, list[Value]]]) -> str:
    """A change record of (operation, attribute, values)."""
    lines = [line("dn", dn), "changetype: modify\n"]
    for operation, name, values in changes:
        lines += [f"{operation}: {name}\n", *(line(name, value) for value in values), "-\n"]
    return "".join(lines) + "\n"


def without(entries: dict[str, dict], names: set[str]) -> dict[str, dict]:
    """Entries without some of their attributes."""
    return {dn: {name: values for name, values in entry.items() if name not in names} for dn, entry in entries.items()}


def way_back(before: dict[str, dict], after: dict[str, dict]) -> list[str]:
    """Change records that take away what is new and give the rest its values back; what is gone they cannot make again."""
    new = sorted(after.keys() - before.keys(), key=len, reverse=True)  # what is below an entry goes before it
    records = [line("dn", dn) + "changetype: delete\n\n" for dn in new]
    for dn in [dn for dn in before if dn in after]:
        names = sorted(name for name in {*before[dn], *after[dn]} if before[dn].get(name) != after[dn].get(name))
        if names:
            records.append(modification(dn, [("replace", name, before[dn].get(name, [])) for name in names]))
    return records


def parse(text: str) -> dict[str, dict[str, list[bytes]]]:
    """Entries by DN, as ldapsearch writes them; comments, references and the trailer are passed over."""
    entries: dict[str, dict[str, list[bytes]]] = {}
    for block in re.sub(r"\r?\n ", "", text).split("\n\n"):
        dn, attributes = None, {}
        for row in block.splitlines():
            match = re.match(r"([^:#]+)(::?) ?(.*)$", row)
            if not match:
                continue
            name, kind, value = match.groups()
            raw = base64.b64decode(value) if kind == "::" else value.encode("utf-8", "surrogateescape")
            if name == "dn":
                dn = raw.decode()
            else:
                attributes.setdefault(name, []).append(raw)
        if dn is not None:
            entries[dn] = attributes
    return entries
