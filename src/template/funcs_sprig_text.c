/* funcs_sprig_text.c - sprig's other functions for text: words, lines, pieces, base32. */
#include "base/strcase.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "template/funcs_priv.h"
#include "template/template.h"

/* As goutils: what stands before offset is let go too, when there is much of it. */
static void abbreviate(struct buf *b, str s, size_t offset, size_t width)
{
    if (s.n <= width) {
        buf_add(b, s);
        return;
    }
    if (offset > s.n)
        offset = s.n;
    if (s.n - offset < width - 3)
        offset = s.n - (width - 3);
    if (offset <= 4) {
        buf_add(b, str_sub(s, 0, width - 3));
        buf_adds(b, "...");
        return;
    }
    buf_adds(b, "...");
    if (offset + width - 3 >= s.n)
        buf_add(b, str_sub(s, s.n - (width - 3), s.n));
    else
        abbreviate(b, str_sub(s, offset, s.n), 0, width - 3);
}

FUNC(f_abbrev)
{
    struct buf b = BUF_INIT;

    if (args[0].i < 4)
        buf_add(&b, args[1].s);
    else
        abbreviate(&b, args[1].s, 0, (size_t)args[0].i);
    return func_text(env, &b, out);
}

FUNC(f_abbrev_both)
{
    int64_t left = args[0].i, right = args[1].i;
    struct buf b = BUF_INIT;

    if (right < 4 || (left > 0 && right < 7))
        buf_add(&b, args[2].s);
    else
        abbreviate(&b, args[2].s, left > 0 ? (size_t)left : 0, (size_t)right);
    return func_text(env, &b, out);
}

FUNC(f_initials)
{
    struct buf b = BUF_INIT;
    bool is_first = true;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        if (is_first && !rune_is_space(r))
            buf_add(&b, str_sub(s, 0, k));
        is_first = rune_is_space(r);
        s = str_sub(s, k, s.n);
    }
    return func_text(env, &b, out);
}

FUNC(f_untitle)
{
    struct buf b = BUF_INIT;
    bool is_first = true;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        utf8_add(&b, is_first ? rune_lower(r) : r);
        is_first = rune_is_space(r);
        s = str_sub(s, k, s.n);
    }
    return func_text(env, &b, out);
}

static uint32_t swapped(uint32_t r)
{
    return rune_is_upper(r) ? rune_lower(r) : rune_upper(r);
}

FUNC(f_swapcase)
{
    struct buf b = BUF_INIT;

    str_map_runes(&b, args[0].s, swapped);
    return func_text(env, &b, out);
}

FUNC(f_nospace)
{
    struct buf b = BUF_INIT;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);

        if (!rune_is_space(r))
            buf_add(&b, str_sub(s, 0, k));
        s = str_sub(s, k, s.n);
    }
    return func_text(env, &b, out);
}

static bool is_connector(uint32_t r)
{
    return r == '-' || r == '_' || rune_is_space(r);
}

FUNC(f_camelcase)
{
    struct buf b = BUF_INIT;
    bool starts = true, was_connector = true;
    uint32_t r;

    for (str s = args[0].s; s.n != 0;) {
        size_t k = utf8_decode(s, &r);
        str next = str_sub(s, k, s.n);
        uint32_t after = 0;

        if (next.n != 0)
            utf8_decode(next, &after);
        if (!is_connector(r)) {
            utf8_add(&b, was_connector ? rune_upper(r) : rune_lower(r));
            starts = false;
        } else if (starts || next.n == 0 || is_connector(after)) {
            utf8_add(&b, r);
        }
        was_connector = is_connector(r);
        s = next;
    }
    return func_text(env, &b, out);
}

/* A word is of one class; of capital letters before a small one the last begins the next word: HTTPServer. */
enum word { WORD_END, WORD_UPPER, WORD_LOWER, WORD_NUMBER, WORD_CONNECTOR, WORD_OTHER };

static enum word funcs_sprig_text_class_of(uint32_t r)
{
    return is_connector(r)     ? WORD_CONNECTOR
           : rune_is_upper(r)  ? WORD_UPPER
           : rune_is_digit(r)  ? WORD_NUMBER
           : rune_is_letter(r) ? WORD_LOWER
                               : WORD_OTHER;
}

static enum word next_word(str *s, str *word)
{
    enum word class = WORD_END;
    size_t at = 0, last = 0, n = 0;
    uint32_t r;

    while (at < s->n) {
        size_t k = utf8_decode(str_sub(*s, at, s->n), &r);
        enum word next = funcs_sprig_text_class_of(r);

        if (class == WORD_UPPER && n == 1 && next == WORD_LOWER)
            class = WORD_LOWER, n++; /* Server: the rest of it is small */
        if (class == WORD_UPPER && next == WORD_LOWER) {
            at = last;
            break;
        }
        if (class != WORD_END && next != class)
            break;
        class = next;
        last = at;
        at += k;
        n++;
    }
    *word = str_sub(*s, 0, at);
    *s = str_sub(*s, at, s->n);
    if (class == WORD_LOWER && word->n != 0) {
        utf8_decode(*word, &r);
        class = rune_is_upper(r) ? WORD_UPPER : WORD_LOWER;
    }
    return class;
}

static void put_word(struct buf *b, enum word class, str word, char connector)
{
    struct buf lower = BUF_INIT;

    if (class == WORD_CONNECTOR) {
        buf_pad(b, connector, utf8_count(word));
        return;
    }
    str_lower(&lower, word);
    buf_add(b, buf_str(&lower));
    buf_release(&lower);
}

static bool parts(enum word class)
{
    return class == WORD_CONNECTOR || class == WORD_OTHER || class == WORD_END;
}

/* A number goes with the word before it, Bld4Floor is bld4_floor; but with small letters behind it, HTTP2xx is http_2xx. */
static void lower_case(struct buf *b, str s, char connector)
{
    str word, number;
    enum word class = next_word(&s, &word), before;

    while (class != WORD_END) {
        put_word(b, class, word, connector);
        before = class;
        class = next_word(&s, &word);
        if (before == WORD_CONNECTOR || before == WORD_OTHER)
            continue;
        if (before != WORD_NUMBER) {
            if (class != WORD_NUMBER) {
                if (!parts(class))
                    buf_addc(b, connector);
                continue;
            }
            number = word;
            class = next_word(&s, &word);
            if (class == WORD_LOWER)
                buf_addc(b, connector);
            put_word(b, WORD_NUMBER, number, connector);
        }
        for (; class == WORD_LOWER || class == WORD_NUMBER; class = next_word(&s, &word))
            put_word(b, class, word, connector);
        if (!parts(class))
            buf_addc(b, connector);
    }
}

FUNC(f_snakecase)
{
    struct buf b = BUF_INIT;

    lower_case(&b, args[0].s, '_');
    return func_text(env, &b, out);
}

FUNC(f_kebabcase)
{
    struct buf b = BUF_INIT;

    lower_case(&b, args[0].s, '-');
    return func_text(env, &b, out);
}

static ptrdiff_t last_blank(str s)
{
    for (size_t i = s.n; i-- != 0;)
        if (s.p[i] == ' ')
            return (ptrdiff_t)i;
    return -1;
}

static void wrap(const struct tmpl_env *env, struct buf *b, str s, int64_t width, str line,
                 bool cuts_words)
{
    size_t most = width < 1 ? 1 : (size_t)width;

    if (line.n == 0)
        line = S("\n");
    while (s.n > most && !func_too_long(env, b->n)) {
        ptrdiff_t blank;

        if (s.p[0] == ' ') {
            s = str_sub(s, 1, s.n);
            continue;
        }
        blank = last_blank(str_sub(s, 0, most + 1));
        if (blank < 0 && !cuts_words) {
            blank = str_find(str_sub(s, most, s.n), ' ');
            if (blank < 0)
                break;
            blank += (ptrdiff_t)most;
        }
        buf_add(b, str_sub(s, 0, blank < 0 ? most : (size_t)blank));
        buf_add(b, line);
        s = str_sub(s, blank < 0 ? most : (size_t)blank + 1, s.n);
    }
    buf_add(b, s);
}

FUNC(f_wrap)
{
    struct buf b = BUF_INIT;

    wrap(env, &b, args[1].s, args[0].i, S("\n"), false);
    return func_text(env, &b, out);
}

FUNC(f_wrap_with)
{
    struct buf b = BUF_INIT;

    wrap(env, &b, args[2].s, args[0].i, args[1].s, true);
    return func_text(env, &b, out);
}

FUNC(f_plural)
{
    *out = args[2].i == 1 ? args[0] : args[1];
    return true;
}

FUNC(f_substr)
{
    int64_t start = args[0].i, end = args[1].i;
    str s = args[2].s;
    int64_t n_s = (int64_t)s.n;

    if (start > n_s || (start < 0 && end < 0) ||
        (start >= 0 && end >= 0 && end <= n_s && end < start))
        return err_set(e, ERR_INVALID, "slice bounds out of range");
    if (start < 0)
        s = str_sub(s, 0, end < n_s ? (size_t)end : s.n);
    else
        s = str_sub(s, (size_t)start, end < 0 || end > n_s ? s.n : (size_t)end);
    *out = tv_str(s);
    return true;
}

FUNC(f_cat)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        if (args[i].kind == TV_NIL)
            continue;
        buf_add(&b, func_shown(env, &args[i]));
        buf_addc(&b, ' ');
    }
    *out = tv_str(str_trim_space(arena_str(env->a, buf_str(&b))));
    buf_release(&b);
    return true;
}

FUNC(f_squote)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        str s = func_shown(env, &args[i]);

        if (args[i].kind != TV_NIL)
            buf_addf(&b, "%s'%.*s'", b.n != 0 ? " " : "", STR(s));
    }
    return func_text(env, &b, out);
}

FUNC(f_nindent)
{
    struct buf b = BUF_INIT;
    struct tmpl_value indented;

    if (!func_indent(env, args, 2, &indented, e))
        return false;
    buf_addc(&b, '\n');
    buf_add(&b, indented.s);
    return func_text(env, &b, out);
}

static struct tmpl_value funcs_sprig_text_split(struct tmpl_env *env, str sep, str s, size_t most)
{
    VEC(struct tmpl_pair) v = VEC_INIT;
    struct tmpl_value out;
    ptrdiff_t at = 0;

    while (at >= 0 && v.n < most && !func_too_long(env, v.n * sizeof(v.v[0]))) {
        str piece = s, key;
        uint32_t r;

        at = v.n + 1 == most            ? -1
             : sep.n != 0               ? str_find_str(s, sep)
             : s.n > utf8_decode(s, &r) ? (ptrdiff_t)utf8_decode(s, &r)
                                        : -1;
        if (at >= 0) {
            piece = str_sub(s, 0, (size_t)at);
            s = str_sub(s, (size_t)at + sep.n, s.n);
        }
        key = arena_printf(env->a, "_%zu", v.n);
        vec_push(&v, (struct tmpl_pair){key, tv_str(piece)});
    }
    (void)tmpl_work(env, v.n * v.n / TMPL_STEP_ITEMS);
    out = tv_map(&tmpl_string_map, arena_copy(env->a, v.v, v.n, v.n, sizeof(v.v[0])), v.n);
    vec_release(&v);
    return out;
}

FUNC(f_split)
{
    *out = funcs_sprig_text_split(env, args[0].s, args[1].s, SIZE_MAX);
    return true;
}

FUNC(f_splitn)
{
    *out = funcs_sprig_text_split(env, args[0].s, args[2].s,
                                  args[1].i < 0 ? SIZE_MAX : (size_t)args[1].i);
    return true;
}

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

FUNC(f_b32enc)
{
    struct buf b = BUF_INIT;
    str s = args[0].s;

    for (size_t i = 0; i < s.n; i += 5) {
        uint64_t v = 0;
        size_t left = s.n - i < 5 ? s.n - i : 5, digits = (left * 8 + 4) / 5;

        for (size_t k = 0; k < 5; k++)
            v = v << 8 | (k < left ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 8; k++)
            buf_addc(&b, k < digits ? base32_digits[v >> (35 - 5 * k) & 31] : '=');
    }
    return func_text(env, &b, out);
}

FUNC(f_b32dec)
{
    str s = args[0].s;
    struct buf b = BUF_INIT;
    uint32_t v = 0;
    unsigned bits = 0;
    size_t pads = 0;

    while (s.n != 0 && s.p[s.n - 1] == '=') {
        s.n--;
        pads++;
    }
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] != '\0' ? strchr(base32_digits, s.p[i]) : NULL;

        if (at == NULL)
            break;
        v = v << 5 | (uint32_t)(at - base32_digits);
        bits += 5;
        if (bits >= 8)
            buf_addc(&b, (char)(v >> (bits -= 8) & 0xff));
        s.n -= i + 1 == s.n ? i + 1 : 0;
    }
    if (s.n == 0 && pads < 7 && args[0].s.n % 8 == 0)
        return func_text(env, &b, out);
    buf_release(&b);
    return err_set(e, ERR_INVALID, "illegal base32 data");
}

FUNC(f_fail)
{
    *out = TV_ZERO;
    return err_set(e, ERR_INVALID, "%.*s", STR(args[0].s));
}

const struct tmpl_func tmpl_sprig_text_funcs[] = {
    {"abbrev", "is", f_abbrev, "the beginning of text, with ... behind it"},
    {"abbrevboth", "iis", f_abbrev_both, "the middle of text, with ... around it"},
    {"initials", "s", f_initials, "the first letter of each word"},
    {"untitle", "s", f_untitle, "each word with a small letter first"},
    {"swapcase", "s", f_swapcase, "small letters for capital ones and the other way round"},
    {"nospace", "s", f_nospace, "text without white space"},
    {"snakecase", "s", f_snakecase, "words_like_these"},
    {"camelcase", "s", f_camelcase, "WordsLikeThese"},
    {"kebabcase", "s", f_kebabcase, "words-like-these"},
    {"wrap", "is", f_wrap, "text in lines"},
    {"wrapWith", "iss", f_wrap_with, "text with another one between its lines"},
    {"plural", "ssi", f_plural, "the first text for one, else the second"},
    {"substr", "iis", f_substr, "the bytes from one place up to another"},
    {"cat", "a*", f_cat, "the arguments with blanks between them"},
    {"squote", "a*", f_squote, "in single quotes"},
    {"nindent", "is", f_nindent, "a new line, then each line moved to the right"},
    {"split", "ss", f_split, "a map _0, _1, ... of the pieces between separators"},
    {"splitn", "sis", f_splitn, "the same, of so many pieces at most"},
    {"b32enc", "s", f_b32enc, "base32"},
    {"b32dec", "s", f_b32dec, "the text behind base32"},
    {"fail", "s", f_fail, "ends the rendering with a message"},
    {NULL, NULL, NULL, NULL},
};
