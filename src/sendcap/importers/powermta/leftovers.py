"""The report on what a scenario does not have of PowerMTA's configuration."""

from typing import Final

from sendcap.importers.draft import Draft
from sendcap.importers.powermta.queues import Queues
from sendcap.importers.powermta.settings import NOT_KNOWN, OF_QUEUES, UNUSED
from sendcap.importers.powermta.syntax import Tag
from sendcap.importers.reading import Entry
from sendcap.importers.table import tell_unused

_TAGS: Final = {
    "domain": "no recipient in the audience matches",
    "virtual-mta": "no mail goes out by it",
    "virtual-mta-pool": "no mail goes out by it",
    "smtp-pattern-list": "no queue of the audience has it",
    "source": "about incoming mail; --source chooses the virtual MTA that sends",
    "bounce-category-patterns": "names replies; their frequency is in logs only",
    "mx-rollup-list": "no domain of the audience has such an MX",
}
_REPLY: Final = "a reply that bounces or skips a host: replies of the provider are shares"


class Leftovers:
    """What is reported of the directives that are not used."""

    def __init__(self, draft: Draft, queues: Queues) -> None:
        self._draft = draft
        self._queues = queues
        self.reported: set[Entry] = set()

    def known(self, entry: Entry) -> bool:
        """Return whether a directive is used or reported."""
        return entry in self._draft.used or entry in self.reported

    def overruled(self, entry: Entry, why: str) -> None:
        """Report a directive that is understood, once."""
        if not self.known(entry):
            self.reported.add(entry)
            self._draft.overruled(entry, why)

    def unused(self, entry: Entry, within: str = "") -> None:
        """Report a directive by its name; one of queues in the wrong place is a mistake."""
        if self.known(entry):
            return
        self.reported.add(entry)
        if entry.name not in OF_QUEUES:
            tell_unused(self._draft, entry, entry.name, UNUSED, NOT_KNOWN, OF_QUEUES)
        elif within:
            why = f"PowerMTA has it in a <domain>, and not directly in {within}"
            self._draft.warn(entry, why)
        else:
            self._draft.overruled(entry, "sets no limit")

    def rest(self, top: Tag) -> None:
        """Report all other directives and tags."""
        for entry in top.directives:
            if entry.name == "smtp-source-host":
                self.overruled(
                    entry, "counts among the addresses of the virtual MTAs that name none"
                )
            self.unused(entry, "the main file")
        pools = [tag for each in self._queues.pools for tag in each]
        for tag in (*self._queues.virtual_mtas, *pools):
            for entry in tag.directives:
                if entry.name == "smtp-source-host":
                    self.overruled(entry, "one of the addresses, which take turns")
                elif entry.name != "virtual-mta":
                    self.unused(entry, f"<{tag.name}>")
        for tag in top.tags:
            if self._any_used(tag):
                self._replies(tag)
            else:
                self._tag(tag)

    def _replies(self, tag: Tag) -> None:
        if tag.name == "smtp-pattern-list":
            for entry in tag.directives:
                if not self.known(entry):
                    self._draft.unused(entry, _REPLY)

    def _tag(self, tag: Tag) -> None:
        # The argument of a tag that is not understood may be a password.
        named = tag.argument and tag.name in _TAGS
        title = f"<{tag.name} {tag.argument}>" if named else f"<{tag.name}>"
        why = _TAGS.get(tag.name, "is about incoming mail, logs or access to PowerMTA")
        if tag.name == "domain" and len(tag.argument.split()) > 1:
            self._draft.warn(
                Entry(title, "", tag.where), "is not one domain; give each its own <domain>"
            )
            return
        if tag in self._queues.virtual_mtas:
            why = "is one of the virtual MTAs; nothing in it is for the audience alone"
        if any(tag in pools for pools in self._queues.pools):
            why = "its virtual MTAs send; nothing in it sets a limit"
        self._draft.unused(Entry(title, "", tag.where), why)

    def _any_used(self, tag: Tag) -> bool:
        used = self._draft.used | self.reported | self._queues.followed
        return not used.isdisjoint(tag.directives) or any(map(self._any_used, tag.tags))
