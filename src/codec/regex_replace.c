/* regex_replace.c - templates of replacements, as Go's Regexp.Expand reads them.
 *
 * "$name" takes the longest run of letters, digits and underscores, so "$1x" is the group named
 * "1x" (and empty);
 * "${1}x" is group 1 and an x; "$$" is a dollar; a "$" that begins nothing of this stands for
 * itself.
 */
#include "base/utf8.h"
#include "codec/regex.h"
#include "codec/regex_class.h"

/* Behind '$': the name, and how many bytes of s it takes; false when it is none. */
static bool read_name(str s, str *name, size_t *eaten)
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

static size_t group_of(const struct regex *re, str name)
{
    uint64_t n;

    if (str_to_u64(name, &n) && (name.n == 1 || name.p[0] != '0'))
        return n < regex_group_count(re) ? (size_t)n : SIZE_MAX;
    return regex_group_named(re, name);
}

void regex_expand(const struct regex *re, struct buf *out, str tmpl, str subject,
                  const size_t *groups)
{
    while (tmpl.n != 0) {
        ptrdiff_t at = str_find(tmpl, '$');
        size_t eaten, g;
        str name;

        if (at < 0) {
            buf_add(out, tmpl);
            return;
        }
        buf_add(out, str_sub(tmpl, 0, (size_t)at));
        tmpl = str_sub(tmpl, (size_t)at + 1, tmpl.n);
        if (tmpl.n != 0 && tmpl.p[0] == '$') {
            buf_addc(out, '$');
            tmpl = str_sub(tmpl, 1, tmpl.n);
        } else if (!read_name(tmpl, &name, &eaten)) {
            buf_addc(out, '$');
        } else {
            g = group_of(re, name);
            if (g != SIZE_MAX && groups[2 * g] != SIZE_MAX)
                buf_add(out, str_sub(subject, groups[2 * g], groups[2 * g + 1]));
            tmpl = str_sub(tmpl, eaten, tmpl.n);
        }
    }
}

void regex_replace_all(const struct regex *re, struct buf *out, str subject, str tmpl)
{
    size_t n = regex_group_count(re), copied = 0, at = 0;
    size_t *g = mem_array(2 * n, sizeof(*g));

    while (at <= subject.n && regex_captures(re, subject, at, g, n)) {
        uint32_t rune;
        size_t width = at < subject.n ? utf8_decode(str_sub(subject, at, subject.n), &rune) : 1;

        buf_add(out, str_sub(subject, copied, g[0]));
        /* An empty match right behind the previous one does not count. */
        if (g[1] > copied || g[0] == 0)
            regex_expand(re, out, tmpl, subject, g);
        copied = g[1];
        at = g[1] > at ? g[1] : at + width;
    }
    buf_add(out, str_sub(subject, copied, subject.n));
    mem_free(g);
}
