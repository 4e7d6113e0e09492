"""A refused request: which rule, what was wrong, and the vendor's own sentence."""

from typing import Final

from tensorslab_images.limits import Field, Operation
from tensorslab_images.rules import RULES

SCHEMA: Final = "SCHEMA"  # for what the schema says and no rule of the ledger claims


class Refusal(Exception):
    """Raised while a request is checked; becomes the API's failure reply.

    The rule is an id of the ledger, or ``SCHEMA``; the field is empty where the whole request is meant.
    """

    def __init__(self, rule: str, field: str, wrong: str, sentence: str = "") -> None:
        super().__init__(rule, field, wrong)
        self.rule = rule if rule in RULES or rule == SCHEMA else SCHEMA
        self.field = field
        self.wrong = wrong
        self.sentence = RULES[self.rule].sentence if self.rule in RULES else sentence

    @property
    def message(self) -> str:
        """The text of the reply: it begins with the rule's id and ends with the vendor's sentence."""
        place = f"{self.field}: " if self.field else ""
        quoted = f" [{self.sentence.strip()}]" if self.sentence.strip() else ""
        return f"{self.rule} {place}{self.wrong}.{quoted}"


def rule_of(operation: Operation, field: Field) -> str:
    """Return the ledger's rule whose pointer ends at a field; ``SCHEMA`` when there is none."""
    path = operation.path.replace("~", "~0").replace("/", "~1")
    ends = (f"/properties/{field.name}", f"/properties/{field.name}/description")
    for rule in RULES.values():
        if path in rule.pointer and rule.pointer.endswith(ends):
            return rule.id
    return SCHEMA


def refuse(operation: Operation, field: Field, wrong: str) -> Refusal:
    """Return a refusal over one field, under the rule that claims it."""
    return Refusal(rule_of(operation, field), field.name, wrong, field.description)
