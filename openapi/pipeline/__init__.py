"""From the vendor's page to the generated package: the code behind `make generate`.

| module | does |
|---|---|
| `inputs`, `settings`, `errors` | the files that a run reads; what can stop it, with the exit codes |
| `page`, `fetch`, `watch` | take the OpenAPI document out of what was given, byte for byte; fetch the page |
| `strict_yaml` | reads YAML 1.2 and JSON in bounded time and memory |
| `check_spec`, `subset` | whether a document is sound OpenAPI; our part of a whole one |
| `spec`, `field_schema` | follow references, find operations and fields; one field merged from its schemas |
| `overlay` | applies the OpenAPI Overlay document, each action checked |
| `prose`, `ledger`, `language`, `reread_facts` | facts in prose; the rule ledger; languages |
| `flatten`, `compatibility`, `compare` | two pages leaf by leaf, and whether callers survive |
| `review`, `accept` | what a person must decide; what ACCEPT=1 changes |
| `prepare`, `client`, `python_names`, `ecma_pattern`, `emit_*`, `build` | the generated package |
| `send_check`, `send_samples` | sends samples of every request before anything is replaced |
| `report`, `traceability`, `rule_table`, `verify` | what changed; the files of a rule; the READMEs' table; the check |
| `tree` | compares and replaces files, all or nothing |
| `generate` | the whole run; `__main__` the command line |
"""
