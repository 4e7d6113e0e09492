"""Rules that the checks enforce besides the ledger's: not the page's words, but this project's or a standard's."""

from typing import Final

from tensorslab_images.rules import RULES

PROJECT_RULES: Final = {
    "WIRE-EXACT": "What arrives is what was meant: nothing added, dropped, changed or sent unasked.",
    "WIRE-BOUNDARY": "The boundary of a form occurs in none of its parts and is made for each form (RFC 2046, 5.1.1).",
    "WIRE-HTTP": "Method, path, media type and headers are those of the spec.",
    "PAY-ONCE": "A submission that may have been billed is never sent again.",
    "PAY-KNOWN": "What was paid for is never lost, and money is never said to be safe when it may be gone.",
    "KEY-PRIVATE": "The key goes only to the API's own host, and into no message, repr, pickle or log.",
    "ERROR-TREE": "Whatever a server sends becomes a value or an error of the tree, nothing else.",
    "TASK-OWN": "The answer about a task is about that task.",
    "FILE-WHOLE": "A picture's file is there whole or not at all.",
    "FILE-TYPE": "A picture's bytes tell its type; its URL and Content-Type do not.",
    "FILE-PLACE": "A file is written in the directory that was named, whatever a server says.",
    "URL-SAFE": "Only web addresses are fetched, whatever a server says.",
    "SERVER-ENVELOPE": "Each reply is JSON with a whole code and a text msg, and fits the spec.",
    "SERVER-CHARGE": "An accepted submission is charged once, for the pictures it asked for; a refused one is not.",
    "SERVER-PICTURES": "A completed task has as many pictures as were asked for, of the size that it tells.",
    "SERVER-HTTP": "What is not the operation's method, path or media type is refused.",
}


def sentence(rule: str) -> str:
    """Return what a rule says: the vendor's sentence, or ours.

    Raises:
        KeyError: There is no such rule.
    """
    return RULES[rule].sentence if rule in RULES else PROJECT_RULES[rule]
