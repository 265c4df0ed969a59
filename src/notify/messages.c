#include "notify/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include "os/file.h"
#include "base/mem.h"
#include "os/zones.h"
#include "model/labels.h"
#include "notify/template_data.h"

enum { FILE_MAX = 4 << 20 };
enum { LABEL_STEPS = 100000, LABEL_MAX = 64 << 10, LABEL_MEMORY = 4 << 20 };

/* default_tmpl.S */
extern const char notify_default_tmpl[], notify_default_tmpl_end[], notify_default_zh_tmpl[],
    notify_default_zh_tmpl_end[], notify_readable_tmpl[], notify_readable_tmpl_end[];

static const struct tmpl_func tmpl_route_labels_funcs[];

static void parse_builtin(struct template_set *set, str name, const char *text, const char *end)
{
    struct err e = ERR_INIT;

    /* cppcheck-suppress comparePointers ; both ends of one embedded object */
    if (!template_set_parse(set, name, (str){text, (size_t)(end - text)}, &e))
        bug("the built-in templates", e.line, e.msg);
}

static const struct tmpl_func *const tables[] = {tmpl_alertmanager_funcs, tmpl_route_labels_funcs,
                                                 TMPL_SPRIG, NULL};

bool messages_reads(str text, struct err *e)
{
    struct template_set *set = template_set_new(tables);
    bool ok = template_set_parse(set, STR_NONE, text, e);

    template_set_free(set);
    return ok;
}

struct messages *messages_new(str language, str timezone, bool readable, struct err *e)
{
    bool is_chinese = str_is(language, "zh");
    struct messages *m;
    struct tz *zone = NULL;

    if (timezone.n == 0 && is_chinese)
        timezone = S("Asia/Shanghai");
    if (timezone.n != 0) {
        zone = zone_load(timezone, e);
        if (zone == NULL)
            return NULL;
    }
    m = mem_new(struct messages);
    m->zone = zone;
    m->is_chinese = is_chinese;
    m->local = zone_load(timezone.n != 0 ? timezone : S("Local"), NULL);
    m->set = template_set_new(tables);
    parse_builtin(m->set, S("default.tmpl"), notify_default_tmpl, notify_default_tmpl_end);
    if (is_chinese)
        parse_builtin(m->set, S("default.zh.tmpl"), notify_default_zh_tmpl,
                      notify_default_zh_tmpl_end);
    if (readable)
        parse_builtin(m->set, S("readable.tmpl"), notify_readable_tmpl, notify_readable_tmpl_end);
    return m;
}

void messages_free(struct messages *m)
{
    if (m == NULL)
        return;
    template_set_free(m->set);
    tz_free(m->zone);
    tz_free(m->local);
    mem_free(m);
}

static void messages_load_file(struct template_set *set, const struct files *files,
                               const char *path, struct diags *d)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    struct diag_place place = {.file = str_of(path), .line = 1, .col = 1};
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    if (!files_read(files, str_of(path), FILE_REGULAR, FILE_MAX, &text, &e)) {
        diags_add(d, DIAG_ERROR, "C010", place, "template file: %s", e.msg);
    } else if (!template_set_parse(set, str_of(name), buf_str(&text), &e)) {
        place.line = e.line > 0 ? e.line : 1;
        place.col = e.col > 0 ? e.col : 1;
        diags_add(d, DIAG_ERROR, "C010", place, "%s", e.msg);
    }
    buf_release(&text);
}

/* Files that were written for the DingTalk bridge define anew what that shows. They do so here too: then the robot's own
 * texts are those of the bridge, unless they are defined anew themselves. */
static const struct bridge_name {
    const char *own, *by, *names[3];
} bridge_names[] = {
    {"dingtalk.default.title",
     "{{ define \"dingtalk.default.title\" }}{{ template \"ding.link.title\" . }}{{ end }}",
     {"ding.link.title", "default.title"}},
    {"dingtalk.default.text",
     "{{ define \"dingtalk.default.text\" }}{{ template \"ding.link.content\" . }}{{ end }}",
     {"ding.link.content", "default.content", "default.__text_alert_list"}},
};

struct bridge_seen {
    const void *own, *names[3];
};

static struct bridge_seen messages_look_at(const struct template_set *set,
                                           const struct bridge_name *b)
{
    struct bridge_seen s = {.own = template_set_definition(set, str_of(b->own))};

    for (size_t i = 0; i < ARRAY_LEN(b->names) && b->names[i] != NULL; i++)
        s.names[i] = template_set_definition(set, str_of(b->names[i]));
    return s;
}

static void follow_bridge(struct template_set *set, const struct bridge_name *b,
                          const struct bridge_seen *before)
{
    struct bridge_seen now = messages_look_at(set, b);

    if (now.own == before->own && memcmp(now.names, before->names, sizeof(now.names)) != 0)
        parse_builtin(set, S("default.tmpl"), b->by, b->by + strlen(b->by));
}

bool messages_load(struct messages *m, const struct files *files, const str *patterns, size_t n,
                   struct diags *d)
{
    struct bridge_seen seen[ARRAY_LEN(bridge_names)];
    size_t errors = d->errors;
    struct arena a;

    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(bridge_names); i++)
        seen[i] = messages_look_at(m->set, &bridge_names[i]);

    for (size_t i = 0; i < n; i++) {
        str *names;
        size_t found;

        files_glob(files, patterns[i], &a, &names, &found);
        for (size_t j = 0; j < found; j++)
            messages_load_file(m->set, files, names[j].p, d);
    }
    arena_release(&a);
    for (size_t i = 0; i < ARRAY_LEN(bridge_names); i++)
        follow_bridge(m->set, &bridge_names[i], &seen[i]);
    return d->errors == errors;
}

static bool messages_expand(const struct messages_context *c, str text, enum template_mode mode,
                            const void *host, struct arena *a, str *out, struct err *e)
{
    struct template_data data;
    struct template_run run = {.mode = mode,
                               .now = c->now,
                               .zone = c->messages->zone,
                               .local = c->messages->local,
                               .load_zone = zone_load,
                               .host = host,
                               .expired = c->expired,
                               .expired_arg = c->expired_arg};
    struct buf b = BUF_INIT;
    bool ok;

    if (str_find_str(text, S("{{")) < 0) {
        *out = arena_str(a, text);
        return true;
    }
    template_data_of(a, c->n, c->external_url, &data);
    data.at_mobiles = c->at_mobiles;
    data.is_chinese = c->messages->is_chinese;
    run.data = template_data_value(&data);
    if (host != NULL)
        run.limits = (struct template_limits){
            .steps = LABEL_STEPS, .output = LABEL_MAX, .memory = LABEL_MEMORY};
    ok = template_exec_text(c->messages->set, text, &run, &b, e);
    if (ok)
        *out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return ok;
}

bool messages_render(const struct messages_context *c, str text, bool html, struct arena *a,
                     str *out, struct err *e)
{
    return messages_expand(c, text, html ? TEMPLATE_HTML : TEMPLATE_TEXT, NULL, a, out, e);
}

/* -- route labels -- */

enum { ROUTE_LABELS_DEPTH = 32 };

struct route_label {
    enum { UNSEEN, BUSY, DONE } state;
    str value;
};

struct route_labels {
    const struct messages_context *c;
    struct labels templates;
    struct route_label *v; /* parallel to templates */
    struct arena *a;
    unsigned depth;
};

static bool expand_label(struct route_labels *r, size_t i, struct err *e)
{
    struct route_label *l = &r->v[i];

    if (l->state == DONE)
        return true;
    if (l->state == BUSY || r->depth == ROUTE_LABELS_DEPTH)
        return err_set(e, ERR_INVALID, "the route label \"%.*s\" needs itself",
                       STR(r->templates.v[i].name));
    l->state = BUSY;
    r->depth++;
    if (messages_expand(r->c, r->templates.v[i].value, TEMPLATE_TEXT, r, r->a, &l->value, e))
        l->state = DONE;
    else
        l->state = UNSEEN;
    r->depth--;
    return l->state == DONE;
}

static bool f_route_labels(struct tmpl_env *env, const struct tmpl_value *args, size_t n,
                           struct tmpl_value *out, struct err *e)
{
    /* the labels are filled in while they are expanded */
    struct route_labels *r = (struct route_labels *)(uintptr_t)env->host;

    (void)n;
    if (r == NULL) {
        *out = tv_str(labels_get(template_data_route_labels(env->root), args[0].s));
        return true;
    }
    *out = tv_str(S(""));
    for (size_t i = 0; i < r->templates.n; i++) {
        if (!str_eq(r->templates.v[i].name, args[0].s))
            continue;
        if (!expand_label(r, i, e))
            return false;
        *out = tv_str(r->v[i].value);
    }
    return true;
}

static const struct tmpl_func tmpl_route_labels_funcs[] = {
    {"routeLabels", "s", f_route_labels, "a label of the route"},
    {NULL, NULL, NULL, NULL},
};

struct labels messages_route_labels(const struct messages_context *c, struct labels templates,
                                    struct arena *a)
{
    struct notification unseen = *c->n;
    struct messages_context look = *c;
    struct route_labels r = {
        .c = &look, .templates = templates, .v = arena_array(a, templates.n, sizeof(*r.v)), .a = a};
    struct label *v = arena_array(a, templates.n, sizeof(*v));
    size_t n = 0;
    str dup;

    unseen.reason = REASON_UNKNOWN; /* labels do not see why it is told */
    look.n = &unseen;
    for (size_t i = 0; i < templates.n; i++)
        if (expand_label(&r, i, NULL))
            v[n++] = (struct label){templates.v[i].name, r.v[i].value};
    n = labels_sort_keep(v, n, &dup);
    return (struct labels){v, n != SIZE_MAX ? n : 0};
}
