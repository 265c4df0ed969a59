/* regex_replace.c - templates of replacements, as Go's Regexp.Expand reads them.
 *
 * "$name" takes the longest run of letters, digits and underscores, so "$1x" is the group named "1x" (and empty);
 * "${1}x" is group 1 and an x; "$$" is a dollar; a "$" that begins nothing of this stands for itself.
 */
#include "base/utf8.h"
#include "regex/regex_class.h"
#include "regex/regex_priv.h"

/* Behind '$': the name, and how many bytes of s it takes; false when it is none. */
static bool regex_replace_read_name(str s, str *name, size_t *eaten)
{
    bool brace = s.n != 0 && s.p[0] == '{';
    size_t i = brace ? 1 : 0, from = i;

    while (i < s.n) {
        uint32_t r;
        size_t k = utf8_decode(str_sub(s, i, s.n), &r);

        if (!re_is_name_rune(r))
            break;
        i += k;
    }
    if (i == from || (brace && (i >= s.n || s.p[i] != '}')))
        return false;
    *name = str_sub(s, from, i);
    *eaten = i + (brace ? 1 : 0);
    return true;
}

static size_t regex_replace_group_of(const struct regex *re, str name)
{
    uint64_t n;

    if (str_to_u64(name, &n) && (name.n == 1 || name.p[0] != '0'))
        return n < regex_group_count(re) ? (size_t)n : SIZE_MAX;
    return regex_group_named(re, name);
}

/* One piece of a template: the text it stands for, and how many bytes of it were read. */
static str next_piece(const struct regex *re, str tmpl, str subject, const size_t *groups,
                      size_t *eaten)
{
    ptrdiff_t at = str_find(tmpl, '$');
    str name;
    size_t g;

    if (at != 0) {
        *eaten = at < 0 ? tmpl.n : (size_t)at;
        return str_sub(tmpl, 0, *eaten);
    }
    if (tmpl.n > 1 && tmpl.p[1] == '$') {
        *eaten = 2;
        return str_sub(tmpl, 0, 1);
    }
    if (!regex_replace_read_name(str_sub(tmpl, 1, tmpl.n), &name, eaten)) {
        *eaten = 1;
        return str_sub(tmpl, 0, 1);
    }
    *eaten += 1;
    g = regex_replace_group_of(re, name);
    if (g == SIZE_MAX || groups[2 * g] == SIZE_MAX)
        return STR_NONE;
    return str_sub(subject, groups[2 * g], groups[2 * g + 1]);
}

/* False: out would grow beyond max. */
static bool regex_replace_expand(const struct regex *re, struct buf *out, str tmpl, str subject,
                                 const size_t *groups, size_t max)
{
    while (tmpl.n != 0) {
        size_t eaten;
        str piece = next_piece(re, tmpl, subject, groups, &eaten);

        if (piece.n > max - out->n)
            return false;
        buf_add(out, piece);
        tmpl = str_sub(tmpl, eaten, tmpl.n);
    }
    return true;
}

void regex_expand(const struct regex *re, struct buf *out, str tmpl, str subject,
                  const size_t *groups)
{
    (void)regex_replace_expand(re, out, tmpl, subject, groups, SIZE_MAX);
}

/* What one expansion costs: names of groups are looked up one by one. */
static bool spend(struct regex_budget *b, str tmpl, size_t groups)
{
    uint64_t cost = (uint64_t)tmpl.n * (1 + groups / 8);

    b->work -= cost < b->work ? cost : b->work;
    return b->work != 0;
}

bool regex_replace_all(const struct regex *re, struct buf *out, str subject, str tmpl,
                       struct regex_budget *b)
{
    struct regex_budget none = {.work = UINT64_MAX, .output = SIZE_MAX - out->n};
    size_t n = regex_group_count(re), copied = 0, at = 0, max;
    size_t *g = mem_array(2 * n, sizeof(*g));
    enum re_answer found = RE_YES;
    bool fits = true;

    b = b != NULL ? b : &none;
    max = out->n + b->output;
    while (fits && at <= subject.n &&
           (found = regex_captures_within(re, subject, at, g, &b->work)) == RE_YES) {
        uint32_t rune;
        size_t width = at < subject.n ? utf8_decode(str_sub(subject, at, subject.n), &rune) : 1;

        fits = g[0] - copied <= max - out->n;
        if (fits)
            buf_add(out, str_sub(subject, copied, g[0]));
        /* An empty match right behind the previous one does not count. */
        if (fits && (g[1] > copied || g[0] == 0))
            fits = spend(b, tmpl, n) && regex_replace_expand(re, out, tmpl, subject, g, max);
        copied = g[1];
        at = g[1] > at ? g[1] : at + width;
    }
    fits = fits && found != RE_ASK && subject.n - copied <= max - out->n;
    if (fits)
        buf_add(out, str_sub(subject, copied, subject.n));
    mem_free(g);
    return fits;
}
