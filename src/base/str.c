#include "base/str.h"

int str_cmp(str a, str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n != 0 ? memcmp(a.p, b.p, n) : 0;

    if (c != 0)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

int str_order(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static char base_str_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(str a, str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (base_str_lower(a.p[i]) != base_str_lower(b.p[i]))
            return false;
    return true;
}

ptrdiff_t str_find(str s, char c)
{
    const char *hit = s.n != 0 ? memchr(s.p, c, s.n) : NULL;

    return hit != NULL ? hit - s.p : -1;
}

ptrdiff_t str_find_str(str s, str needle)
{
    const char *hit = NULL;

    if (needle.n == 0)
        return 0;
    if (s.n >= needle.n)
        hit = memchr(s.p, needle.p[0], s.n); /* mostly not even that is there */
    if (hit != NULL)
        hit = memmem(hit, (size_t)(s.p + s.n - hit), needle.p, needle.n);
    return hit != NULL ? hit - s.p : -1;
}

str str_trim(str s)
{
    while (s.n != 0 && char_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n != 0 && char_is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

str str_cut(str *rest, char c)
{
    ptrdiff_t at = str_find(*rest, c);
    str head = *rest;

    if (at < 0) {
        *rest = STR_NONE;
        return head;
    }
    head.n = (size_t)at;
    rest->p += at + 1;
    rest->n -= (size_t)at + 1;
    return head;
}

bool str_to_u64(str s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned)(unsigned char)s.p[i] - '0';

        if (d > 9 || __builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, d, &v))
            return false;
    }
    *out = v;
    return true;
}

enum { NEAREST_MAX = 128 }; /* longer words are not compared: the table below stays on the stack */

/* Optimal string alignment: insert, delete, replace, and swap of neighbours each cost one. */
static size_t edit_distance(str a, str b)
{
    size_t row[3][NEAREST_MAX + 1];
    size_t *prev2 = row[0], *prev = row[1], *cur = row[2];

    for (size_t j = 0; j <= b.n; j++)
        prev[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *t;

        cur[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t same = base_str_lower(a.p[i - 1]) == base_str_lower(b.p[j - 1]) ? 0 : 1;
            size_t best = prev[j - 1] + same;

            if (prev[j] + 1 < best)
                best = prev[j] + 1;
            if (cur[j - 1] + 1 < best)
                best = cur[j - 1] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                prev2[j - 2] + 1 < best)
                best = prev2[j - 2] + 1;
            cur[j] = best;
        }
        t = prev2;
        prev2 = prev;
        prev = cur;
        cur = t;
    }
    return prev[b.n];
}

const str *str_nearest(str s, const str *candidates, size_t n)
{
    size_t best = s.n / 3 + 2; /* one typo in a short key, a third of a long one */
    const str *nearest = NULL;

    if (s.n == 0 || s.n > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d;

        if (candidates[i].n > NEAREST_MAX || candidates[i].n + best <= s.n ||
            s.n + best <= candidates[i].n)
            continue;
        d = edit_distance(s, candidates[i]);
        if (d < best && d < s.n) {
            best = d;
            nearest = &candidates[i];
        }
    }
    return nearest;
}
