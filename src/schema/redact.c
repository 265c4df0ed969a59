/* Which names are secrets', what of a line belongs to a name, and what is hidden of it. A line is read by itself, and
 * then by the lines above it, as far as their indentation makes them its parents. */
#include "schema/redact.h"

#define HIDDEN "<secret>"

/* -- names -- */

static bool redact_is_one_of(str name, const char *const *v)
{
    for (; *v != NULL; v++)
        if (str_eq_nocase(name, str_of(*v)))
            return true;
    return false;
}

/* The name in small letters, with '_' for '-'. */
static str redact_folded(str name, char *out, size_t max)
{
    size_t n = name.n < max ? name.n : max;

    for (size_t i = 0; i < n; i++) {
        char c = name.p[i];

        out[i] = c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    return (str){out, n};
}

bool redact_is_secret_name(str name)
{
    static const char *const exact[] = {"key",
                                        "ca",
                                        "cert",
                                        "client_ca",
                                        "username",
                                        "topic", /* of ntfy: whoever knows it reads and writes */
                                        "headers",
                                        "authorization",
                                        "proxy_connect_header",
                                        "basic_auth_users",
                                        NULL};
    static const char *const not [] = {"tokens", "authorization_type", NULL};
    static const char *const parts[] = {"password",   "passwd", "passphrase", "secret",     "token",
                                        "credential", "apikey", "api_key",    "private_key"};
    static const str whole[] = {{"password", 8},      {"secret", 6},         {"token", 5},
                                {"credentials", 11},  {"api_key", 7},        {"auth_password", 13},
                                {"bearer_token", 12}, {"client_secret", 13}, {"api_secret", 10}};
    char small[64];

    name = redact_folded(name, small, sizeof(small));
    if (redact_is_one_of(name, not ) || str_ends_with(name, S("_file")) ||
        str_ends_with(name, S("_files")) || str_ends_with(name, S("_ref")))
        return false;
    if (redact_is_one_of(name, exact) || str_ends_with(name, S("_key")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (str_find_str(name, str_of(parts[i])) >= 0)
            return true;
    return name.n >= 5 && !str_is(name, "series") &&
           str_nearest(name, whole, ARRAY_LEN(whole)) != NULL;
}

/* These hold mappings with secrets in them; where somebody wrote a scalar, it is one. */
static bool is_holder_name(str name)
{
    static const char *const holders[] = {"authorization", "basic_auth", "oauth2", "tokens", NULL};

    return redact_is_one_of(name, holders);
}

/* What is below these is text for people, or a query. */
static bool is_open_name(str name)
{
    static const char *const open[] = {"annotations", "labels", "expr", "alert", "record", NULL};

    return redact_is_one_of(name, open);
}

/* -- ranges -- */

static void hide(struct redact_ranges *r, size_t from, size_t to)
{
    if (from >= to)
        return;
    if (r->n != 0 && (r->n == REDACT_RANGES_MAX || from <= r->v[r->n - 1].to)) {
        if (to > r->v[r->n - 1].to)
            r->v[r->n - 1].to = to;
        return;
    }
    r->v[r->n].from = from;
    r->v[r->n++].to = to;
}

void redact_print(struct buf *out, str line, const struct redact_ranges *r)
{
    size_t at = 0;

    for (size_t i = 0; i < r->n; i++) {
        buf_add(out, str_sub(line, at, r->v[i].from));
        buf_add(out, S(HIDDEN));
        at = r->v[i].to;
    }
    buf_add(out, str_sub(line, at, line.n));
}

size_t redact_moved(const struct redact_ranges *r, size_t at)
{
    size_t moved = at;

    for (size_t i = 0; i < r->n && r->v[i].from < at; i++) {
        size_t inside = at < r->v[i].to ? at - r->v[i].from : r->v[i].to - r->v[i].from;
        size_t shown = strlen(HIDDEN);

        /* The middle of what is hidden is its beginning, its end is its end. */
        moved = moved - inside + (at < r->v[i].to ? 0 : shown);
    }
    return moved;
}

/* -- a line -- */

static size_t redact_skip_blanks(str s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
        at++;
    return at;
}

/* Behind the quoted text at at; the end of the line when it does not end. */
static size_t skip_quoted(str s, size_t at)
{
    char quote = s.p[at++];

    for (; at < s.n; at++) {
        if (s.p[at] == '\\' && quote == '"')
            at++;
        else if (s.p[at] == quote)
            return at + 1;
    }
    return s.n;
}

/* A key at at: its name, and where its value begins. False: there is none. `name:x` is one when the name is a secret's:
 * somebody forgot the blank. */
static bool read_key(str s, size_t at, str *name, size_t *value)
{
    bool is_quoted = at < s.n && (s.p[at] == '"' || s.p[at] == '\'');
    size_t end = at;

    if (is_quoted) {
        end = skip_quoted(s, at);
        *name = str_sub(s, at + 1, end - (end > at + 1));
    } else {
        while (end < s.n && s.p[end] != ':' && strchr("{}[],\"'", s.p[end]) == NULL)
            end++;
        *name = str_trim(str_sub(s, at, end));
    }
    end = redact_skip_blanks(s, end);
    if (end >= s.n || s.p[end] != ':' || name->n == 0)
        return false;
    *value = end + 1;
    return is_quoted || *value == s.n || s.p[*value] == ' ' || s.p[*value] == '\t' ||
           redact_is_secret_name(*name);
}

/* Behind the value at at. In a flow it ends at its comma or bracket. */
static size_t value_end(str s, size_t at, bool in_flow)
{
    size_t depth = 0;

    if (!in_flow && (at >= s.n || strchr("{[", s.p[at]) == NULL))
        return s.n;
    for (; at < s.n; at++) {
        char c = s.p[at];

        if (c == '"' || c == '\'')
            at = skip_quoted(s, at) - 1;
        else if (c == '{' || c == '[')
            depth++;
        else if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        else if (c == '}' || c == ']')
            depth--;
        if (depth == 0 && !in_flow)
            return at + 1;
    }
    return at;
}

/* Who a URL in s is for, and with_path what follows its host. */
static void hide_url(struct redact_ranges *r, str s, size_t at, size_t end, bool with_path)
{
    ptrdiff_t scheme = str_find_str(str_sub(s, at, end), S("://"));
    size_t host, name_end;

    if (scheme < 0)
        return;
    host = name_end = at + (size_t)scheme + 3;
    while (name_end < end && strchr("/?#\"' ", s.p[name_end]) == NULL)
        name_end++;
    for (size_t i = name_end; i > host; i--)
        if (s.p[i - 1] == '@') {
            hide(r, host, i - 1);
            break;
        }
    while (end > name_end && strchr("\"' ", s.p[end - 1]) != NULL)
        end--;
    if (with_path && end > name_end + 1)
        hide(r, name_end, end);
}

static void hide_value(struct redact_ranges *r, str s, size_t at, size_t end)
{
    while (end > at && (s.p[end - 1] == ' ' || s.p[end - 1] == '\t'))
        end--;
    if (at < end && (s.p[at] == '|' || s.p[at] == '>'))
        return; /* it begins below */
    hide(r, at, end);
}

/* An address that is refused for its scheme is an address all the same. */
static bool is_url_name(str name)
{
    char small[64];

    name = redact_folded(name, small, sizeof(small));
    return str_ends_with(name, S("url")) || str_find_str(name, S("webhook")) >= 0;
}

static bool is_nested(str s, size_t value)
{
    return value < s.n && (s.p[value] == '{' || s.p[value] == '[');
}

/* Hides what is secret of a pair; returns where to go on: behind the value, or inside of it. */
static size_t redact_pair(struct redact_ranges *r, str s, str name, size_t value, bool in_flow)
{
    size_t end = value_end(s, value, in_flow);
    bool is_url = is_url_name(name);

    if (is_open_name(name))
        return end;
    if (is_nested(s, value) && (is_url || !redact_is_secret_name(name) || is_holder_name(name)))
        return value;
    if (is_url ? str_find_str(str_sub(s, value, end), S("://")) < 0
               : is_holder_name(name) || redact_is_secret_name(name))
        hide_value(r, s, value, end);
    else
        hide_url(r, s, value, end, true);
    return end;
}

/* bare: what has no name is secret, too. */
static void redact_from(struct redact_ranges *r, str s, size_t at, bool bare)
{
    bool in_flow = false;

    while (at < s.n && s.p[at] != '#') {
        size_t value, end;
        str name;

        if (strchr(" \t{}[],", s.p[at]) != NULL) {
            in_flow |= is_nested(s, at);
            at++;
        } else if (read_key(s, at, &name, &value)) {
            at = redact_pair(r, s, name, redact_skip_blanks(s, value), in_flow);
            bare = is_holder_name(name);
        } else {
            end = value_end(s, at, in_flow);
            if (bare)
                hide_value(r, s, at, end);
            else
                hide_url(r, s, at, end, true);
            at = end;
        }
    }
}

/* -- above a line -- */

/* The column of the first character, and whether it is a list's dash. A blank line, or a comment, has none: SIZE_MAX; one that
 * is further right than most is not looked at. */
static size_t redact_column_of(str line, size_t most, bool *is_item)
{
    size_t at = redact_skip_blanks(str_sub(line, 0, most), 0);

    if (at < line.n && (line.p[at] == ' ' || line.p[at] == '\t'))
        return SIZE_MAX;
    *is_item = at < line.n && line.p[at] == '-' && (at + 1 == line.n || line.p[at + 1] == ' ');
    return at < line.n && line.p[at] != '#' ? at : SIZE_MAX;
}

static size_t behind_dashes(str line, size_t at)
{
    while (at + 1 < line.n && line.p[at] == '-' && line.p[at + 1] == ' ')
        at = redact_skip_blanks(line, at + 1);
    return at;
}

static str line_before(str text, const char *at)
{
    const char *end = at - 1, *from;

    if (at <= text.p)
        return (str){NULL, 0};
    from = memrchr(text.p, '\n', (size_t)(end - text.p));
    from = from != NULL ? from + 1 : text.p;
    return (str){from, (size_t)(end - from)};
}

/* What the names above a line say: each parent's line begins further left. */
enum above { ABOVE_NOTHING, ABOVE_HOLDER, ABOVE_OPEN, ABOVE_SECRET };

/* What a list at the left margin is below, looked for from the line up on. */
static str margin_above(struct redact_text *of, str up)
{
    bool is_item = false;
    str at = up;

    while (at.p != NULL && (redact_column_of(at, 0, &is_item) != 0 || is_item)) {
        bool is_known = of->margin.p != NULL && at.p <= of->from && at.p > of->margin.p;

        at = is_known ? of->margin : line_before(of->all, at.p);
    }
    of->from = up.p;
    of->margin = at;
    return at;
}

static enum above look_above(struct redact_text *of, str line)
{
    str text = of->all;
    bool is_item, above_is_item;
    size_t limit = redact_column_of(line, line.n, &is_item);
    bool is_first = true;

    for (str up = line_before(text, line.p); up.p != NULL && limit != SIZE_MAX;
         up = line_before(text, up.p)) {
        size_t column, key, value;
        str name;

        if (limit == 0 && !is_item)
            break;
        if (limit == 0)
            up = margin_above(of, up);
        if (up.p == NULL)
            break;
        column = redact_column_of(up, limit, &above_is_item);
        if (column == SIZE_MAX || column > limit ||
            (column == limit && (!is_item || above_is_item)))
            continue;
        key = behind_dashes(up, column);
        if ((key < limit || (key == limit && is_item)) && read_key(up, key, &name, &value)) {
            if (is_open_name(name))
                return ABOVE_OPEN;
            if (is_first && is_holder_name(name))
                return ABOVE_HOLDER;
            if (redact_is_secret_name(name) && !is_holder_name(name))
                return ABOVE_SECRET;
            is_first = false;
        }
        limit = column;
        is_item = above_is_item;
    }
    return ABOVE_NOTHING;
}

void redact_line(struct redact_text *of, str line, struct redact_ranges *out)
{
    enum above above = look_above(of, line);
    size_t at = behind_dashes(line, redact_skip_blanks(line, 0));

    out->n = 0;
    if (above == ABOVE_SECRET)
        hide(out, at, line.n);
    else if (above != ABOVE_OPEN)
        redact_from(out, line, at, above == ABOVE_HOLDER);
}

/* -- messages -- */

void redact_message(struct buf *out, str message)
{
    struct redact_ranges r = {.n = 0};

    for (size_t at = 0; at < message.n;) {
        size_t end = at, colon;

        while (end < message.n && strchr("\"' ", message.p[end]) == NULL)
            end++;
        for (colon = at; colon < end && message.p[colon] != ':';)
            colon++;
        if (colon + 1 < end && message.p[colon + 1] != '/' &&
            redact_is_secret_name(str_sub(message, at, colon)))
            hide(&r, colon + 1, end);
        else
            hide_url(&r, message, at, end, false);
        at = end + 1;
    }
    redact_print(out, message, &r);
}
