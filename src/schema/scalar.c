/* A decoder a kind of key: a scalar, or a list or map of text, into the member. What is wrong is told with what was
 * expected; the member then keeps its default. */
#include <stdlib.h>
#include "codec/duration.h"
#include "codec/float.h"
#include "codec/url.h"
#include "model/labels.h"
#include "schema/schema.h"

static bool scalar_bad(const struct conf_in *in, const struct yaml_node *node, const char *wanted)
{
    conf_complain(in, node, DIAG_ERROR, "C001", "%s expected, not \"%.*s\"", wanted,
                  STR(node->text));
    return false;
}

/* -- booleans and numbers -- */

static bool to_bool(const struct yaml_node *node, bool *out)
{
    static const char *const yes[] = {"y",  "Y",  "yes",  "Yes",  "YES", "on",
                                      "On", "ON", "true", "True", "TRUE"};
    static const char *const no[] = {"n",   "N",   "no",    "No",    "NO",   "off",
                                     "Off", "OFF", "false", "False", "FALSE"};

    if (node->style != YAML_PLAIN)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_is(node->text, yes[i]) || str_is(node->text, no[i])) {
            *out = str_is(node->text, yes[i]);
            return true;
        }
    }
    return false;
}

/* Decimal, 0x, 0o and 0 (octal), 0b, with underscores between the digits, as YAML 1.1 writes integers. */
static bool to_int(str s, int64_t *out)
{
    bool negative = s.n != 0 && s.p[0] == '-';
    unsigned base = 10;
    uint64_t v = 0;
    size_t i = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+'), digits = 0;

    if (s.n - i > 1 && s.p[i] == '0') {
        char c = s.p[i + 1];

        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        i += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
    }
    for (; i < s.n; i++) {
        char c = s.p[i];
        unsigned d = c >= '0' && c <= '9'                 ? (unsigned)(c - '0')
                     : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a' + 10)
                                                          : 99;

        if (c == '_' && digits != 0)
            continue;
        if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return false;
        digits++;
    }
    if (digits == 0 || v > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool is_in_range(const struct conf_in *in, const struct conf_key *key,
                        const struct yaml_node *node, int64_t v)
{
    if (key->min == key->max || (v >= key->min && v <= key->max))
        return true;
    conf_complain(in, node, DIAG_ERROR, "C001", "%lld is not between %lld and %lld", (long long)v,
                  (long long)key->min, (long long)key->max);
    return false;
}

static bool decode_int(const struct conf_in *in, const struct conf_key *key,
                       const struct yaml_node *node, void *member)
{
    int64_t v;

    if (!to_int(node->text, &v))
        return scalar_bad(in, node, "an integer");
    if ((key->flags & CONF_NOT_NEGATIVE) != 0 && v < 0)
        return scalar_bad(in, node, "an integer that is not negative");
    if (!is_in_range(in, key, node, v))
        return false;
    memcpy(member, &v, sizeof(v));
    return true;
}

static bool decode_size(const struct conf_in *in, const struct conf_key *key,
                        const struct yaml_node *node, void *member)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {{"", 1},           {"B", 1},          {"KB", 1 << 10}, {"KiB", 1 << 10},
                 {"MB", 1 << 20},   {"MiB", 1 << 20},  {"GB", 1 << 30}, {"GiB", 1 << 30},
                 {"TB", 1ll << 40}, {"TiB", 1ll << 40}};
    str s = node->text;
    uint64_t v;
    int64_t out;
    size_t digits = 0;

    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    if (!str_to_u64(str_sub(s, 0, digits), &v) || v > INT64_MAX)
        return scalar_bad(in, node, "a size such as 512MB");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!str_is(str_sub(s, digits, s.n), units[i].name))
            continue;
        if (__builtin_mul_overflow((int64_t)v, units[i].bytes, &out))
            return scalar_bad(in, node, "a smaller size");
        if (!is_in_range(in, key, node, out))
            return false;
        memcpy(member, &out, sizeof(out));
        return true;
    }
    return scalar_bad(in, node, "a size such as 512MB");
}

static bool decode_duration(const struct conf_in *in, const struct conf_key *key,
                            const struct yaml_node *node, void *member)
{
    struct err e = ERR_INIT;
    dur_ns d = 0;
    int64_t ns;
    bool ok;

    if (key->kind == CONF_DURATION)
        ok = duration_parse(node->text, &d, &e);
    else if (to_int(node->text, &ns))
        d = ns, ok = true;
    else
        ok = go_duration_parse(node->text, &d, &e);
    if (!ok) {
        conf_complain(in, node, DIAG_ERROR, "C001", "%s", e.msg);
        return false;
    }
    if ((key->flags & CONF_NOT_ZERO) != 0 && d == 0) {
        conf_complain(in, node, DIAG_ERROR, "C001", "must not be zero");
        return false;
    }
    if ((key->flags & CONF_NOT_NEGATIVE) != 0 && d < 0) {
        conf_complain(in, node, DIAG_ERROR, "C001", "must not be negative");
        return false;
    }
    memcpy(member, &d, sizeof(d));
    return true;
}

/* -- text -- */

void conf_note_named(const struct conf_in *in, str path)
{
    struct conf_run *run = in->run;

    if (run->named.n == run->named.cap) {
        run->named.cap = run->named.cap != 0 ? run->named.cap * 2 : 16;
        run->named.v = arena_copy(run->a, run->named.v, run->named.n, run->named.cap, sizeof(str));
    }
    run->named.v[run->named.n++] = path;
}

str conf_resolve(const struct conf_in *in, str path)
{
    str file = in->doc != NULL ? in->doc->file : STR_NONE;
    const char *slash = file.n != 0 ? memrchr(file.p, '/', file.n) : NULL;

    if (path.n != 0 && path.p[0] != '/' && slash != NULL)
        path = arena_printf(in->run->a, "%.*s%.*s", (int)(slash - file.p + 1), file.p, STR(path));
    conf_note_named(in, path);
    return path;
}

void conf_note_file(const struct conf_in *in, const struct yaml_node *node, str path)
{
    struct conf_run *run = in->run;
    struct conf_file *f;

    if (path.n == 0)
        return;
    f = arena_new(run->a, struct conf_file);
    *f = (struct conf_file){.key = conf_path(in), .path = path, .place = yaml_place(in->doc, node)};
    if (run->last_file != NULL)
        run->last_file->next = f;
    else
        run->files = f;
    run->last_file = f;
}

static void note_template(const struct conf_in *in, const struct yaml_node *node, bool secret)
{
    struct conf_run *run = in->run;
    struct conf_template *t;

    if (in->doc == NULL) /* a default */
        return;
    t = arena_new(run->a, struct conf_template);
    *t = (struct conf_template){.text = node->text,
                                .is_html = str_is(in->key, "html"),
                                .is_secret = secret,
                                .place = yaml_place(in->doc, node)};
    if (run->last_template != NULL)
        run->last_template->next = t;
    else
        run->templates = t;
    run->last_template = t;
}

/* Alertmanager takes at the start what cannot be read as a template, and then fails with each message. Of a secret the words
 * would show a part. */
static void look_at_template(const struct conf_in *in, const struct yaml_node *node, bool secret)
{
    struct err e = ERR_INIT;

    if (in->run->template_reads == NULL || str_find_str(node->text, S("{{")) < 0)
        return;
    if (in->run->template_reads(node->text, &e)) {
        note_template(in, node, secret);
        return;
    }
    diag_help(in->run->d,
              conf_complain(in, node, DIAG_WARNING, "C015", "it cannot be read as a template%s%s",
                            secret ? "" : ": ", secret ? "" : e.msg),
              "Alertmanager fails with each message that needs it, and so does tocsin: mend it");
}

/* A path that ends with a slash; the query stays behind it. */
static str with_slash(struct arena *a, str url)
{
    str path = str_cut(&(str){url.p, url.n}, '?');

    if (str_ends_with(path, S("/")))
        return url;
    return arena_printf(a, "%.*s/%.*s", STR(path), STR(str_sub(url, path.n, url.n)));
}

static bool decode_url(const struct conf_in *in, const struct conf_key *key,
                       const struct yaml_node *node, str *out)
{
    bool secret = key->kind == CONF_SECRET_URL;
    bool as_printed = secret && str_is(node->text, "<secret>");
    struct err e = ERR_INIT;

    if (node->text.n == 0 && (key->flags & CONF_REQUIRED) == 0) {
        *out = node->text;
        return true;
    }
    if ((key->flags & CONF_TEMPLATE_OK) != 0 && str_find_str(node->text, S("{{")) >= 0) {
        look_at_template(in, node, secret);
        as_printed = true;
    }
    if (!as_printed && !url_check_http(node->text, &e)) {
        if (secret)
            conf_complain(in, node, DIAG_ERROR, "C001",
                          "an http or https URL with a host expected: %s", e.msg);
        else
            conf_complain(in, node, DIAG_ERROR, "C001",
                          "an http or https URL with a host expected, not \"%.*s\": %s",
                          STR(node->text), e.msg);
        return false;
    }
    *out = (key->flags & CONF_SLASH) != 0 ? with_slash(in->run->a, node->text) : node->text;
    return true;
}

static bool decode_word(const struct conf_in *in, const struct conf_key *key,
                        const struct yaml_node *node, str *out)
{
    struct buf list = BUF_INIT;

    for (const char *const *w = key->words; *w != NULL; w++) {
        if (str_is(node->text, *w)) {
            *out = node->text;
            buf_release(&list);
            return true;
        }
        buf_addf(&list, "%s\"%s\"", w == key->words ? "" : w[1] == NULL ? " or " : ", ", *w);
    }
    conf_complain(in, node, DIAG_ERROR, "C001", "%.*s expected, not \"%.*s\"", STR(buf_str(&list)),
                  STR(node->text));
    buf_release(&list);
    return false;
}

/* -- lists and maps of text -- */

static bool check_label_name(const struct conf_in *in, const struct yaml_node *node)
{
    bool ok = in->run->mode == MATCHER_CLASSIC ? label_name_is_legacy(node->text)
                                               : label_name_is_utf8(node->text);

    if (!ok)
        conf_complain(in, node, DIAG_ERROR, "C001", "\"%.*s\" is not a label name",
                      STR(node->text));
    return ok;
}

static bool decode_strings(const struct conf_in *in, const struct conf_key *key,
                           const struct yaml_node *node, void *member)
{
    bool is_one = (key->flags & CONF_ONE_OR_LIST) != 0 && node->kind == YAML_SCALAR;
    const struct yaml_node *const *items =
        is_one ? &node : (const struct yaml_node *const *)node->items;
    size_t n_items = is_one ? 1 : node->n;
    struct conf_strings list = {0};
    bool ok = true;

    if (!is_one && !conf_want_list(in, node))
        return false;
    memcpy(&list, member, sizeof(list));
    if ((key->flags & CONF_MERGE) == 0)
        list.n = 0;
    list.v = arena_copy(in->run->a, list.v, list.n, list.n + n_items, sizeof(str));
    for (size_t i = 0; i < n_items; i++) {
        struct conf_in item = conf_enter_item(in, i);
        const struct yaml_node *n = items[i];

        if (!conf_want_scalar(&item, n)) {
            ok = false;
            continue;
        }
        if ((key->flags & CONF_NO_NULLS) != 0 && yaml_is_null(n)) {
            conf_complain(&item, n, DIAG_ERROR, "C001", "an element has no value");
            ok = false;
        } else if (key->kind == CONF_LABEL_NAMES && !yaml_is_null(n) && !str_is(n->text, "...")) {
            ok &= check_label_name(&item, n);
        }
        list.v[list.n++] = yaml_is_null(n)           ? STR_NONE
                           : key->kind == CONF_PATHS ? conf_resolve(in, n->text)
                                                     : n->text;
        if ((key->flags & CONF_READ_LATER) != 0)
            conf_note_file(&item, n, list.v[list.n - 1]);
    }
    memcpy(member, &list, sizeof(list));
    return ok;
}

static bool decode_map(const struct conf_in *in, const struct conf_key *key,
                       const struct yaml_node *node, void *member)
{
    struct conf_map map = {0};
    bool ok = true;

    if (node->kind != YAML_MAP) {
        conf_complain(in, node, DIAG_ERROR, "C001", "a mapping expected");
        return false;
    }
    map.v = arena_array(in->run->a, node->n, sizeof(map.v[0]));
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_pair *p = &node->pairs[i];
        struct conf_in item = conf_enter(in, p->key->text);

        if (!conf_want_scalar(&item, p->value)) {
            ok = false;
            continue;
        }
        if (key->kind == CONF_LABEL_MAP)
            ok &= check_label_name(in, p->key);
        if ((key->flags & CONF_NO_NULLS) != 0 && yaml_is_null(p->value)) {
            conf_complain(in, p->key, DIAG_ERROR, "C001", "\"%.*s\" has no value",
                          STR(p->key->text));
            ok = false;
        }
        if (key->kind == CONF_STRING_MAP || (key->flags & CONF_TEMPLATE_OK) != 0)
            look_at_template(&item, p->value, false);
        map.v[map.n++] =
            (struct conf_pair){p->key->text, yaml_is_null(p->value) ? STR_NONE : p->value->text};
    }
    memcpy(member, &map, sizeof(map));
    return ok;
}

int conf_pair_order(const void *a, const void *b)
{
    return str_cmp(((const struct conf_pair *)a)->name, ((const struct conf_pair *)b)->name);
}

struct conf_map conf_map_merge(struct arena *a, const struct conf_map *under,
                               const struct conf_map *own)
{
    struct conf_map all = {.v = arena_array(a, under->n + own->n, sizeof(*all.v))};

    for (size_t i = 0; i < under->n; i++) {
        bool hidden = false;

        for (size_t j = 0; j < own->n && !hidden; j++)
            hidden = str_eq(under->v[i].name, own->v[j].name);
        if (!hidden)
            all.v[all.n++] = under->v[i];
    }
    for (size_t j = 0; j < own->n; j++)
        all.v[all.n++] = own->v[j];
    return all;
}

bool conf_decode_matchers(const struct conf_in *in, const struct yaml_node *node,
                          struct matchers *out)
{
    struct matchers all = {0};
    bool ok = true;

    if (!conf_want_list(in, node))
        return false;
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter_item(in, i);
        struct err e = ERR_INIT;
        struct matchers some = {0};
        struct matcher *v;
        str warning = STR_NONE;

        if (!conf_want_scalar(&item, node->items[i])) {
            ok = false;
            continue;
        }
        if (yaml_is_null(node->items[i]))
            continue;
        if (!matchers_parse(node->items[i]->text, in->run->mode, in->run->a, &some, &warning, &e)) {
            conf_complain(&item, node->items[i], DIAG_ERROR, "C001", "%s", e.msg);
            ok = false;
            continue;
        }
        if (warning.n != 0)
            conf_complain(&item, node->items[i], DIAG_WARNING, "C008", "%.*s", STR(warning));
        v = arena_copy(in->run->a, all.v, all.n, all.n + some.n, sizeof(*v));
        if (some.n != 0)
            memcpy(v + all.n, some.v, some.n * sizeof(*v));
        all = (struct matchers){v, all.n + some.n};
    }
    matchers_sort(&all);
    *out = all;
    return ok;
}

/* -- by kind -- */

static bool decode_number(const struct conf_in *in, const struct conf_key *key,
                          const struct yaml_node *node, void *member)
{
    double f;
    bool b = false;
    enum conf_tristate t;

    switch (key->kind) {
    case CONF_BOOL:
        if (!to_bool(node, &b))
            return scalar_bad(in, node, "true or false");
        memcpy(member, &b, sizeof(b));
        return true;
    case CONF_TRISTATE:
        if (!to_bool(node, &b))
            return scalar_bad(in, node, "true or false");
        t = b ? CONF_YES : CONF_NO;
        memcpy(member, &t, sizeof(t));
        return true;
    case CONF_FLOAT:
        if (!float_parse(node->text, &f, NULL))
            return scalar_bad(in, node, "a number");
        memcpy(member, &f, sizeof(f));
        return true;
    case CONF_SIZE: return decode_size(in, key, node, member);
    case CONF_INT: return decode_int(in, key, node, member);
    default: return decode_duration(in, key, node, member);
    }
}

bool conf_decode_scalar(const struct conf_in *in, const struct conf_key *key,
                        const struct yaml_node *node, void *member)
{
    str *text = member;

    switch (key->kind) {
    case CONF_STRINGS:
    case CONF_PATHS:
    case CONF_LABEL_NAMES: return decode_strings(in, key, node, member);
    case CONF_STRING_MAP:
    case CONF_LABEL_MAP: return decode_map(in, key, node, member);
    default:
        if (!conf_want_scalar(in, node))
            return false;
    }
    switch (key->kind) {
    case CONF_TEMPLATE:
        look_at_template(in, node, false);
        *text = node->text;
        return true;
    case CONF_STRING: *text = node->text; return true;
    case CONF_PATH:
        *text = node->text;
        if ((key->flags & CONF_PATH_FIXED) == 0)
            *text = conf_resolve(in, node->text);
        else
            conf_note_named(in, node->text);
        if ((key->flags & CONF_READ_LATER) != 0)
            conf_note_file(in, node, *text);
        return true;
    case CONF_WORD: return decode_word(in, key, node, text);
    case CONF_SECRET: ((struct secret *)member)->hidden = node->text; return true;
    case CONF_SECRET_URL: return decode_url(in, key, node, &((struct secret *)member)->hidden);
    case CONF_URL: return decode_url(in, key, node, text);
    default: return decode_number(in, key, node, member);
    }
}

/* -- nothing -- */

/* What nothing is called, NULL where it is no value: there the default stays. */
static const char *set_empty(const struct conf_key *key, void *member)
{
    const bool no = false;
    const int64_t zero = 0;
    const double none = 0;
    const enum conf_tristate given = CONF_NO;

    switch (key->kind) {
    case CONF_BOOL: memcpy(member, &no, sizeof(no)); return "false";
    case CONF_TRISTATE:
        if ((key->flags & CONF_EMPTY_IS_NO) == 0)
            return NULL;
        memcpy(member, &given, sizeof(given));
        return "false";
    case CONF_INT:
    case CONF_SIZE:
        if (key->min > 0)
            return NULL;
        falls_through;
    case CONF_DURATION:
    case CONF_GO_DURATION: memcpy(member, &zero, sizeof(zero)); return "0";
    case CONF_FLOAT: memcpy(member, &none, sizeof(none)); return "0";
    case CONF_WORD:
        for (const char *const *w = key->words; **w != '\0'; w++)
            if (w[1] == NULL)
                return NULL;
        falls_through;
    case CONF_STRING:
    case CONF_TEMPLATE: *(str *)member = STR_NONE; return "an empty text";
    default: return NULL;
    }
}

/* The value of a row that is not there is another one. */
static bool empty_differs(const struct conf_key *key)
{
    str text = key->text != NULL ? str_of(key->text) : STR_NONE;

    return (key->flags & CONF_EMPTY_IS_NO) != 0 ||
           (text.n != 0 && !str_is(text, "false") && !str_is(text, "0") && key->above == 0 &&
            (key->flags & (CONF_EMPTY_IS_NONE | CONF_NOT_ZERO | CONF_REQUIRED)) == 0);
}

bool conf_decode_empty(const struct conf_in *in, const struct conf_key *key,
                       const struct yaml_node *node, void *member)
{
    const char *what = empty_differs(key) ? set_empty(key, member) : NULL;

    if (what == NULL)
        return false;
    if (key->text != NULL)
        conf_complain(in, node, DIAG_INFO, "C012",
                      "an empty value means %s, not the default \"%.40s\"", what, key->text);
    else
        conf_complain(in, node, DIAG_INFO, "C012", "an empty value means %s, not the default",
                      what);
    return true;
}

/* -- any YAML -- */

static void resolve_scalar(const struct yaml_node *node, struct conf_value *v)
{
    v->s = node->text;
    v->kind = CONF_VALUE_STRING;
    if (node->style != YAML_PLAIN)
        return;
    if (yaml_is_null(node))
        v->kind = CONF_VALUE_NULL;
    else if (to_bool(node, &v->b))
        v->kind = CONF_VALUE_BOOL;
    else if (to_int(node->text, &v->i))
        v->kind = CONF_VALUE_INT;
    else if (str_find(S("+-.0123456789"), node->text.p[0]) >= 0 &&
             float_parse(node->text, &v->f, NULL))
        v->kind = CONF_VALUE_FLOAT;
}

static void scalar_resolve(const struct conf_in *in, const struct yaml_node *node,
                           struct conf_value *v)
{
    struct arena *a = in->run->a;

    if (node->kind == YAML_SCALAR) {
        look_at_template(in, node, false);
        resolve_scalar(node, v);
        return;
    }
    v->kind = node->kind == YAML_LIST ? CONF_VALUE_LIST : CONF_VALUE_MAP;
    v->n = node->n;
    v->items = arena_array(a, node->n, sizeof(v->items[0]));
    if (node->kind == YAML_MAP)
        v->names = arena_array(a, node->n, sizeof(v->names[0]));
    for (size_t i = 0; i < node->n; i++) {
        if (node->kind == YAML_MAP)
            v->names[i] = node->pairs[i].key->text;
        scalar_resolve(in, node->kind == YAML_MAP ? node->pairs[i].value : node->items[i],
                       &v->items[i]);
    }
}

struct conf_value *conf_decode_any(const struct conf_in *in, const struct yaml_node *node)
{
    struct conf_value *v = arena_new(in->run->a, struct conf_value);

    scalar_resolve(in, node, v);
    return v;
}

void conf_value_add_json(struct json_writer *w, const struct conf_value *v)
{
    switch (v->kind) {
    case CONF_VALUE_NULL: json_put_null(w); return;
    case CONF_VALUE_BOOL: json_put_bool(w, v->b); return;
    case CONF_VALUE_INT: json_put_i64(w, v->i); return;
    case CONF_VALUE_FLOAT: json_put_double(w, v->f); return;
    case CONF_VALUE_STRING: json_put_str(w, v->s); return;
    case CONF_VALUE_LIST:
    case CONF_VALUE_MAP: break;
    }
    json_open(w, v->kind == CONF_VALUE_LIST ? '[' : '{');
    for (size_t i = 0; i < v->n; i++) {
        if (v->kind == CONF_VALUE_MAP)
            json_key(w, v->names[i]);
        conf_value_add_json(w, &v->items[i]);
    }
    json_close(w, v->kind == CONF_VALUE_LIST ? ']' : '}');
}
