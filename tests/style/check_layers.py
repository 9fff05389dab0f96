#!/usr/bin/env python3
"""Includes run one way: a layer may use only itself and the layers below it.

usage: check_layers.py ROOT        check the tree
       check_layers.py --self-test prove that a violation is found
"""
import pathlib
import re
import sys
import tempfile

# From the bottom to the top. gate and service are names the architecture reserves.
ORDER = ["base", "storage", "gate", "ingest", "bench", "service", "cmd"]
APART = {("ingest", "gate"), ("gate", "ingest")}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z]+)/', re.MULTILINE)


def violations(root):
    found = []
    for layer in ORDER:
        for path in sorted((root / layer).rglob("*.[ch]")):
            for used in INCLUDE.findall(path.read_text(encoding="utf-8")):
                if used not in ORDER:
                    found.append(f"{path.relative_to(root)}: includes from '{used}/', which is no layer")
                elif ORDER.index(used) > ORDER.index(layer) or (layer, used) in APART:
                    found.append(f"{path.relative_to(root)}: '{layer}' must not include '{used}/'")
    return found


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "base").mkdir()
        (root / "base" / "good.c").write_text('#include "base/good.h"\n')
        if violations(root):
            return ["a clean tree was refused"]
        (root / "base" / "bad.c").write_text('#include "storage/backend.h"\n')
        return [] if len(violations(root)) == 1 else ["an include up the layers was not found"]


problems = self_test() if sys.argv[1] == "--self-test" else violations(pathlib.Path(sys.argv[1]))
print("\n".join(problems) if problems else "includes run one way")
sys.exit(1 if problems else 0)
