/* A file is decoded by tables, its problems get our ids and places; then each group and rule is checked, objects of
 * Kubernetes one by one, and labels of an enforced namespace are put in. */
#include "ruler/rule_file.h"

#include <stdio.h>
#include "base/map.h"
#include "base/utf8.h"
#include "model/labels.h"
#include "ruler/rule_expr.h"
#include "ruler/rule_object.h"
#include "schema/schema.h"
#include "ruler/rule_template.h"
#include "os/yaml_file.h"

/* -- what the file says -- */

struct rule_raw {
    str record, alert, expr;
    dur_ns hold_for, keep_firing_for;
    struct conf_map labels, annotations;
};

struct group_raw {
    str name;
    dur_ns interval, query_offset;
    int64_t limit;
    struct conf_map labels;
    CONF_LIST_OF(struct rule_raw) rules;
};

struct file_raw {
    CONF_LIST_OF(struct group_raw) groups;
};

static const struct conf_key rule_keys[] = {
    CONF_KEY(struct rule_raw, record, CONF_STRING, "name of the series to record"),
    CONF_KEY(struct rule_raw, alert, CONF_STRING, "name of the alert"),
    CONF_KEY(struct rule_raw, expr, CONF_STRING, "PromQL expression"),
    CONF_KEY_AS("for", struct rule_raw, hold_for, CONF_DURATION,
                "how long the expression must hold", .text = "0s"),
    CONF_KEY(struct rule_raw, keep_firing_for, CONF_DURATION, "how long the alert goes on after it",
             .text = "0s"),
    CONF_KEY(struct rule_raw, labels, CONF_STRING_MAP, "labels; templates in an alert"),
    CONF_KEY(struct rule_raw, annotations, CONF_STRING_MAP, "texts for people, templates"),
    CONF_KEYS_END,
};
static const struct conf_type rule_type = {.name = "rule",
                                           .doc = "One alert or recorded series.",
                                           .keys = rule_keys,
                                           .size = sizeof(struct rule_raw)};

/* clang-format off: a list of rows */
#define GROUP_ROWS                                                                                 \
    CONF_KEY(struct group_raw, name, CONF_STRING, "name, once a file"),                            \
        CONF_KEY(struct group_raw, interval, CONF_DURATION, "how often",                           \
                 CONF_GLOBAL(evaluation_interval), .flags = CONF_EMPTY_IS_NONE),                   \
        CONF_KEY(struct group_raw, query_offset, CONF_DURATION, "how far in the past",             \
                 CONF_GLOBAL(rule_query_offset)),                                                  \
        CONF_KEY(struct group_raw, limit, CONF_INT,                                                \
                 "series or alerts that a rule may yield, 0 = any number"),                        \
        CONF_KEY(struct group_raw, labels, CONF_STRING_MAP,                                        \
                 "labels of all its rules; a rule's own win"),                                     \
        CONF_KEY(struct group_raw, rules, CONF_LIST, "evaluated in order", .sub = &rule_type)
/* clang-format on */

static const struct conf_key group_keys[] = {
    GROUP_ROWS,
    CONF_KEYS_END,
};
static const struct conf_type group_type = {.name = "rule_group",
                                            .doc = "Rules that are evaluated together.",
                                            .keys = group_keys,
                                            .size = sizeof(struct group_raw)};

static const struct conf_key file_keys[] = {
    CONF_KEY(struct file_raw, groups, CONF_LIST, "rule groups", .sub = &group_type,
             .flags = CONF_HEIRS),
    CONF_KEYS_END,
};

/* What an object may say beyond a rule file. */
static const struct conf_key object_group_keys[] = {
    GROUP_ROWS,
    CONF_KEY_IGNORED("partial_response_strategy", 0, "Thanos' own"),
    CONF_KEYS_END,
};
static const struct conf_type object_group_type = {.name = "rule_group",
                                                   .doc = "Rules that are evaluated together.",
                                                   .keys = object_group_keys,
                                                   .size = sizeof(struct group_raw)};
static const struct conf_key object_keys[] = {
    CONF_KEY(struct file_raw, groups, CONF_LIST, "rule groups", .sub = &object_group_type,
             .flags = CONF_HEIRS),
    CONF_KEYS_END,
};
static const struct conf_type object_type = {.name = "PrometheusRule",
                                             .doc = "The spec of a PrometheusRule.",
                                             .keys = object_keys,
                                             .size = sizeof(struct file_raw)};

const struct conf_type rule_file_type = {
    .name = "rule_file", .doc = "A rule file.", .keys = file_keys, .size = sizeof(struct file_raw)};

/* -- problems of decoding -- */

static bool is_vmalert_key(str key)
{
    static const char *const keys[] = {
        "type",        "concurrency", "params",         "headers", "notifier_headers",
        "eval_offset", "eval_delay",  "eval_alignment", "debug",   "update_entries_limit",
        "tenant"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_is(key, keys[i]))
            return true;
    return false;
}

static str quoted_part(str message)
{
    ptrdiff_t from = str_find(message, '"');
    str rest = from < 0 ? STR_NONE : str_sub(message, (size_t)from + 1, message.n);

    return str_sub(rest, 0, str_find(rest, '"') < 0 ? 0 : (size_t)str_find(rest, '"'));
}

static void add_help(struct diags *to, struct diag *copy, const struct diag *from)
{
    str key = quoted_part(from->message);

    if (str_is(str_of(from->id), "C002") && is_vmalert_key(key))
        diag_help(to, copy, "this is a key of vmalert that Prometheus does not have%s",
                  str_is(key, "eval_delay") ? "; \"query_offset\" is the counterpart" : "");
    else if (from->help.n != 0)
        diag_help(to, copy, "%.*s", STR(from->help));
}

/* The decoder's ids become those of rule files. */
static void copy_decoding(struct diags *to, const struct diags *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct diag *g = &from->v[i];
        const char *id = str_is(str_of(g->id), "C002")                  ? "R002"
                         : str_is(str_of(g->id), "C007")                ? "R014"
                         : str_find_str(g->message, S("duration")) >= 0 ? "R007"
                                                                        : "R001";
        struct diag *copy = diags_add(to, g->severity, id, g->place, "%.*s", STR(g->message));

        add_help(to, copy, g);
        if (g->has_fix)
            diag_fix(to, copy, g->fix);
        if (g->second.line != 0)
            diag_second(to, copy, g->second);
    }
}

/* -- checks -- */

struct checker {
    struct rule_file *file;
    const struct rule_file_options *o;
    struct arena *a;
    struct diags *d;
    const struct rule_part *part;
    str file_name; /* of the part's groups */
    const struct rule_group_conf *group;
    struct rule_templates *templates; /* its parsed ones */
    bool has_comments, is_trial;      /* of ours, in the file; the group is a trial */
    struct str_map named;             /* the groups so far */
    const struct diags *decoding;     /* of a part that cannot be used: its faults; else NULL */
};

/* Whether something of the node could not be decoded: what is missing of it says nothing. */
static bool is_broken(const struct checker *k, const struct yaml_node *n)
{
    for (size_t i = 0; k->decoding != NULL && i < k->decoding->n; i++) {
        const struct diag *g = &k->decoding->v[i];

        if (g->severity == DIAG_ERROR && g->place.at >= n->start.at && g->place.at < n->end.at)
            return true;
    }
    return false;
}

static struct diag_place key_place(const struct checker *k, const struct yaml_node *map,
                                   const char *key)
{
    const struct yaml_node *hit = yaml_get(map, str_of(key));

    return yaml_place(k->file->doc, hit != NULL ? hit : map);
}

static struct diag_place name_place(const struct checker *k, const struct yaml_node *map,
                                    const char *key, str name)
{
    const struct yaml_node *sub = yaml_get(map, str_of(key));

    for (size_t i = 0; sub != NULL && sub->kind == YAML_MAP && i < sub->n; i++)
        if (str_eq(sub->pairs[i].key->text, name))
            return yaml_place(k->file->doc, sub->pairs[i].key);
    return key_place(k, map, key);
}

static struct diag *rule_file_complain(const struct checker *k, const char *id,
                                       struct diag_place place, const struct rule_conf *r,
                                       const char *text)
{
    if (r == NULL)
        return diags_add(k->d, DIAG_ERROR, id, place, "group \"%.*s\": %s", STR(k->group->name),
                         text);
    return diags_add(k->d, DIAG_ERROR, id, place, "group \"%.*s\", rule %zu, \"%.*s\": %s",
                     STR(k->group->name), r->number, STR(r->name), text);
}

static bool is_label_name(const struct checker *k, str name)
{
    if (str_is(name, "__name__"))
        return false;
    return k->o->mode == MATCHER_CLASSIC ? label_name_is_legacy(name) : label_name_is_utf8(name);
}

static void rule_file_check_names(const struct checker *k, const struct yaml_node *map,
                                  const char *key, const struct conf_map *names,
                                  const struct rule_conf *r)
{
    for (size_t i = 0; i < names->n; i++) {
        char text[300];
        str name = names->v[i].name;

        if (str_is(str_of(key), "annotations") && str_is(name, "__name__"))
            continue;
        if (is_label_name(k, name))
            continue;
        snprintf(text, sizeof(text), "\"%.*s\" cannot be the name of %s",
                 STR(str_sub(name, 0, 200)),
                 str_is(str_of(key), "labels") ? "a label" : "an annotation");
        rule_file_complain(k, "R009", name_place(k, map, key, name), r, text);
    }
}

/* A fault's place is the line of the text that it names: the first character of it. */
static void check_templates_of(const struct rule_conf *r, const char *key, str group,
                               struct rule_templates *t, struct diags *d)
{
    const struct yaml_node *sub = yaml_get(r->node, str_of(key));

    for (size_t i = 0; sub != NULL && sub->kind == YAML_MAP && i < sub->n; i++) {
        const struct yaml_node *value = sub->pairs[i].value;
        struct err e = ERR_INIT;
        size_t at = 0;

        if (rule_template_check(t, r->name, value->text, &e))
            continue;
        for (int line = 1; line < e.line && at < value->text.n; at++)
            line += value->text.p[at] == '\n';
        diags_add(d, DIAG_ERROR, "R010", yaml_place_in(r->doc, value, at, 1),
                  "group \"%.*s\", rule %zu, \"%.*s\": %s \"%.*s\": %s", STR(group), r->number,
                  STR(r->name), str_is(str_of(key), "labels") ? "label" : "annotation",
                  STR(sub->pairs[i].key->text), e.msg);
    }
}

void rule_check_templates(const struct rule_conf *r, str group, struct rule_templates *t,
                          struct diags *d)
{
    check_templates_of(r, "labels", group, t, d);
    check_templates_of(r, "annotations", group, t, d);
}

static void check_templates(const struct checker *k, const struct rule_conf *r)
{
    if (r->is_alert && !k->o->leaves_templates)
        rule_check_templates(r, k->group->name, k->templates, k->d);
}

/* `severity: 1` is the text "1", as in Prometheus; some tools are stricter. */
static void note_scalars(const struct checker *k, const struct yaml_node *map, const char *key)
{
    const struct yaml_node *sub = yaml_get(map, str_of(key));
    struct conf_run run = {.a = k->a, .d = k->d};
    const struct conf_in in = {.run = &run, .index = -1};

    for (size_t i = 0; sub != NULL && sub->kind == YAML_MAP && i < sub->n; i++) {
        const struct yaml_node *value = sub->pairs[i].value;

        if (conf_decode_any(&in, value)->kind != CONF_VALUE_STRING)
            diag_help(k->d,
                      diags_add(k->d, DIAG_INFO, "R011", yaml_place(k->file->doc, value),
                                "\"%.*s\" is not a string in YAML, it is taken as its text",
                                STR(sub->pairs[i].key->text)),
                      "quote it");
    }
}

static void check_recording(const struct checker *k, const struct rule_conf *r)
{
    bool ok =
        k->o->mode == MATCHER_CLASSIC ? metric_name_is_legacy(r->name) : utf8_is_valid(r->name);

    if (r->annotations.n != 0)
        rule_file_complain(k, "R008", key_place(k, r->node, "annotations"), r,
                           "a recording rule cannot have \"annotations\"");
    if (r->hold_for != 0)
        rule_file_complain(k, "R008", key_place(k, r->node, "for"), r,
                           "a recording rule cannot have \"for\"");
    if (r->keep_firing_for != 0)
        rule_file_complain(k, "R008", key_place(k, r->node, "keep_firing_for"), r,
                           "a recording rule cannot have \"keep_firing_for\"");
    if (!ok)
        rule_file_complain(k, "R009", key_place(k, r->node, "record"), r, "not a metric name");
    else if (str_find(r->name, '{') >= 0 || str_find(r->name, '}') >= 0)
        diag_help(k->d,
                  rule_file_complain(k, "R009", key_place(k, r->node, "record"), r,
                                     "braces in the name of a recorded series"),
                  "a name is wanted here, labels belong under \"labels\"");
}

static void check_expr(struct checker *k, struct rule_conf *r)
{
    const struct label scope = {k->o->space_label, k->part->space};

    if (str_trim(r->expr).n == 0) {
        rule_file_complain(k, "R005", key_place(k, r->node, "expr"), r, "\"expr\" is missing");
        return;
    }
    if (k->o->space_label.n != 0)
        rule_expr_check(r, k->o->dialect, &scope, k->group->name, k->a, k->d);
    else if (!k->o->leaves_expressions)
        rule_expr_check(r, k->o->dialect, NULL, k->group->name, k->a, k->d);
}

/* Of a rule that is broken elsewhere. */
static void check_parts(struct checker *k, struct rule_conf *r)
{
    if (r->expr_node != NULL && r->expr_node->kind == YAML_SCALAR && r->expr.n != 0)
        check_expr(k, r);
    check_templates(k, r);
}

static void check_rule(struct checker *k, struct rule_conf *r, const struct rule_raw *raw)
{
    if (is_broken(k, r->node)) {
        check_parts(k, r);
        return;
    }
    if (raw->record.n != 0 && raw->alert.n != 0) {
        struct diag *g = rule_file_complain(k, "R004", key_place(k, r->node, "alert"), r,
                                            "has both \"record\" and \"alert\"");

        diag_second(k->d, g, key_place(k, r->node, "record"));
    }
    if (raw->record.n == 0 && raw->alert.n == 0)
        rule_file_complain(k, "R004", rule_place(r), r, "has neither \"record\" nor \"alert\"");
    check_expr(k, r);
    if (raw->record.n != 0)
        check_recording(k, r);
    rule_file_check_names(k, r->node, "labels", &r->labels, r);
    rule_file_check_names(k, r->node, "annotations", &r->annotations, r);
    check_templates(k, r);
    note_scalars(k, r->node, "labels");
    note_scalars(k, r->node, "annotations");
}

/* -- tolerance -- */

struct mark {
    size_t n, errors;
};

static struct mark rule_file_mark_of(const struct diags *d)
{
    return (struct mark){d->n, d->errors};
}

/* Whether errors since the mark are to be passed over: they become warnings, and what they are about is left out. */
static bool passes_over(const struct rule_file_options *o, struct diags *d, struct mark since)
{
    if (!o->tolerates || d->errors == since.errors)
        return false;
    d->warnings += d->errors - since.errors;
    d->errors = since.errors;
    for (size_t i = since.n; i < d->n; i++)
        if (d->v[i].severity == DIAG_ERROR)
            d->v[i].severity = DIAG_WARNING;
    return true;
}

static void rule_file_skip(struct rule_file *f, str file, str group, str rule)
{
    vec_push(&f->skipped, (struct rule_skipped){file, group, rule});
}

/* -- building -- */

/* -- comments that say something: "# tocsin: trial", "# tocsin: expect-silent" behind the first key of a rule or group, or in the lines above it -- */

static const char rule_mark[] = "# tocsin: ";

static str rule_line_before(str text, size_t at)
{
    size_t begin = at;

    while (begin > 0 && text.p[begin - 1] != '\n')
        begin--;
    return str_sub(text, begin, at);
}

static bool line_says(str line, const char *word)
{
    ptrdiff_t at = str_find_str(line, str_of(rule_mark));

    return at >= 0 &&
           str_eq(str_trim(str_sub(line, (size_t)at + strlen(rule_mark), line.n)), str_of(word));
}

static bool comment_says(const struct checker *k, const struct diag_place *place, const char *word)
{
    str text = k->file->doc->source, rest = str_sub(text, place->at, text.n), line;
    size_t at = place->at;

    if (!k->has_comments || at > text.n)
        return false;
    if (line_says(str_cut(&rest, '\n'), word))
        return true;
    for (at -= rule_line_before(text, at).n; at > 0; at -= line.n) {
        line = rule_line_before(text, --at);
        if (!str_starts_with(str_trim(line), S("#")))
            return false;
        if (line_says(line, word))
            return true;
    }
    return false;
}

/* Whatever the rule says, its results are its namespace's. */
static void enforce_label(const struct checker *k, struct conf_map *labels)
{
    struct conf_pair own = {.name = k->o->space_label, .value = k->part->space};

    if (own.name.n != 0)
        *labels = conf_map_merge(k->a, labels, &(struct conf_map){.v = &own, .n = 1});
}

static void build_rule(struct checker *k, const struct group_raw *group, const struct rule_raw *raw,
                       const struct yaml_node *node, size_t number, struct rule_conf *r)
{
    struct diag_place place = yaml_place(k->file->doc, node);

    *r = (struct rule_conf){
        .is_alert = raw->alert.n != 0,
        .line = place.line,
        .name = raw->alert.n != 0 ? raw->alert : raw->record,
        .expr = raw->expr,
        .hold_for = raw->hold_for,
        .keep_firing_for = raw->keep_firing_for,
        .labels = raw->labels,
        .annotations = raw->annotations,
        .doc = k->file->doc,
        .node = node,
        .expr_node = yaml_get(node, S("expr")),
        .number = number,
    };
    r->is_trial = r->is_alert && (k->is_trial || comment_says(k, &place, "trial"));
    r->expects_silence = comment_says(k, &place, "expect-silent");
    enforce_label(k, &r->labels);
    r->all_labels = conf_map_merge(k->a, &group->labels, &r->labels);
    check_rule(k, r, raw);
}

static void build_group(struct checker *k, const struct group_raw *raw,
                        const struct yaml_node *node, struct rule_group_conf *g)
{
    const struct yaml_node *rules = yaml_get(node, S("rules"));

    *g = (struct rule_group_conf){
        .file = k->file_name,
        .object = k->part->object,
        .name = raw->name,
        .interval = raw->interval,
        .query_offset = raw->query_offset,
        .limit = raw->limit,
        .labels = raw->labels,
        .rules = arena_array(k->a, raw->rules.n, sizeof(g->rules[0])),
        .place = yaml_place(k->file->doc, node),
    };
    k->group = g;
    k->is_trial = comment_says(k, &g->place, "trial");
    if (raw->name.n == 0 && !(is_broken(k, node) && yaml_get(node, S("name")) != NULL))
        diags_add(k->d, DIAG_ERROR, "R003", g->place, "a group has no \"name\"");
    rule_file_check_names(k, node, "labels", &raw->labels, NULL);
    k->templates = rule_templates_new();
    for (size_t i = 0; i < raw->rules.n; i++) {
        struct rule_conf *r = &g->rules[g->n_rules];
        struct mark before = rule_file_mark_of(k->d);

        if (rules->items[i]->kind != YAML_MAP)
            continue; /* said by the decoder */
        build_rule(k, raw, &raw->rules.v[i], rules->items[i], i + 1, r);
        if (passes_over(k->o, k->d, before))
            rule_file_skip(k->file, g->file, g->name, r->name);
        else
            g->n_rules++;
    }
    rule_templates_free(k->templates);
}

static void check_repeat(struct checker *k, const struct rule_group_conf *b)
{
    void **hit = b->name.n != 0 ? str_map_get(&k->named, b->name) : NULL;

    if (hit != NULL)
        diag_second(k->d,
                    diags_add(k->d, DIAG_ERROR, "R003", b->place,
                              "group \"%.*s\" stands twice in this file", STR(b->name)),
                    ((const struct rule_group_conf *)*hit)->place);
}

static void build_groups(struct checker *k, const struct file_raw *raw)
{
    struct rule_file *file = k->file;
    const struct yaml_node *groups = yaml_get(k->part->node, S("groups"));

    k->has_comments = str_find_str(file->doc->source, str_of(rule_mark)) >= 0;
    file->groups = arena_copy(k->a, file->groups, file->n_groups, file->n_groups + raw->groups.n,
                              sizeof(file->groups[0]));
    for (size_t i = 0; i < raw->groups.n; i++) {
        struct rule_group_conf *g = &file->groups[file->n_groups];
        struct mark before = rule_file_mark_of(k->d);

        if (groups->items[i]->kind != YAML_MAP)
            continue;
        build_group(k, &raw->groups.v[i], groups->items[i], g);
        check_repeat(k, g);
        if (passes_over(k->o, k->d, before)) {
            rule_file_skip(file, g->file, g->name, STR_NONE);
            continue;
        }
        file->n_groups++;
        if (g->name.n != 0)
            (void)str_map_add(&k->named, g->name, g, &(bool){false});
    }
    str_map_release(&k->named);
    k->named = (struct str_map){0};
}

/* Rules without a namespace would see those of all. */
static bool check_space(const struct checker *k)
{
    if (k->o->space_label.n == 0 || k->part->space.n != 0)
        return true;
    diag_help(k->d,
              diags_add(k->d, DIAG_ERROR, "R014", k->part->place,
                        "label \"%.*s\" is to be enforced, but no namespace is named here",
                        STR(k->o->space_label)),
              "a PrometheusRule with \"metadata.namespace\" has one");
    return false;
}

/* One fault hides no other: what could be decoded is checked, and not used. */
static void look_on(struct checker *k, const struct file_raw *raw, const struct diags *decoding)
{
    size_t usable = k->file->n_groups;

    k->decoding = decoding;
    build_groups(k, raw);
    k->decoding = NULL;
    if (!k->o->keeps_broken)
        k->file->n_groups = usable;
}

/* Every part is looked at, so that one run shows as many problems as can be seen. */
static void build_part(struct checker *k, bool is_object)
{
    struct conf_part part = {k->file->doc, k->part->node};
    struct diags decoding;
    struct conf_run run = {.a = k->a, .d = &decoding, .mode = k->o->mode};
    struct mark before = rule_file_mark_of(k->d);
    struct file_raw raw;
    bool ok;

    diags_init(&decoding);
    ok = conf_decode(&run, &part, 1,
                     (struct conf_layer){is_object ? &object_type : &rule_file_type, &raw,
                                         k->o->global});
    copy_decoding(k->d, &decoding);
    if (ok && check_space(k))
        build_groups(k, &raw);
    else if (is_object && passes_over(k->o, k->d, before))
        rule_file_skip(k->file, k->file_name, STR_NONE, STR_NONE);
    else if (!ok && !k->o->tolerates)
        look_on(k, &raw, &decoding);
    diags_release(&decoding);
}

static bool rule_file_build(struct yaml_doc *doc, const struct rule_file_options *o,
                            struct arena *a, struct rule_file *out, struct diags *d)
{
    struct rule_file file = {.doc = doc};
    struct checker k = {.file = &file, .o = o, .a = a, .d = d};
    struct rule_parts parts;
    size_t errors = d->errors;

    if (!rule_parts_find(doc, a, &parts, d))
        return false;
    if (doc->more && !parts.are_objects)
        diags_add(d, DIAG_WARNING, "R012",
                  (struct diag_place){.file = doc->file, .line = 1, .col = 1},
                  "only the first YAML document of the file is read");
    for (size_t i = 0; i < parts.n; i++) {
        k.part = &parts.v[i];
        k.file_name = parts.are_objects
                          ? arena_printf(a, "%.*s#%.*s", STR(doc->file), STR(k.part->object))
                          : doc->file;
        build_part(&k, parts.are_objects);
    }
    *out = file;
    return d->errors == errors;
}

/* Faults of the YAML itself are R001 here. */
static void rename_yaml(struct diags *d, size_t from)
{
    for (size_t i = from; i < d->n; i++)
        if (d->v[i].id[0] == 'Y')
            d->v[i].id = "R001";
}

bool rule_file_of(struct yaml_doc *doc, const struct rule_file_options *o, struct arena *a,
                  struct rule_file *out, struct diags *d)
{
    *out = (struct rule_file){.doc = doc};
    return rule_file_build(doc, o, a, out, d);
}

bool rule_file_parse(str text, str path, const struct rule_file_options *o, struct arena *a,
                     struct rule_file *out, struct diags *d)
{
    struct yaml_doc *doc = arena_new(a, struct yaml_doc);
    struct mark first = rule_file_mark_of(d);

    *out = (struct rule_file){.doc = doc};
    if (yaml_parse(text, path, a, doc, d))
        return rule_file_of(doc, o, a, out, d);
    rename_yaml(d, first.n);
    return false;
}

static bool ruler_rule_file_load(str path, const struct rule_file_options *o, struct arena *a,
                                 struct rule_file *out, struct diags *d)
{
    struct yaml_doc *doc = arena_new(a, struct yaml_doc);
    struct err e = ERR_INIT;
    struct mark first = rule_file_mark_of(d);

    if (yaml_read_file_of(o->files, path, a, doc, d, &e))
        return rule_file_build(doc, o, a, out, d);
    if (d->errors == first.errors)
        diags_add(d, DIAG_ERROR, "R001", (struct diag_place){.file = path, .line = 1, .col = 1},
                  "%s", e.msg);
    rename_yaml(d, first.n);
    return false;
}

bool rule_file_load(str path, const struct rule_file_options *o, struct arena *a,
                    struct rule_file *out, struct diags *d)
{
    struct mark before = rule_file_mark_of(d);
    bool ok;

    *out = (struct rule_file){.n_groups = 0};
    ok = ruler_rule_file_load(path, o, a, out, d);
    if (!ok && passes_over(o, d, before))
        rule_file_skip(out, path, STR_NONE, STR_NONE);
    return ok;
}
