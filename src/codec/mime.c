/* Headers are words: those that are plain stay, others become encoded-words, and lines are folded between them. Bodies
 * are quoted-printable. Addresses are read as Go's net/mail does, recursively, a function a rule of RFC 5322. */
#include "tocsin/mime.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "codec/timefmt.h"

static bool is_plain_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c > 0x7e)
            return false;
    }
    return str_find_str(s, S("=?")) < 0;
}

/* Control bytes become blanks, so that nothing can end the line. */
static void add_one_line(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        buf_addc(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
}

static size_t q_length(str rune)
{
    unsigned char c;

    assume(rune.n != 0 && rune.p != NULL);
    c = (unsigned char)rune.p[0];
    if (rune.n == 1 && (c == ' ' || (c > 0x20 && c < 0x7f && c != '=' && c != '?' && c != '_')))
        return 1;
    return 3 * rune.n;
}

static void add_q(struct buf *out, str rune)
{
    if (q_length(rune) == 1) {
        buf_addc(out, rune.p[0] == ' ' ? '_' : rune.p[0]);
        return;
    }
    for (size_t i = 0; i < rune.n; i++)
        buf_addf(out, "=%02X", (unsigned char)rune.p[i]);
}

/* "=?utf-8?q?" and "?=" take 12 of the 75 characters of a word. */
static void add_encoded_words(struct buf *out, str s)
{
    enum { ROOM = 75 - 12 };
    size_t used = 0;

    buf_adds(out, "=?utf-8?q?");
    while (s.n != 0) {
        uint32_t r;
        str rune = str_sub(s, 0, utf8_decode(s, &r));

        if (used + q_length(rune) > ROOM) {
            buf_adds(out, "?=\r\n =?utf-8?q?");
            used = 0;
        }
        add_q(out, rune);
        used += q_length(rune);
        s = str_sub(s, rune.n, s.n);
    }
    buf_adds(out, "?=");
}

/* At blanks, before the line grows over 76; a word longer than that stays whole. */
static void add_folded(struct buf *out, str s, size_t column)
{
    while (s.n != 0) {
        ptrdiff_t blank = str_find(str_sub(s, 1, s.n), ' ');
        str word = str_sub(s, 0, blank < 0 ? s.n : (size_t)blank + 1);

        assume(word.p != NULL);
        if (column + word.n > 76 && word.p[0] == ' ') {
            buf_adds(out, "\r\n");
            column = 0;
        }
        buf_add(out, word);
        column += word.n;
        s = str_sub(s, word.n, s.n);
    }
}

void mime_header(struct buf *out, str name, str value)
{
    struct buf line = BUF_INIT;

    add_one_line(&line, str_trim(value));
    add_one_line(out, name);
    buf_adds(out, ": ");
    if (is_plain_ascii(buf_str(&line)))
        add_folded(out, buf_str(&line), name.n + 2);
    else
        add_encoded_words(out, buf_str(&line));
    buf_adds(out, "\r\n");
    buf_release(&line);
}

void mime_date(struct buf *out, ts_ns now)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = civil_of(now, 0);

    buf_addf(out, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[c.weekday], c.day,
             months[c.month - 1], (int)c.year, c.hour, c.minute, c.second);
}

void mime_day(struct buf *out, ts_ns now)
{
    struct civil c = civil_of(now, 0);

    buf_addf(out, "%04d-%02d-%02d", (int)c.year, c.month, c.day);
}

static bool qp_is_plain(str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    bool last = i + 1 == s.n || s.p[i + 1] == '\n' || s.p[i + 1] == '\r';

    if (c == ' ' || c == '\t')
        return !last; /* a blank at the end of a line would be lost */
    return c > 0x20 && c < 0x7f && c != '=';
}

void mime_quoted_printable(struct buf *out, str s)
{
    size_t column = 0;

    for (size_t i = 0; i < s.n; i++) {
        bool plain;

        if (s.p[i] == '\n' || (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')) {
            i += s.p[i] == '\r';
            buf_adds(out, "\r\n");
            column = 0;
            continue;
        }
        plain = qp_is_plain(s, i);
        if (column + (plain ? 1 : 3) > 75) {
            buf_adds(out, "=\r\n");
            column = 0;
        }
        if (plain)
            buf_addc(out, s.p[i]);
        else
            buf_addf(out, "=%02X", (unsigned char)s.p[i]);
        column += plain ? 1 : 3;
    }
}

str mime_canonical_name(struct arena *a, str name)
{
    str copy = arena_str(a, name);
    char *p = (char *)(uintptr_t)copy.p;
    bool first = true;

    for (size_t i = 0; i < copy.n; i++) {
        if (first && p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - 32);
        else if (!first && p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
        first = p[i] == '-';
    }
    return copy;
}

/* -- addresses -- */

static void add_display_name(struct buf *out, str name)
{
    if (is_plain_ascii(name)) {
        buf_addc(out, '"');
        for (size_t i = 0; i < name.n; i++)
            if (name.p[i] != '"' && name.p[i] != '\\')
                buf_addc(out, name.p[i]);
        buf_adds(out, "\" ");
    } else {
        struct buf line = BUF_INIT;

        add_one_line(&line, name);
        add_encoded_words(out, buf_str(&line));
        buf_addc(out, ' ');
        buf_release(&line);
    }
}

/* As Go's net/mail: RFC 5322 with comments and groups. Line ends count as blanks here. */
struct addresses {
    str rest;
    struct arena *a;
    struct buf header;
    VEC(str) v;
    struct err *e;
};

static void mime_skip_blanks(struct addresses *p)
{
    while (p->rest.n != 0 && char_is_space(p->rest.p[0]))
        p->rest = str_sub(p->rest, 1, p->rest.n);
}

static bool mime_take(struct addresses *p, char c)
{
    if (p->rest.n == 0 || p->rest.p[0] != c)
        return false;
    p->rest = str_sub(p->rest, 1, p->rest.n);
    return true;
}

/* Comments nest. out: NULL, or the text of it without the parentheses around. */
static bool take_comment(struct addresses *p, str *out)
{
    unsigned depth = 1;
    size_t i = 1;

    for (; i < p->rest.n && depth != 0; i++) {
        if (p->rest.p[i] == '\\')
            i++;
        else if (p->rest.p[i] == '(')
            depth++;
        else if (p->rest.p[i] == ')')
            depth--;
    }
    if (depth != 0)
        return err_set(p->e, ERR_INVALID, "a comment of mail addresses has no end");
    if (out != NULL)
        *out = str_trim(str_sub(p->rest, 1, i - 1));
    p->rest = str_sub(p->rest, i, p->rest.n);
    return true;
}

static bool skip_comments(struct addresses *p)
{
    for (mime_skip_blanks(p); p->rest.n != 0 && p->rest.p[0] == '('; mime_skip_blanks(p))
        if (!take_comment(p, NULL))
            return false;
    return true;
}

/* With the dots; empty when none begins here. */
static str take_atom(struct addresses *p)
{
    size_t i = 0;
    str atom;

    while (i < p->rest.n && (unsigned char)p->rest.p[i] > 0x20 && p->rest.p[i] != 0x7f &&
           strchr("()[];@\\,<>\":", p->rest.p[i]) == NULL)
        i++;
    atom = str_sub(p->rest, 0, i);
    p->rest = str_sub(p->rest, i, p->rest.n);
    return atom;
}

static bool take_quoted(struct addresses *p, str *out)
{
    struct buf b = BUF_INIT;
    size_t i = 1;

    for (; i < p->rest.n && p->rest.p[i] != '"'; i++) {
        i += p->rest.p[i] == '\\';
        if (i < p->rest.n && ((unsigned char)p->rest.p[i] >= 0x20 || p->rest.p[i] == '\t'))
            buf_addc(&b, p->rest.p[i]);
        else
            break;
    }
    *out = arena_str(p->a, buf_str(&b));
    buf_release(&b);
    if (i >= p->rest.n || p->rest.p[i] != '"')
        return err_set(p->e, ERR_INVALID, "'%.*s' has no closing quote", STR(p->rest));
    p->rest = str_sub(p->rest, i + 1, p->rest.n);
    return true;
}

static bool is_dot_atom(str s)
{
    struct addresses p = {.rest = s};

    return s.n != 0 && take_atom(&p).n == s.n && s.p[0] != '.' && s.p[s.n - 1] != '.' &&
           str_find_str(s, S("..")) < 0 && utf8_is_valid(s);
}

/* The domain, or an address in brackets. */
static bool take_domain(struct addresses *p, str *out)
{
    ptrdiff_t end;

    mime_skip_blanks(p);
    if (p->rest.n != 0 && p->rest.p[0] == '[') {
        end = str_find(p->rest, ']');
        *out = str_sub(p->rest, 0, end < 0 ? 0 : (size_t)end + 1);
        p->rest = str_sub(p->rest, out->n, p->rest.n);
        for (size_t i = 0; i < out->n; i++)
            if ((unsigned char)out->p[i] <= 0x20 || out->p[i] == 0x7f || out->p[i] == '\\')
                return false;
        return out->n > 2;
    }
    *out = take_atom(p);
    return is_dot_atom(*out);
}

/* Quotes stay only where they are needed. False: none begins here, and nothing was taken. */
static bool take_spec(struct addresses *p, str *out)
{
    struct addresses before = *p;
    struct buf b = BUF_INIT;
    struct err *e = p->e;
    str local = STR_NONE, domain;
    bool ok;

    p->e = NULL;
    mime_skip_blanks(p);
    if (p->rest.n != 0 && p->rest.p[0] == '"') {
        ok = take_quoted(p, &local) && local.n != 0 && utf8_is_valid(local);
    } else {
        local = take_atom(p);
        ok = is_dot_atom(local);
    }
    ok = ok && mime_take(p, '@') && take_domain(p, &domain);
    p->e = e;
    if (!ok) {
        p->rest = before.rest;
        return false;
    }
    if (is_dot_atom(local)) {
        buf_add(&b, local);
    } else {
        buf_addc(&b, '"');
        for (size_t i = 0; i < local.n; i++)
            buf_addf(&b, local.p[i] == '"' || local.p[i] == '\\' ? "\\%c" : "%c", local.p[i]);
        buf_addc(&b, '"');
    }
    buf_addf(&b, "@%.*s", STR(domain));
    *out = arena_str(p->a, buf_str(&b));
    buf_release(&b);
    return true;
}

static void add_address(struct addresses *p, str name, str spec)
{
    if (p->header.n != 0)
        buf_adds(&p->header, ",\r\n ");
    if (name.n != 0)
        add_display_name(&p->header, name);
    buf_addf(&p->header, name.n != 0 ? "<%.*s>" : "%.*s", STR(spec));
    vec_push(&p->v, spec);
}

/* Words, with comments between them. */
static bool take_phrase(struct addresses *p, str *out)
{
    struct buf b = BUF_INIT;
    bool ok = true;

    while (ok) {
        str word;

        ok = b.n == 0 || skip_comments(p);
        mime_skip_blanks(p);
        if (!ok || p->rest.n == 0)
            break;
        if (p->rest.p[0] == '"')
            ok = take_quoted(p, &word);
        else if ((word = take_atom(p)).n == 0)
            break;
        if (ok)
            buf_addf(&b, "%s%.*s", b.n != 0 ? " " : "", STR(word));
    }
    *out = arena_str(p->a, buf_str(&b));
    buf_release(&b);
    return ok;
}

static bool take_group(struct addresses *p);

static bool take_address(struct addresses *p, bool may_be_group)
{
    str start, spec, name = STR_NONE;

    mime_skip_blanks(p);
    start = p->rest;
    if (take_spec(p, &spec)) {
        mime_skip_blanks(p);
        if (p->rest.n != 0 && p->rest.p[0] == '(' && !take_comment(p, &name))
            return false;
        add_address(p, name, spec);
        return true;
    }
    if (!take_phrase(p, &name))
        return false;
    if (may_be_group && name.n != 0 && mime_take(p, ':'))
        return take_group(p);
    if (!mime_take(p, '<') || !take_spec(p, &spec))
        return err_set(p->e, ERR_INVALID, "'%.*s' is not a mail address", STR(str_trim(start)));
    mime_skip_blanks(p);
    if (!mime_take(p, '>'))
        return err_set(p->e, ERR_INVALID, "address '%.*s' has no closing >", STR(str_trim(start)));
    add_address(p, name, spec);
    return true;
}

/* Behind "name:". Groups do not nest, and may be empty. */
static bool take_group(struct addresses *p)
{
    if (!skip_comments(p))
        return false;
    while (!mime_take(p, ';')) {
        if (!take_address(p, false) || !skip_comments(p))
            return false;
        if (!mime_take(p, ',') && (p->rest.n == 0 || p->rest.p[0] != ';'))
            return err_set(p->e, ERR_INVALID, "a group of mail addresses has no closing ;");
    }
    return true;
}

bool mime_addresses_parse(str list, struct arena *a, struct mime_addresses *out, struct err *e)
{
    struct addresses p = {.rest = list, .a = a, .e = e};
    bool ok = true;

    while (ok) {
        for (mime_skip_blanks(&p); mime_take(&p, ',');)
            mime_skip_blanks(&p);
        if (p.rest.n == 0)
            break;
        ok = take_address(&p, true) && skip_comments(&p);
        if (ok && p.rest.n != 0 && p.rest.p[0] != ',')
            ok = err_set(e, ERR_INVALID, "'%.*s' is not a mail address: a comma is missing",
                         STR(list));
    }
    if (ok && p.v.n == 0)
        ok = err_set(e, ERR_INVALID, "there is no mail address");
    if (ok) {
        out->v = arena_copy(a, p.v.v, p.v.n, p.v.n, sizeof(str));
        out->n = p.v.n;
        out->header = arena_str(a, buf_str(&p.header));
    }
    vec_release(&p.v);
    buf_release(&p.header);
    return ok;
}
