/* content.c - what receivers need to fill JSON bodies from templates and to read JSON answers. */
#include <stdlib.h>
#include "base/buf.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "model/labels.h"
#include "net/http_server.h"
#include "regex/regex.h"
#include "schema/schema.h"
#include "template/escape.h"
#include "tocsin/delivery.h"

enum { ANSWER_DEPTH = 32, CUT_DEPTH = 1000, CUT_LEAST = 3 /* an ellipsis */ };

bool delivery_expand(struct delivery *d, str text, str *out)
{
    if (str_find_str(text, S("{{")) < 0) {
        *out = text;
        return true;
    }
    if (d->render == NULL)
        return err_set(&d->err, ERR_UNSUPPORTED, "nothing here renders templates");
    return d->render(d, text, false, out);
}

/* "[FIRING:2] Slow api: template: :1:3: ...": one line, as it may become a subject or a title. */
static str plain_line(struct delivery *d, bool html)
{
    const struct notification *n = d->n;
    struct buf b = BUF_INIT, escaped = BUF_INIT;
    str out;

    if (n->n_firing != 0)
        buf_addf(&b, "[FIRING:%zu]", n->n_firing);
    else
        buf_adds(&b, "[RESOLVED]");
    LABELS_EACH (l, n->group_labels)
        buf_addf(&b, " %.*s", STR(l->value));
    if (n->group_labels.n == 0 && n->n_alerts != 0)
        buf_addf(&b, " %.*s", STR(labels_get(n->alerts[0].labels, S("alertname"))));
    buf_addf(&b, ": %s", d->err.msg);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\n' || b.p[i] == '\r')
            b.p[i] = ' ';
    if (html)
        text_escape_html(&escaped, buf_str(&b));
    out = arena_str(d->arena, buf_str(html ? &escaped : &b));
    buf_release(&escaped);
    buf_release(&b);
    return out;
}

static bool content_say(struct delivery *d, str text, bool html, str *out)
{
    if (html ? d->render(d, text, true, out) : delivery_expand(d, text, out))
        return true;
    *out = plain_line(d, html);
    return false;
}

str delivery_say(struct delivery *d, str text, bool html)
{
    (void)content_say(d, text, html, &text);
    return text;
}

str delivery_member_text(struct delivery *d, const struct delivery_member *m)
{
    str text = STR_NONE;

    if (!content_say(d, m->text, false, &text) && m->instead != NULL)
        text = str_of(m->instead);
    return m->max_runes != 0 ? delivery_truncate_runes(d, text, m->max_runes) : text;
}

void delivery_put_members(struct delivery *d, struct json_writer *w,
                          const struct delivery_member *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str text = delivery_member_text(d, &m[i]);

        if (text.n == 0 && !m[i].always)
            continue;
        json_key(w, str_of(m[i].key));
        json_put_str(w, text);
    }
}

/* -- robots -- */

void delivery_expand_names(struct delivery *d, const struct conf_strings *in,
                           struct conf_strings *out)
{
    str *rendered = arena_array(d->arena, in->n, sizeof(*rendered));
    size_t room = 0;

    for (size_t i = 0; i < in->n; i++) {
        if (!delivery_expand(d, in->v[i], &rendered[i]))
            rendered[i] = STR_NONE;
        room++;
        for (size_t j = 0; j < rendered[i].n; j++)
            room += rendered[i].p[j] == ',';
    }
    *out = (struct conf_strings){arena_array(d->arena, room, sizeof(str)), 0};
    for (size_t i = 0; i < in->n; i++) {
        for (str rest = rendered[i]; rest.n != 0;) {
            str name = str_trim(str_cut(&rest, ','));

            if (name.n != 0)
                out->v[out->n++] = name;
        }
    }
}

str delivery_missing_keyword(struct delivery *d, str text, const struct conf_strings *keywords)
{
    for (size_t i = 0; i < keywords->n; i++)
        if (str_find_str(text, keywords->v[i]) >= 0)
            return STR_NONE;
    return keywords->n != 0 ? arena_printf(d->arena, "\n\n%.*s", STR(keywords->v[0])) : STR_NONE;
}

/* -- objects of texts -- */

static int content_pair_by_key(const void *a, const void *b)
{
    return str_cmp(((const struct delivery_pair *)a)->key, ((const struct delivery_pair *)b)->key);
}

void delivery_sort_pairs(struct delivery_pair *v, size_t n)
{
    if (n > 1)
        qsort(v, n, sizeof(*v), content_pair_by_key);
}

void delivery_put_pairs(struct json_writer *w, struct delivery_pair *v, size_t n)
{
    delivery_sort_pairs(v, n);
    json_open(w, '{');
    for (size_t i = 0; i < n; i++) {
        json_key(w, v[i].key);
        json_put_str(w, v[i].value);
    }
    json_close(w, '}');
}

/* -- structured templating -- */

struct member {
    str name;
    const struct conf_value *value;
};

static int content_by_name(const void *a, const void *b)
{
    return str_cmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

/* The members of a map in byte order, as Go's encoder writes them. */
static struct member *content_sorted(struct delivery *d, const struct conf_value *map)
{
    struct member *m = arena_array(d->arena, map->n, sizeof(*m));

    for (size_t i = 0; i < map->n; i++)
        m[i] = (struct member){map->names[i], &map->items[i]};
    if (map->n > 1)
        qsort(m, map->n, sizeof(*m), content_by_name);
    return m;
}

/* A value whose strings stand as they are. */
static void put_plain(struct delivery *d, struct json_writer *w, const struct conf_value *v)
{
    const struct member *m = NULL;

    if (v->kind != CONF_VALUE_LIST && v->kind != CONF_VALUE_MAP) {
        conf_value_add_json(w, v);
        return;
    }
    if (v->kind == CONF_VALUE_MAP)
        m = content_sorted(d, v);
    json_open(w, m != NULL ? '{' : '[');
    for (size_t i = 0; i < v->n; i++) {
        if (m != NULL)
            json_key(w, m[i].name);
        put_plain(d, w, m != NULL ? m[i].value : &v->items[i]);
    }
    json_close(w, m != NULL ? '}' : ']');
}

/* What YAML makes of a rendered text; NULL when that is a string, nothing or an error. */
static const struct conf_value *reread(struct delivery *d, str text)
{
    struct diags faults;
    struct conf_run run = {.a = d->arena, .d = &faults};
    const struct conf_in in = {.run = &run, .index = -1};
    const struct conf_value *v = NULL;
    struct yaml_doc doc;

    diags_init(&faults);
    if (yaml_parse(text, STR_NONE, d->arena, &doc, &faults) && doc.root != NULL)
        v = conf_decode_any(&in, doc.root);
    diags_release(&faults);
    if (v != NULL && (v->kind == CONF_VALUE_STRING || v->kind == CONF_VALUE_NULL))
        return NULL;
    return v;
}

static void content_put_string(struct delivery *d, struct json_writer *w, str text)
{
    const struct conf_value *v = content_say(d, text, false, &text) ? reread(d, text) : NULL;

    if (v != NULL)
        put_plain(d, w, v);
    else
        json_put_str(w, text);
}

static void content_put_map(struct delivery *d, struct json_writer *w, const struct conf_value *v)
{
    struct conf_value named = *v;
    const struct member *m;

    named.names = arena_array(d->arena, v->n, sizeof(named.names[0]));
    for (size_t i = 0; i < v->n; i++)
        named.names[i] = delivery_say(d, v->names[i], false);
    m = content_sorted(d, &named);
    json_open(w, '{');
    for (size_t i = 0; i < v->n; i++) {
        json_key(w, m[i].name);
        delivery_put_value(d, w, m[i].value);
    }
    json_close(w, '}');
}

static void content_put_list(struct delivery *d, struct json_writer *w, const struct conf_value *v)
{
    json_open(w, '[');
    for (size_t i = 0; i < v->n; i++)
        delivery_put_value(d, w, &v->items[i]);
    json_close(w, ']');
}

void delivery_put_value(struct delivery *d, struct json_writer *w, const struct conf_value *v)
{
    switch (v->kind) {
    case CONF_VALUE_STRING: content_put_string(d, w, v->s); break;
    case CONF_VALUE_MAP: content_put_map(d, w, v); break;
    case CONF_VALUE_LIST: content_put_list(d, w, v); break;
    default: conf_value_add_json(w, v);
    }
}

/* -- answers -- */

static str content_read_list(struct delivery *d, struct json_reader *r)
{
    struct buf b = BUF_INIT;
    str out;

    for (json_array_begin(r); json_array_next(r);) {
        str item;

        if (json_peek(r) == JSON_STRING ? !json_string(r, &item) : !json_raw(r, &item))
            break;
        if (b.n != 0)
            buf_addc(&b, ',');
        buf_add(&b, item);
    }
    out = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return out;
}

static str read_member(struct delivery *d, struct json_reader *r)
{
    str s = STR_NONE;

    /* slices of the body where it can be */
    switch (json_peek(r)) {
    case JSON_STRING: json_string(r, &s); return s;
    case JSON_ARRAY: return content_read_list(d, r);
    case JSON_NULL: json_null(r); return STR_NONE;
    default: json_raw(r, &s); return s;
    }
}

bool delivery_answer_read(struct delivery *d, const char *const *names, str *values, size_t n)
{
    return delivery_json_read(d, d->answer->body, names, values, n);
}

bool delivery_json_read(struct delivery *d, str json, const char *const *names, str *values,
                        size_t n)
{
    struct json_reader r;
    str key;

    for (size_t i = 0; i < n; i++)
        values[i] = STR_NONE;
    json_reader_init(&r, json, d->arena, ANSWER_DEPTH);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        size_t i = 0;

        while (i < n && !str_is(key, names[i]))
            i++;
        if (i < n)
            values[i] =
                arena_str(d->arena, read_member(d, &r)); /* the body goes, kept pairs stay */
        else
            json_skip(&r);
    }
    if (json_end(&r))
        return true;
    for (size_t i = 0; i < n; i++) /* half an answer is none */
        values[i] = STR_NONE;
    return false;
}

/* Returns how many there are. */
static size_t content_items(struct delivery *d, struct json_reader *r, str *v, size_t max)
{
    size_t n = 0;

    for (json_array_begin(r); json_array_next(r); n++) {
        str item;

        if (!json_raw(r, &item))
            break;
        if (n < max)
            v[n] = arena_str(d->arena, item);
    }
    return n;
}

size_t delivery_answer_list(struct delivery *d, const char *name, str *v, size_t max)
{
    struct json_reader r;
    size_t n = 0;
    str key;

    json_reader_init(&r, d->answer->body, d->arena, ANSWER_DEPTH);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (!str_is(key, name) || json_peek(&r) != JSON_ARRAY)
            json_skip(&r);
        else
            n = content_items(d, &r, v, max);
    }
    return json_end(&r) ? n : 0;
}

size_t delivery_answer_items(struct delivery *d, str *v, size_t max)
{
    struct json_reader r;
    size_t n = 0;

    json_reader_init(&r, d->answer->body, d->arena, ANSWER_DEPTH);
    if (json_peek(&r) == JSON_ARRAY)
        n = content_items(d, &r, v, max);
    return json_end(&r) ? n : 0;
}

size_t delivery_read_form(struct delivery *d, str form, struct delivery_pair **out)
{
    const struct http_param *p;
    size_t n = http_params(d->arena, form, &p);
    struct delivery_pair *v = arena_array(d->arena, n, sizeof(*v));

    for (size_t i = 0; i < n; i++)
        v[i] = (struct delivery_pair){p[i].name, p[i].value};
    delivery_sort_pairs(v, n);
    *out = v;
    return n;
}

/* Goes into the member that is called name; the last of several, as everywhere. */
static bool content_enter(struct delivery *d, str json, str name, str *value)
{
    struct json_reader r;
    bool has = false;
    str key;

    json_reader_init(&r, json, d->arena, ANSWER_DEPTH);
    if (json_peek(&r) != JSON_OBJECT)
        return false;
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (!str_eq(key, name))
            json_skip(&r);
        else
            has = json_raw(&r, value);
    }
    return json_end(&r) && has;
}

bool delivery_answer_member(struct delivery *d, str path, str *out)
{
    str at = d->answer->body;
    struct json_reader r;

    while (path.p != NULL)
        if (!content_enter(d, at, str_cut(&path, '.'), &at))
            return false;
    json_reader_init(&r, at, d->arena, ANSWER_DEPTH);
    *out = at;
    return json_peek(&r) != JSON_STRING || json_string(&r, out);
}

enum { MATCH_WORK = 10000000 /* steps: an answer is somebody else's */ };

bool delivery_matches(struct delivery *d, str pattern, str text)
{
    struct regex *re = regex_compile(pattern, REGEX_COUNTED, &d->err);
    uint64_t work = MATCH_WORK;
    bool hit = re != NULL && regex_matches_within(re, text, &work);

    regex_unref(re);
    return hit;
}

/* -- what is too long -- */

static void content_copy(struct delivery *d, struct json_reader *r, struct json_writer *w,
                         size_t most)
{
    str s;

    switch (json_peek(r)) {
    case JSON_OBJECT:
        json_open(w, '{');
        for (json_object_begin(r); json_object_next(r, &s);) {
            json_key(w, s);
            content_copy(d, r, w, most);
        }
        json_close(w, '}');
        break;
    case JSON_ARRAY:
        json_open(w, '[');
        for (json_array_begin(r); json_array_next(r);)
            content_copy(d, r, w, most);
        json_close(w, ']');
        break;
    case JSON_STRING:
        if (json_string(r, &s))
            json_put_str(w, delivery_truncate_bytes(d, s, most));
        break;
    default:
        if (json_raw(r, &s))
            json_put_raw(w, s);
    }
}

bool delivery_put_json(struct delivery *d, struct json_writer *w, str json)
{
    struct json_reader r;
    struct json_writer anew;
    struct buf b = BUF_INIT;
    bool ok;

    json_reader_init(&r, json, d->arena, ANSWER_DEPTH);
    json_writer_init(&anew, &b, true);
    content_copy(d, &r, &anew, SIZE_MAX);
    ok = json_end(&r);
    if (ok)
        json_put_raw(w, buf_str(&b));
    buf_release(&b);
    return ok;
}

/* The same with at most so many bytes of each text. */
static bool cut_texts(struct delivery *d, str json, size_t most, struct buf *out)
{
    struct json_reader r;
    struct json_writer w;

    buf_clear(out);
    json_reader_init(&r, json, d->arena, CUT_DEPTH);
    json_writer_init(&w, out, false);
    content_copy(d, &r, &w, most);
    return json_end(&r);
}

str delivery_cut_json(struct delivery *d, str json, size_t max)
{
    struct buf b = BUF_INIT, first = BUF_INIT;
    size_t fits = CUT_LEAST, over = max + 1;

    delivery_note_long(d, json.n, max);
    if (!cut_texts(d, json, max, &first)) {
        buf_release(&first);
        return json;
    }
    json = arena_take(d->arena, &first); /* from here on it is short, however long it was */
    while (over > fits + 1) {
        size_t most = fits + (over - fits) / 2;

        (void)cut_texts(d, json, most, &b);
        if (b.n <= max)
            fits = most;
        else
            over = most;
    }
    (void)cut_texts(d, json, fits, &b);
    return arena_take(d->arena, &b);
}
