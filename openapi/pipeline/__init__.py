"""From the vendor's page to the generated package: the code behind `make generate`.

| module | does |
|---|---|
| `page` | takes the OpenAPI document out of what was given (page, YAML, JSON), byte for byte |
| `strict_yaml` | reads YAML 1.2 and JSON strictly, in bounded time and memory |
| `spec` | follows references; where the fields of an operation stand |
| `subset`, `check_spec` | our part of a whole document; whether it is sound |
| `overlay` | applies the OpenAPI Overlay document, each action checked |
| `prose`, `ledger`, `edition`, `reread_facts` | sentences and facts in prose; the rule ledger; languages |
| `leaves`, `verdicts`, `compare` | two pages leaf by leaf, and whether callers survive |
| `decide`, `accept` | what a person must decide; what ACCEPT=1 changes |
| `prepare`, `client`, `emit_limits`, `emit_rules`, `build` | the generated package |
| `python_api`, `report` | what changed, told |
| `guards`, `rule_table`, `verify` | what is written from the ledger elsewhere; the check |
| `tree` | compares and replaces files, all or nothing |
| `generate` | the whole run; `__main__` the command line |
"""
