"""Writes the outcomes as one self-contained HTML page, grouped by rule."""

# ruff: noqa: E501 -- style sheet and markup

from html import escape
from typing import Final

from seedream_testing.contract.relations import RELATIONS, Relation
from seedream_testing.contract.rule_text import sentence
from seedream_testing.contract.run import ContractResult, Outcome, State

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --quiet: #667; --line: #d8dde3; --soft: #f4f6f8;
  --passed: #1a7f37; --failed: #b3261e; --allowed: #8a5a00; --skipped: #667; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #16191d; --quiet: #9aa4b0; --line: #333a42;
  --soft: #1f242a; --passed: #57c27a; --failed: #ff8a80; --allowed: #e3b341; --skipped: #9aa4b0; } }
* { box-sizing: border-box }
body { overflow-wrap: anywhere; margin: 0 auto; max-width: 70rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.05rem; margin: 2.25rem 0 .25rem }
p { margin: .25rem 0 } .quiet { color: var(--quiet) } code, pre { font: 13px/1.5 ui-monospace, monospace }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0 }
.counts b { font-size: 1.6rem; display: block; line-height: 1.2 }
.counts div { background: var(--soft); border-radius: .5rem; padding: .6rem 1rem; min-width: 7rem }
.bar { display: flex; height: .6rem; border-radius: .3rem; overflow: hidden; background: var(--line) }
.bar i { display: block } blockquote { margin: .25rem 0 .5rem; padding-left: .75rem; border-left: 3px solid var(--line) }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0; padding: .5rem .8rem }
summary { cursor: pointer; display: flex; gap: .75rem; align-items: baseline; flex-wrap: wrap }
summary .said { flex: 1 1 22rem } summary code { font-weight: 600 }
ul { margin: .5rem 0 .25rem; padding-left: 1.2rem } li { margin: .15rem 0; overflow-wrap: anywhere }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); padding: .6rem .8rem; border-radius: .4rem;
  max-height: 18rem; overflow: auto }
.passed { color: var(--passed) } .failed { color: var(--failed) } .allowed { color: var(--allowed) }
.skipped { color: var(--skipped) } .failure { border-left: 3px solid var(--failed); padding-left: .8rem; margin: .8rem 0 }
"""
_MOST: Final = 40  # passed examples that are listed by name
_OPEN: Final = 5  # broken examples of one relation that are shown without a click


def html_report(result: ContractResult) -> str:
    """Return the page."""
    ran = result.by_relation
    by_rule: dict[str, list[Relation]] = {}
    for relation in RELATIONS:
        if relation.id in ran:
            by_rule.setdefault(relation.rule, []).append(relation)
    broken = {outcome.relation.rule for outcome in result.failures}
    rules = sorted(by_rule, key=lambda rule: rule not in broken)
    body = "".join(_rule(rule, by_rule[rule], ran) for rule in rules)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Contract report</title><style>{_STYLE}</style></head><body>{_head(result)}{body}</body></html>\n"
    )


def _head(result: ContractResult) -> str:
    total = max(len(result.outcomes), 1)
    counts = "".join(f'<div class="{state.value}"><b>{result.count(state):,}</b>{state.value}</div>' for state in State)
    bar = "".join(
        f'<i style="width:{100 * result.count(state) / total:.2f}%;background:var(--{state.value})"></i>'
        for state in State
    )
    verdict = "The server keeps to the page in everything that was tried." if not result.failures else (
        "The server does not keep to the page." + (" The run ended at the first broken rule." if result.stopped else "")
    )  # fmt: skip
    expired = "".join(
        f'<p class="failed">Expired on {one.until}: {escape(one.what)} ({escape(one.reason)})</p>'
        for one in result.expired
    )
    return (
        f"<h1>{escape(verdict)}</h1><p class=quiet><code>{escape(result.base_url)}</code> · {len(result.outcomes):,} "
        f"examples · {result.spent:,} images asked for</p><div class=counts>{counts}</div><div class=bar>{bar}</div>{expired}"
    )


def _rule(rule: str, relations: list[Relation], ran: dict[str, list[Outcome]]) -> str:
    shown = "".join(_relation(relation, ran[relation.id]) for relation in relations)
    return f"<h2>{escape(rule)}</h2><blockquote class=quiet>{escape(sentence(rule))}</blockquote>{shown}"


def _relation(relation: Relation, outcomes: list[Outcome]) -> str:
    states = {state: [outcome for outcome in outcomes if outcome.state is state] for state in State}
    worst = next(state for state in (State.FAILED, State.ALLOWED, State.PASSED, State.SKIPPED) if states[state])
    counts = " · ".join(
        f'<span class="{state.value}">{len(found):,} {state.value}</span>' for state, found in states.items() if found
    )
    found = [_failure(outcome) for outcome in (*states[State.FAILED], *states[State.ALLOWED])]
    rest = "".join(found[_OPEN:])
    failures = "".join(found[:_OPEN]) + (
        f"<details><summary>and {len(found) - _OPEN:,} more of this relation</summary>{rest}</details>" if rest else ""
    )
    reasons: dict[str, int] = {}
    for outcome in states[State.SKIPPED]:
        reasons[outcome.reason] = reasons.get(outcome.reason, 0) + 1
    skipped = "".join(f"<li class=skipped>{count} skipped: {escape(reason)}</li>" for reason, count in reasons.items())
    passed = states[State.PASSED]
    listed = "".join(f"<li>{escape(outcome.example.name)}</li>" for outcome in passed[:_MOST])
    more = f"<li class=quiet>and {len(passed) - _MOST:,} more</li>" if len(passed) > _MOST else ""
    unseen = f"<p class=quiet>Not visible: {escape(relation.unseen)}</p>" if relation.unseen else ""
    return (
        f"<details{' open' if worst is State.FAILED else ''}><summary><code class={worst.value}>{escape(relation.id)}</code>"
        f"<span class=said>{escape(relation.sentence)}</span><span>{counts}</span></summary>{unseen}{failures}"
        f"<ul>{skipped}{listed}{more}</ul></details>"
    )


def _failure(outcome: Outcome) -> str:
    found = outcome.violation
    if found is None:
        return ""
    allowed = f"<p class=allowed>Allowed: {escape(outcome.reason)}</p>" if outcome.reason else ""
    curl = f"<pre>{escape(found.curl)}</pre>" if found.curl else ""
    other = found.rule != outcome.relation.rule  # its own is the heading
    rule = f"<p class=quiet>{escape(found.rule)}: “{escape(sentence(found.rule))}”</p>" if other else ""
    return (
        f"<div class=failure><p><b>{escape(outcome.example.name)}</b></p><p>{escape(found.what)}</p>{allowed}"
        f"{rule}{curl}</div>"
    )
