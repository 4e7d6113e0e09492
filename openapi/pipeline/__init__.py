"""From the vendor's page to the generated package: the code behind `make generate`.

| module | does |
|---|---|
| `inputs`, `settings`, `errors` | the files that a run reads; what can stop it, with the exit codes |
| `page`, `fetch`, `watch` | take our part of the OpenAPI document out of what was given; fetch the page |
| `strict_yaml` | reads YAML 1.2 and JSON in bounded time and memory |
| `check_spec` | whether a document is sound OpenAPI |
| `spec`, `field_schema` | follow references, find operations and fields; each field merged from its schemas |
| `overlay` | applies the OpenAPI Overlay document, each action checked |
| `prose`, `ledger`, `language` | facts in prose; the rule ledger; what the page says now, and in which language |
| `flatten`, `compare` | two pages leaf by leaf, and whether callers survive |
| `review`, `accept` | what a person must decide; what ACCEPT=1 changes |
| `client`, `ecma_pattern`, `emit_*`, `build` | the generated package |
| `send_check` | sends samples of every request before anything is replaced |
| `report`, `rule_table` | what changed; the READMEs' table of rules |
| `tree` | compares and replaces files, all or nothing |
| `generate` | the whole run, and the check of what is there; `__main__` the command line |
"""
