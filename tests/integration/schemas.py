# SPDX-License-Identifier: Apache-2.0
"""Documents are what docs/*.schema.json says, and have no member that is not described there."""

import functools
import json
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def _strict(schema):
    """The schema without its promise to readers that members may be added."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {**{name: _strict(part) for name, part in schema.items()}, **closed}


@functools.cache
def _validator(name):
    import jsonschema
    schema = json.loads((DOCS / f"{name}.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    return validator(_strict(schema))


def validated(document, name):
    """The document, after a look at it with docs/NAME.schema.json."""
    _validator(name).validate(document)
    return document
