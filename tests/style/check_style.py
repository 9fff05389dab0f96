#!/usr/bin/env python3
"""House rules that a formatter cannot see: lengths, banned names, headers that introduce themselves.

usage: check_style.py ROOT        check the tree
       check_style.py --self-test prove that violations are found
"""
import pathlib
import re
import sys
import tempfile

FILE_LINES = 600
FUNCTION_LINES = 70
LAYERS = ["base", "storage", "ingest", "bench", "cmd", "tests"]
BANNED = re.compile(
    r"\b(sprintf|strcpy|strcat|strtok|gets|alloca|atoi|strtol|strerror|localtime|gmtime|rand|exit|"
    r"sleep|usleep|system)\s*\(")
ALLOCATE = re.compile(r"(?<![>.\w])(malloc|calloc|realloc|free)\s*\(")
ALLOCATORS = {"base/arena.c", "base/text.c"}
PRINTF = re.compile(r"(?<![a-z_])printf\s*\(")
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.DOTALL)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//[^\n]*", "", text)


def long_functions(lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                yield start
            start = None


def check(root, path):
    name = str(path.relative_to(root))
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    code = without_comments(text)
    if len(lines) > FILE_LINES:
        yield f"{name}: {len(lines)} lines; at most {FILE_LINES}"
    for start in long_functions(lines):
        yield f"{name}:{start}: a function longer than {FUNCTION_LINES} lines"
    for number, line in enumerate(code.splitlines(), 1):
        for match in BANNED.finditer(line):
            yield f"{name}:{number}: '{match.group(1)}' is banned"
        if name not in ALLOCATORS and ALLOCATE.search(line):
            yield f"{name}:{number}: memory comes from mem_take(), arenas and pools"
        if not name.startswith(("cmd/", "tests/", "bench/")) and PRINTF.search(line):
            yield f"{name}:{number}: only cmd/ prints"
    if "#include <assert.h>" in text:
        yield f"{name}: ASSERT of base/attr.h, not assert.h"
    if MARKS.search(text):
        yield f"{name}: a mark of unfinished work"
    if path.suffix == ".h" and not text.startswith(f"/*\n * {name} - "):
        yield f"{name}: a header begins with '/*\\n * {name} - what it is for'"


def violations(root):
    found = []
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]")):
            found.extend(check(root, path))
    return found


def self_test():
    samples = {
        "base/a.c": "int x = 0; /* exit( */\n",
        "base/b.c": "void f(void) { exit(1); }\n",
        "base/c.c": "char *p = malloc(1);\n",
        "base/d.h": "#define X 1\n",
        "base/e.c": "f(void)\n{\n" + "    ;\n" * 71 + "}\n",
        "base/f.c": "/* TO" + "DO */\n",
    }
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "base").mkdir()
        for path, text in samples.items():
            (root / path).write_text(text)
        bad = {line.split(":")[0] for line in violations(root)}
        return [] if bad == set(samples) - {"base/a.c"} else [f"found only {sorted(bad)}"]


problems = self_test() if sys.argv[1] == "--self-test" else violations(pathlib.Path(sys.argv[1]))
print("\n".join(problems) if problems else "style is kept")
sys.exit(1 if problems else 0)
