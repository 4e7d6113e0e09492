"""From the vendor's page to the generated package: the code behind `make generate`.

| module | does |
|---|---|
| `page` | takes the OpenAPI document out of what was given (page, YAML, JSON), byte for byte |
| `strict_yaml` | reads YAML 1.2 and JSON strictly, in bounded time and memory |
| `spec` | follows references; where the fields of an operation stand |
| `overlay` | applies the OpenAPI Overlay document, each action checked |
| `prose`, `ledger` | sentences, numbers and lists in prose; the rule ledger |
| `client`, `emit_limits`, `emit_rules` | writes the generated package |
| `tree` | compares, locks and replaces files, all or nothing |
| `generate` | the whole run; `__main__` the command line |
"""
