"""What comments name is there, and long files say what they are about. Usage: comments.py SOURCE_ROOT

Told are: `name()` and a file `x.h` in a comment of C that nothing in the program has; a file of more than 300
lines that does not begin with a comment; a part of a header's comment ("Owns", "Cost", ...) that stands within a line.
"""

import os, re, sys

LONG = 300
# Of libraries and of the language.
ELSEWHERE = {"stddef.h", "jansson.h", "getcontext", "a.c", "count.c"}
PART = re.compile(r"[^*\s] (?:Shapes|Units|Errors|Owns|Cost|Source) {3,}\S")


def sources(root):
    for folder in ("src", "include", "receivers", "tests"):
        for where, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = sorted(f for f in folders if f not in ("dist", "node_modules", "corpus"))
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    path = os.path.join(where, name)
                    yield os.path.relpath(path, root), open(path, encoding="utf-8").read()


def main():
    texts = dict(sources(sys.argv[1]))
    code = re.sub(r"/\*.*?\*/", "", "\n".join(texts.values()), flags=re.S)
    words = set(re.findall(r"\b[A-Za-z_]\w*\b", code))
    files = {os.path.basename(f) for f in texts}
    bad = n = 0
    for file, text in texts.items():
        said = []
        if text.count("\n") > LONG and not text.startswith("/*") and not file.startswith("tests/"):
            said.append((1, "does not begin with what it is about"))
        for comment in re.finditer(r"/\*.*?\*/", text, re.S):
            def place(m):
                return text.count("\n", 0, comment.start() + m.start()) + 1

            for m in re.finditer(r"(?<![\w.$/`])([a-z_][a-z_0-9]{3,})\(\)", comment[0]):
                n += 1
                if m[1] not in words and m[1] not in ELSEWHERE:
                    said.append((place(m), "nothing is called %s()" % m[1]))
            for m in re.finditer(r"\b([a-z_0-9]+\.[ch])\b", comment[0]):
                n += 1
                if m[1] not in files and m[1] not in ELSEWHERE:
                    said.append((place(m), "there is no %s" % m[1]))
            for m in PART.finditer(comment[0]) if file.endswith(".h") else ():
                said.append((place(m), "a part of the header stands within a line"))
        for line, what in said:
            print("%s:%d: %s" % (file, line, what))
            bad += 1
    print("%d names in comments, %d faults" % (n, bad))
    return 1 if bad or n < 100 else 0


sys.exit(main())
