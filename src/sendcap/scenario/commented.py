"""A scenario as a TOML file with a comment on the source of each value."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import tomlkit
from tomlkit.items import InlineTable, Item, Table

from sendcap.scenario.section import Place as Place
from sendcap.text.quoting import visible, without_addresses

_SECTIONS: Final = ("deliveries", "relay", "mta", "providers", "limits", "feedback", "engagement")


def commented(data: Mapping[str, Any], comments: Mapping[Place, str], head: Sequence[str]) -> str:
    """Return a scenario's file, with the comments behind values and the lines at the top."""
    document = tomlkit.document()
    for line in head:
        document.add(tomlkit.comment(_line(line)))
    document.add(tomlkit.nl())
    plain = {key: value for key, value in data.items() if not _is_section(value)}
    for key, value in plain.items():
        _put(document, key, value, (key,), comments)
    later = [key for key in data if key not in plain and key not in _SECTIONS]
    for key in [key for key in _SECTIONS if key in data and key not in plain] + later:
        if isinstance(data[key], list):
            entries = tomlkit.aot()
            for number, entry in enumerate(data[key]):
                entries.append(_table(entry, (key, number), comments))
            document.add(key, entries)
        elif key == "providers":
            providers = tomlkit.table(is_super_table=True)
            for name, provider in data[key].items():
                providers.add(name, _table(provider, (key, name), comments))
            document.add(key, providers)
        else:
            document.add(key, _table(data[key], (key,), comments))
    return tomlkit.dumps(document)


def _line(text: str) -> str:
    """Return a comment on one line; a path in it may hold an address."""
    return visible(without_addresses(text))


def _is_section(value: Any) -> bool:
    entries = value if isinstance(value, list) else [value]
    return bool(entries) and all(isinstance(entry, dict) for entry in entries)


def _table(data: Mapping[str, Any], place: Place, comments: Mapping[Place, str]) -> Table:
    table = tomlkit.table()
    if place in comments:
        table.comment(_line(comments[place]))
    tables = [key for key in data if (*place, key) == ("mta", "retry")]
    for key, value in data.items():
        if key not in tables:
            _put(table, key, value, (*place, key), comments)
    for key in tables:
        table.add(key, _table(data[key], (*place, key), comments))
    return table


def _put(container: Any, key: str, value: Any, place: Place, comments: Mapping[Place, str]) -> None:
    item = _item(value)
    if place in comments:
        item.comment(_line(comments[place]))
    container.add(key, item)


def _item(value: Any) -> Item:
    if isinstance(value, dict):
        table: InlineTable = tomlkit.inline_table()
        for key, entry in value.items():
            table.append(key, _item(entry))
        return table
    if isinstance(value, list | tuple):
        entries = tomlkit.array()
        for entry in value:
            entries.append(_item(entry))
        entries.multiline(len(value) > 1 and isinstance(value[0], dict))
        return entries
    item: Item = tomlkit.item(value)
    return item
