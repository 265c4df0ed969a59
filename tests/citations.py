"""Every citation of a document is found: `NAME.md N.M` names a heading of docs/NAME.md or docs/spec/NAME.md, and words quoted
behind it stand in that section. Usage: citations.py SOURCE_ROOT [FILE...]

    design.md 2.12                     alertmanager.md 3.5-3.7, 3.12             design.md 4 "local state", "what lasts"

A document that is not in the repository is told, so is a path before a number (there is one form), a link of a document that
leads nowhere, and what looks like a citation of another form.
"""

import os, re, sys

FOLDERS = ("src", "include", "receivers", "tests", "docs", "cmake", "examples", "contrib")
FILES = ("CONTRIBUTING.md", "README.md", "README.zh-CN.md", "CMakeLists.txt", "dev", ".clang-format")
TEXT = re.compile(r"\.(c|h|py|sh|md|txt|cmake|scn|test|yml|pml|ts|tsx|service)$|/dev$|Dockerfile$")
# Names of files that programs under test have, or that lie with the conformance data.
OTHERS = {"INDEX.md", "NAME.md"}
SELF = "tests/citations.py"

NUMBER = r"\d+(?:\.\d+)*"
NAME = re.compile(r"(?<![\w/.-])([\w./-]*?)([A-Za-z][\w-]*(?:\.zh-CN)?\.md)\b(?!\w)")
PLACE = re.compile(r"(?:,| and)?\s+(%s)(?:-(%s))?(?![\w.]*\w)|(?:,| and)?\s+(\"[^\"]{2,80}\")|\s+\([^()]*\)" % (NUMBER, NUMBER))
LINK = re.compile(r"\]\(([^()\s]+)\)")
OTHER_FORMS = (
    (re.compile(r"\b(?:DESIGN|STYLE|SPEC)\b(?!_)(?:\.md)?\s+(?:\d|\"|section)"), "cite a section as `design.md N.M`"),
    (re.compile(r"(?<![\w/-])(?:design|alertmanager|rules|promql|promql-oracle|ecosystem|libraries|c-models) \d+\.\d+\b"), "the `.md` is missing"),
    (re.compile("\u00a7"), "a section sign: cite it as `NAME.md N.M`"),
    (re.compile(r"\bshared/(?:spec|DESIGN|STYLE)"), "a document outside of the repository"),
)


def files(root, named):
    if named:
        yield from named
        return
    for folder in FOLDERS:
        for where, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = sorted(f for f in folders if f not in ("node_modules", "dist", "corpus", "__pycache__"))
            for name in sorted(names):
                if TEXT.search("/" + name):
                    yield os.path.relpath(os.path.join(where, name), root)
    yield from (f for f in FILES if os.path.exists(os.path.join(root, f)))


def sections(path):
    """Number -> text of a heading's section, with those below it."""
    found, stack, code = {}, [], False
    for line in open(path, encoding="utf-8"):
        code ^= line.startswith("```")
        m = None if code else re.match(r"(#+) (%s)\.? " % NUMBER, line)
        if m:
            stack = [s for s in stack if s[0] < len(m[1])] + [(len(m[1]), m[2])]
            found[m[2]] = ""
        elif not code and re.match(r"#+ ", line):
            stack = [s for s in stack if s[0] < len(line) - len(line.lstrip("#"))]
        for _, number in stack:
            found[number] += line
    return {n: plain(t) for n, t in found.items()}


def plain(text):
    return re.sub(r"\s+", " ", text.replace("**", "").replace("`", "")).lower()


def in_range(first, last, known):
    """3.5-3.7 is 3.5, 3.6, 3.7."""
    head, _, a = first.rpartition(".")
    _, _, b = last.rpartition(".")
    return [(head + "." if head else "") + str(i) for i in range(int(a), int(b) + 1)] if int(b) >= int(a) else [first, last]


class Citations:
    def __init__(self, root):
        self.root, self.bad, self.n = root, 0, 0
        self.docs, self.known = {}, {}
        for folder in ("docs", "docs/spec", "."):
            for name in os.listdir(os.path.join(root, folder)) if os.path.isdir(os.path.join(root, folder)) else ():
                if name.endswith(".md"):
                    self.docs.setdefault(name, set()).add(os.path.normpath(os.path.join(folder, name)))

    def complain(self, file, line, what):
        print("%s:%d: %s" % (file, line, what))
        self.bad += 1

    def sections(self, name):
        path = next(p for p in sorted(self.docs[name], key=len, reverse=True))
        if path not in self.known:
            self.known[path] = sections(os.path.join(self.root, path))
        return path, self.known[path]

    def check_places(self, file, line, name, text):
        at, number = 0, None
        while m := PLACE.match(text, at):
            at = m.end()
            if not (m[1] or m[3]):
                continue
            self.n += 1
            path, known = self.sections(name)
            for number in in_range(m[1], m[2] or m[1], known) if m[1] else ():
                if number not in known:
                    self.complain(file, line, "%s has no section %s" % (path, number))
            if m[3] and number in known and plain(m[3][1:-1]) not in known[number]:
                self.complain(file, line, "%s %s does not say %s" % (path, number, m[3]))

    def check_file(self, file):
        raw = open(os.path.join(self.root, file), encoding="utf-8", errors="replace").read()
        if file.endswith(".md"):
            for m in LINK.finditer(raw):
                to = m[1].split("#")[0]
                if to and "://" not in to and not os.path.exists(os.path.join(self.root, os.path.dirname(file), to)):
                    self.complain(file, raw.count("\n", 0, m.start()) + 1, "a link to %s, which is not there" % m[1])
            raw = LINK.sub(lambda m: "]" + " " * (len(m[0]) - 1), raw)
        # A citation may go on in the next line of a comment; the text keeps its length, so that lines can be counted.
        text = re.sub(r"\n[ \t]*(?:\*(?!/)|//|#)?[ \t]*", lambda m: "\n" + " " * (len(m[0]) - 1), raw)
        for m in NAME.finditer(text):
            line = text.count("\n", 0, m.start()) + 1
            path, name = m[1], m[2]
            places = text[m.end() : m.end() + 300]
            cites = re.match(r"\s+" + NUMBER + r"(?![\w.]*\w)", places)
            if name in OTHERS or (file.startswith("tests/") and path.startswith("/") and not cites):
                continue
            if path and cites:
                self.complain(file, line, "cite it as %s, without a folder" % name)
            elif path and not any(os.path.exists(os.path.join(self.root, d, path + name)) for d in ("", os.path.dirname(file))):
                self.complain(file, line, "%s%s is not in the repository" % (path, name))
            elif not path and name not in self.docs:
                self.complain(file, line, "%s is not in the repository" % name)
            elif cites:
                self.check_places(file, line, name, places)
        for form, why in OTHER_FORMS:
            for m in form.finditer(text):
                self.complain(file, text.count("\n", 0, m.start()) + 1, "\"%s\": %s" % (m[0], why))


def main():
    root = sys.argv[1]
    c = Citations(root)
    for file in files(root, sys.argv[2:]):
        if file != SELF:
            c.check_file(file)
    print("%d citations, %d faults" % (c.n, c.bad))
    if c.n < 100 and len(sys.argv) == 2:
        print("hardly any citation is recognised")
        return 1
    return 1 if c.bad else 0


sys.exit(main())
