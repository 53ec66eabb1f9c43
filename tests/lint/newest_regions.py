#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Says which regions the newest AWS SDK for JavaScript knows and lib/endpoint.c does not. A warning only: AWS opens regions
when it likes, and without npm or its registry there is nothing to say.

usage: newest_regions.py [PARTITIONS.js]     what to compare with; else the newest @aws-sdk/core, into build/npm-newest"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PLACE = TOP / "build/npm-newest"
TABLE = "node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js"
INSTALL = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0",
           "--fetch-timeout=20000", "@aws-sdk/core@latest"]


def newest():
    """The text of the newest table; None when it cannot be had."""
    if not shutil.which("npm"):
        return None
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / "package.json").write_text('{"private": true}\n')
    try:
        ended = subprocess.run(INSTALL, cwd=PLACE, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None
    table = PLACE / TABLE
    return table.read_text() if ended.returncode == 0 and table.exists() else None


def regions_of(table):
    """Of the text `export const partitionsInfo = {...};`."""
    value = json.loads(re.search(r"=\s*(\{.*\});?\s*$", table, re.DOTALL)[1])
    return {region for partition in value["partitions"] for region in partition["regions"] if not region.endswith("-global")}


def main(arguments):
    table = Path(arguments[0]).read_text() if arguments else newest()
    if table is None:
        print("newest_regions: npm, or its registry, cannot be asked: not compared")
        return 0
    source = (TOP / "lib/endpoint.c").read_text()
    missing = sorted(region for region in regions_of(table) if f'"{region}"' not in source)
    for region in missing:
        print(f"newest_regions: warning: lib/endpoint.c does not know {region}", file=sys.stderr)
    print(f"newest_regions: {len(missing)} regions are new")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
