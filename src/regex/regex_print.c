#include "regex/regex_print.h"

/* Digits, letters and everything outside ASCII need no escape; the rest is written by number. */
static void print_rune(struct buf *out, uint32_t r)
{
    if ((r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z'))
        buf_addc(out, (char)r);
    else
        buf_addf(out, "\\x{%x}", r);
}

static void regex_print_range(struct buf *out, uint32_t lo, uint32_t hi)
{
    if (lo > hi)
        return;
    print_rune(out, lo);
    if (lo == hi)
        return;
    buf_addc(out, '-');
    print_rune(out, hi);
}

/* PCRE2 refuses to name a surrogate; none stands in valid UTF-8, so they are cut out of the class.
 */
static void print_class(struct buf *out, const struct re_class *c)
{
    size_t start = out->n;

    buf_addc(out, '[');
    for (size_t i = 0; i < c->n; i++) {
        uint32_t lo = c->v[i].lo, hi = c->v[i].hi;

        if (hi < 0xD800 || lo > 0xDFFF) {
            regex_print_range(out, lo, hi);
        } else {
            if (lo < 0xD800)
                regex_print_range(out, lo, 0xD7FF);
            if (hi > 0xDFFF)
                regex_print_range(out, 0xE000, hi);
        }
    }
    buf_addc(out, ']');
    if (out->n - start == 2) {
        out->n = start;
        buf_adds(out, "(?!)");
    }
}

static void print_repeat(struct buf *out, const struct re_node *n)
{
    buf_adds(out, "(?:");
    re_print(out, n->first);
    buf_addc(out, ')');
    if (n->min == 0 && n->max == RE_INFINITE)
        buf_addc(out, '*');
    else if (n->min == 1 && n->max == RE_INFINITE)
        buf_addc(out, '+');
    else if (n->max == RE_INFINITE)
        buf_addf(out, "{%d,}", n->min);
    else
        buf_addf(out, "{%d,%d}", n->min, n->max);
    if (n->lazy)
        buf_addc(out, '?');
}

static void regex_print_list(struct buf *out, const struct re_node *n, bool alternatives)
{
    buf_adds(out, "(?:");
    for (const struct re_node *c = n->first; c != NULL; c = c->next) {
        if (c != n->first && alternatives)
            buf_addc(out, '|');
        re_print(out, c);
    }
    buf_addc(out, ')');
}

void re_print(struct buf *out, const struct re_node *n)
{
    switch (n->op) {
    case RE_NEVER: buf_adds(out, "(?!)"); break;
    case RE_EMPTY: break;
    case RE_RUNE: print_rune(out, n->rune); break;
    case RE_CLASS: print_class(out, &n->cls); break;
    case RE_ANY: buf_adds(out, "[^\\n]"); break;
    case RE_ANY_NL: buf_adds(out, "(?s:.)"); break;
    /* PCRE2's own (?m)^ does not match behind a newline that ends the subject. */
    case RE_LINE_START: buf_adds(out, "(?<![^\\n])"); break;
    case RE_LINE_END: buf_adds(out, "(?![^\\n])"); break;
    case RE_TEXT_START: buf_adds(out, "\\A"); break;
    case RE_TEXT_END: buf_adds(out, "\\z"); break;
    case RE_WORD: buf_adds(out, "\\b"); break;
    case RE_NOT_WORD: buf_adds(out, "\\B"); break;
    case RE_CAT: regex_print_list(out, n, false); break;
    case RE_ALT: regex_print_list(out, n, true); break;
    case RE_REPEAT: print_repeat(out, n); break;
    case RE_CAPTURE:
        buf_addc(out, '(');
        re_print(out, n->first);
        buf_addc(out, ')');
        break;
    }
}
