#!/usr/bin/env python3
"""Every function, operator, aggregation, modifier and form of a selector has a case in the .test files beside this, and every
text with which the engine refuses a query, or that it says beside a result, is what some case gets.

    language.py SOURCE PROMQLTEST

What no .test file can bring about is exempt, with the reason."""
import glob, os, re, subprocess, sys

EXEMPT = {
    # text: why
    "result needs more than %zu bytes of memory": "a limit of the caller",
    "query needs more than %zu bytes of memory": "a limit of the caller",
    "query processing would load too many samples into memory in query execution": "a limit of the caller",
    "query reads too many samples in query execution": "a limit of the caller",
    "query timed out in expression evaluation": "a limit of the caller",
    "query was canceled in expression evaluation": "a limit of the caller",
    "expression is nested more than %u deep": "unit/promql_parse_test",
    "expression of %zu bytes, at most %zu are allowed": "unit/promql_parse_test",
    "zero or negative query resolution step widths are not accepted. Try a positive integer": "a .test file has no such step",
    "%s() is experimental and must be enabled with --enable-feature=promql-experimental-functions": "all is enabled here: unit/promql_parse_test",
    "function \\\"%.*s\\\" is not enabled": "all is enabled here: unit/promql_parse_test",
    "%s modifier is experimental and not enabled": "all is enabled here: unit/promql_parse_test",
    "binop fill modifiers are experimental and not enabled": "all is enabled here: unit/promql_parse_test",
    "expression of type %s has no vector": "the parser lets no such expression through",
    "invalid UTF-8": "a string that is none is refused when it is read",
    "invalid UTF-8 in argument %zu of %s()": "a string that is none is refused when it is read",
    "metric might not be a counter, __type__ label is not set to \\\"counter\\\" or \\\"histogram\\\", got \\\"%.*s\\\": \\\"%.*s\\\"": "type labels are a setting",
}
FILES = ("engine", "eval*", "lex", "notes", "parse*", "prepare", "type")
CALL = re.compile(r'\b(?:err_set|promql_fail|promql_fail_eval|promql_note|fail|fail_rune|fail_escape|fail_quoted|fail_unquoting)\s*\('
                  r'[^;{}"]*?((?:"(?:[^"\\]|\\.)*"\s*)+)')
NOTE = re.compile(r'\{(?:true|false), NAMED?\w*,\s*((?:"(?:[^"\\]|\\.)*"|\s|SEEN_METRIC)+)\}')


def texts(source):
    for kind in FILES:
        for path in sorted(glob.glob(f"{source}/src/promql/{kind}.c")):
            code = open(path).read().replace("SEEN_METRIC", '" for metric name"')
            for m in list(CALL.finditer(code)) + list(NOTE.finditer(code)):
                text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m.group(1)))
                if re.sub(r"%(?:\.\*)?s|\W", "", text):  # else it is another's text
                    yield os.path.basename(path), text


def pattern(text):
    plain = text.replace('\\"', '"').replace("\\\\", "\\")
    parts = re.split(r"%(?:\.\*)?(?:l+|z)?[a-z]", plain.replace("%%", "%"))
    return re.compile(".*".join(re.escape(p) for p in parts))


def main():
    source, program = sys.argv[1:3]
    files = sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "*.test")))
    p = subprocess.run([program, "--language", *files], capture_output=True, text=True, errors="replace")
    said = [line[6:] for line in p.stdout.splitlines() if line.startswith("said: ")]
    print("\n".join(line for line in p.stdout.splitlines() if not line.startswith("said: ")))
    seen, bad = set(), 0
    for path, text in texts(source):
        seen.add(text)
        gets = any(pattern(text).search(s) for s in said)
        if not gets and text not in EXEMPT:
            print(f"{path}: no case gets \"{text}\"")
            bad += 1
    for text in EXEMPT.keys() - seen:
        print(f"exempt, and not there: \"{text}\"")
        bad += 1
    print(f"{len(seen)} texts, {bad} without a case")
    sys.exit(1 if bad or p.returncode else 0)


if __name__ == "__main__":
    main()
