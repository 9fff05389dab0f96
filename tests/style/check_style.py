#!/usr/bin/env python3
"""House rules that a formatter cannot see: lengths, banned names, headers that introduce themselves.

usage: check_style.py ROOT        check the tree
       check_style.py --self-test prove that violations are found
"""
import os
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
COLUMNS = 100
FIELDS = {"shape", "units", "owner", "thread", "durable", "errors", "source"}
FIELD = re.compile(r"^ \*   (\w+) {2,}\S")
# A field that was pushed into the middle of a line reads as words of the one before.
LOST_FIELD = re.compile(r"\S (?:%s) {3,}\S" % "|".join(sorted(FIELDS)))
# The project's files speak of the project alone: nothing that lies beside a clone, and no one's home.
BESIDE = re.compile(r"\.\./shared\b|(?<![\w/])/(?:work|home/\w+|root)/")
# Only what the tree itself holds or makes, and what others wrote and own.
TEXTS_SKIPPED = (".git/", "build/", "tests/fuzz/corpus/", "tests/node_modules/", "LICENSE", "package-lock.json")


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


def head_comment(name, text):
    """The block comment a header begins with: fields of the fixed names, each at the start of its line."""
    if not text.startswith(f"/*\n * {name} - "):
        yield f"{name}: a header begins with '/*\\n * {name} - what it is for'"
        return
    has_fields = states_facts = False
    for number, line in enumerate(text[:text.index("*/")].splitlines(), 1):
        field = FIELD.match(line)
        if field and field.group(1) not in FIELDS:
            yield f"{name}:{number}: '{field.group(1)}' is none of the fields {', '.join(sorted(FIELDS))}"
        elif LOST_FIELD.search(line):
            yield f"{name}:{number}: a field begins its line"
        elif has_fields and not field and line not in (" *", " ") and not line.startswith(" *     "):
            yield f"{name}:{number}: what continues a field is indented below it"
        has_fields = (has_fields or bool(field)) and line != " *"
        states_facts = states_facts or bool(field)
    if not states_facts:
        yield f"{name}: a header states at least one of the fields {', '.join(sorted(FIELDS))}"


def long_lines(lines):
    """Tables between clang-format off and on are as wide as they are; so are texts that a person reads."""
    is_fenced = False
    for number, line in enumerate(lines, 1):
        is_fenced = "clang-format off" in line or (is_fenced and "clang-format on" not in line)
        if len(line) > COLUMNS and not is_fenced and '"' not in line and "NOLINT" not in line:
            yield number


def check_text(root, path):
    """Any file of the tree, whatever its kind."""
    name = str(path.relative_to(root))
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if name != "tests/style/check_style.py" and BESIDE.search(line):
            yield f"{name}:{number}: a path that is not in the tree: {BESIDE.search(line).group()}"
        if name != "tests/style/check_style.py" and MARKS.search(line):
            yield f"{name}:{number}: a mark of unfinished work"
        if line != line.rstrip() and path.suffix in (".c", ".h", ".py", ".sh", ".md", ".txt", ".cmake", ".1"):
            yield f"{name}:{number}: blanks at the end of the line"


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
    for number in long_lines(lines):
        yield f"{name}:{number}: more than {COLUMNS} columns"
    if path.suffix == ".h":
        yield from head_comment(name, text)


def violations(root):
    found = []
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]")):
            found.extend(check(root, path))
    for folder, folders, files in os.walk(root):
        here = pathlib.Path(folder).relative_to(root)
        folders[:] = sorted(one for one in folders if not f"{here / one}/".startswith(TEXTS_SKIPPED))
        for one in sorted(files):
            if not str(here / one).endswith(TEXTS_SKIPPED) and one != ".git":
                found.extend(check_text(root, root / here / one))
    return found


def self_test():
    head = "/*\n * base/%s.h - what it is for.\n *\n%s */\n"
    samples = {
        "base/a.c": "int x = 0; /* exit( */\n",
        "base/b.c": "void f(void) { exit(1); }\n",
        "base/c.c": "char *p = malloc(1);\n",
        "base/d.h": "#define X 1\n",
        "base/e.c": "f(void)\n{\n" + "    ;\n" * 71 + "}\n",
        "base/f.c": "/* TO" + "DO */\n",
        "base/g.h": head % ("g", " *   shape    small\n *            and round\n *   thread   any\n"),
        "base/h.h": head % ("h", " *   colour   red\n"),
        "base/i.h": head % ("i", " *   shape    small thread   any\n"),
        "base/j.h": head % ("j", " *   shape    small\n * and round\n"),
        "base/k.c": "/* " + "x" * 100 + " */\n",
        "base/l.c": "// clang-format off\nint table[] = {" + "1, " * 40 + "};\n// clang-format on\n",
        "base/p.h": head % ("p", ""),
        "docs/m.md": "see .." + "/shared/notes\n",
        "docs/n.md": "blanks \n",
        "build/o.md": "FIX" + "ME\n",
    }
    good = {"base/a.c", "base/g.h", "base/l.c", "build/o.md"}
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in samples.items():
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        bad = {line.split(":")[0] for line in violations(root)}
        return [] if bad == set(samples) - good else [f"found {sorted(bad)}"]


problems = self_test() if sys.argv[1] == "--self-test" else violations(pathlib.Path(sys.argv[1]))
print("\n".join(problems) if problems else "style is kept")
sys.exit(1 if problems else 0)
