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

static bool is_address(str s)
{
    ptrdiff_t at = str_find(s, '@');

    if (at <= 0 || (size_t)at + 1 == s.n)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= 0x20 || c == 0x7f || c == '<' || c == '>' || c == ',' || c == '"')
            return false;
    }
    return utf8_is_valid(s);
}

/* The end of the entry that begins at s: a comma outside quotes and brackets. */
static size_t entry_length(str s)
{
    bool quoted = false, bracket = false;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (!quoted && (s.p[i] == '<' || s.p[i] == '>'))
            bracket = s.p[i] == '<';
        else if (s.p[i] == ',' && !quoted && !bracket)
            return i;
    }
    return s.n;
}

static void add_display_name(struct buf *out, str name)
{
    if (name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"')
        name = str_sub(name, 1, name.n - 1);
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

static bool parse_one(str entry, struct buf *header, str *address, struct err *e)
{
    ptrdiff_t open = str_find(entry, '<');
    str spec = entry, name = STR_NONE;

    if (open >= 0) {
        if (entry.p[entry.n - 1] != '>')
            return err_set(e, ERR_INVALID, "address '%.*s' has no closing >", STR(entry));
        spec = str_trim(str_sub(entry, (size_t)open + 1, entry.n - 1));
        name = str_trim(str_sub(entry, 0, (size_t)open));
    }
    if (!is_address(spec))
        return err_set(e, ERR_INVALID, "'%.*s' is not a mail address", STR(entry));
    if (header->n != 0)
        buf_adds(header, ",\r\n ");
    if (name.n != 0)
        add_display_name(header, name);
    buf_addf(header, name.n != 0 ? "<%.*s>" : "%.*s", STR(spec));
    *address = spec;
    return true;
}

bool mime_addresses_parse(str list, struct arena *a, struct mime_addresses *out, struct err *e)
{
    VEC(str) v = VEC_INIT;
    struct buf header = BUF_INIT;
    bool ok = true;

    while (ok && list.n != 0) {
        size_t n = entry_length(list);
        str entry = str_trim(str_sub(list, 0, n)), address = STR_NONE;

        list = str_sub(list, n + 1, list.n);
        if (entry.n == 0)
            continue;
        ok = parse_one(entry, &header, &address, e);
        if (ok)
            vec_push(&v, arena_str(a, address));
    }
    if (ok && v.n == 0)
        ok = err_set(e, ERR_INVALID, "there is no mail address");
    if (ok) {
        out->v = arena_copy(a, v.v, v.n, v.n, sizeof(str));
        out->n = v.n;
        out->header = arena_str(a, buf_str(&header));
    }
    vec_release(&v);
    buf_release(&header);
    return ok;
}
