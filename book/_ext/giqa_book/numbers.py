"""Measured numbers in sentences, and the page that says where each came from."""

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxRole

from giqa_book.directive import MarkdownDirective, anchor, depend, depend_on_all, log, root_of
from giqa_lib.results import PROFILES, number_table, record_path, records

PATTERN = re.compile(
    r"(?:(?P<profile>\w+):)?(?P<notebook>[\w/]+)\.(?P<key>[a-z][a-z0-9-]*)(?:\|(?P<format>\S+))?"
)


class Number(SphinxRole):
    """``{num}`cpu:1_giqa/density_sweeps.gain|.3f` ``: a recorded number with its 95 % interval.

    Without a profile it is this build's. It links to its row on the page of numbers.
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        match = PATTERN.fullmatch(self.text)
        if not match or match["profile"] not in (None, *PROFILES):
            return self.problem("is not [profile:]notebook.key[|format]")
        profile = match["profile"] or self.config.giqa_profile
        root = root_of(self.env)
        depend(self.env, record_path(match["notebook"], profile, root=root))
        record = records(root, match["notebook"]).get(profile)
        found = [r for r in record.results if r.key == match["key"]] if record else []
        if not found:
            return self.problem(f"has no result in the {profile} record")
        spec = match["format"] or ".3f"
        try:
            text = format(found[0].value, spec)
            if interval := found[0].interval():
                text += f" [{interval[0]:{spec}}, {interval[1]:{spec}}]"
        except ValueError:
            return self.problem("has no format that Python knows")
        link = pending_xref(
            "",
            nodes.inline(text, text),
            refdomain="std",
            reftype="ref",
            reftarget=anchor("num", profile, match["notebook"], match["key"]),
            refexplicit=True,
            refwarn=True,
            refdoc=self.env.docname,
        )
        return [link], []

    def problem(self, why: str) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        log.warning("number %s %s", self.text, why, location=self.get_location(), type="giqa")
        return [nodes.problematic(self.text, f"[{self.text}?]")], []


class Numbers(MarkdownDirective):
    """Every number that prose may cite, with an anchor to link to."""

    def markdown(self) -> list[str]:
        depend_on_all(self.env)
        lines = []
        for row in number_table(root_of(self.env)).to_dict("records"):
            lines += [
                f"({anchor('num', row['profile'], row['notebook'], row['key'])})=",
                f"**{row['notebook']}.{row['key']}** ({row['profile']}): {row['value']}",
                f": {row['what']}; n {row['n']}; seeds {row['seeds']}; commit `{row['commit']}`;"
                f" `{row['command']}`",
                "",
            ]
        return lines
