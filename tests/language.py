#!/usr/bin/env python3
"""Every function, operator, aggregation, modifier and form of a selector of PromQL, and every function of templates, has a case in
the .test files of tests/promql and tests/templates, and every text with which an engine refuses something, or that it says
beside a result, is what some case gets.

    language.py promql|templates SOURCE PROGRAM     PROGRAM: promqltest, templates

What no .test file can bring about is exempt, with the reason."""
import glob, os, re, subprocess, sys

PROMQL_EXEMPT = {
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
TEMPLATES_EXEMPT = {
    'cannot compute output context for template %.*s': "no template is known that gets so far",
    'html/template: the template takes more than %llu steps': "a limit",
    'html/template: exceeded maximum template depth (%u)': "a limit",
    'the template takes more than %llu steps': "a limit",
    'the template needs more than %zu bytes of memory': "a limit",
    'the template takes too long': "a limit",
    'more than %d arguments for %.*s': "a limit",
    'more than %d levels of maps': "a limit",
    'nested deeper than %d': "a limit",
    'more than %d variables': "a limit",
    'more than %d templates': "a limit",
    'json: more than %d levels': "a limit",
    'the text is too long': "a limit",
    '\\"%.*s\\" is not a defined function': "the parser refuses it first",
    'undefined variable: %.*s': "the parser refuses it first",
    'indirection through explicit nil in %.*s': "the parser refuses it first",
    'empty command': "the parser refuses it first",
    '%.*s has arguments but cannot be invoked as function': "data with fields: unit/template_language_test",
    'queries are not available in this template': "a host without queries: unit/template_limits_test",
    '%s U+FFFFFFFFFFFFFFFF': "a template is one line here",
    "' ? S(": "no text",
    '%.*s%s started at %.*s:%d': "a template is one line here",
    'template: no template \\"%.*s\\"': "nothing is executed by name here",
    "unknown time zone '%.*s'": "a host without zones: unit/template_limits_test",
}
KINDS = {
    "promql": ("src/promql", ("engine", "eval*", "lex", "notes", "parse*", "prepare", "type"), PROMQL_EXEMPT,
               r"err_set|promql_note|(?:\w+_)?fail(?:_eval|_rune|_escape|_quoted|_unquoting)?"),
    "templates": ("src/template", ("*",), TEMPLATES_EXEMPT, r"err_set|err_wrap|(?:\w+_)?fail(?:_rune)?"),
}
NOTE = re.compile(r'\{(?:true|false), NAMED?\w*,\s*((?:"(?:[^"\\]|\\.)*"|\s|SEEN_METRIC)+)\}')


def texts(folder, files, calls):
    call = re.compile(r'\b(?:' + calls + r')\s*\([^;{}"]*?((?:"(?:[^"\\]|\\.)*"\s*)+)')
    for kind in files:
        for path in sorted(glob.glob(f"{folder}/{kind}.c")):
            code = open(path).read().replace("SEEN_METRIC", '" for metric name"')
            for m in list(call.finditer(code)) + list(NOTE.finditer(code)):
                text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', m.group(1)))
                if re.sub(r"%(?:\.\*)?s|\W", "", text):  # else it is another's text
                    yield os.path.basename(path), text


def pattern(text):
    plain = text.replace('\\"', '"').replace("\\\\", "\\")
    parts = re.split(r"%(?:\.\*|0\d)?(?:l+|z)?[a-zX]", plain.replace("%%", "%"))
    return re.compile(".*".join(re.escape(p) for p in parts))


def main():
    kind, source, program = sys.argv[1:4]
    folder, parts, exempt, calls = KINDS[kind]
    files = sorted(glob.glob(f"{source}/tests/{kind}/*.test"))
    p = subprocess.run([program, "--language", *files], capture_output=True, text=True, errors="replace")
    said = [line[6:] for line in p.stdout.splitlines() if line.startswith("said: ")]
    print("\n".join(line for line in p.stdout.splitlines() if not line.startswith("said: ")))
    seen, bad = set(), 0
    for path, text in texts(f"{source}/{folder}", parts, calls):
        if text not in seen and text not in exempt and not any(pattern(text).search(s) for s in said):
            print(f"{path}: no case gets \"{text}\"")
            bad += 1
        seen.add(text)
    for text in sorted(exempt.keys() - seen):
        print(f"exempt, and not there: \"{text}\"")
        bad += 1
    print(f"{len(seen)} texts, {bad} without a case")
    sys.exit(1 if bad or p.returncode else 0)


if __name__ == "__main__":
    main()
