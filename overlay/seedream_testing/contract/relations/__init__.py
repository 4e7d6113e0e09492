"""The table of relations: from it come the checks of a server and the planted faults that test the checks."""

from typing import Final

from seedream_testing.contract.relations import (
    combinations,
    forms,
    headers,
    keys,
    pictures,
    tasks,
    texts,
    together,
    values,
)
from seedream_testing.contract.relations.relation import Example, Need, Relation

__all__ = ["RELATIONS", "Example", "Need", "Relation"]

# What costs nothing comes first: a server that accepts what the page forbids may charge for it.
RELATIONS: Final[tuple[Relation, ...]] = (
    *keys.RELATIONS,
    *values.RELATIONS,
    *keys.CREDITS,  # a legal form that is refused for itself is better reported by its own field
    *combinations.RELATIONS,
    *forms.RELATIONS,
    *headers.RELATIONS,
    *tasks.RELATIONS,
    *together.RELATIONS,
    *pictures.RELATIONS,
    *texts.RELATIONS,
)
