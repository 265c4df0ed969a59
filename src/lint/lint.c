/* What a file is, from its top-level keys or the folder that it is in; then its own check, and what only all files
 * together show: a rule twice, an alertmanager.yml beside a tocsin.yml. */
#include "lint/lint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "os/file.h"
#include "os/spread.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "collect/collect_conf.h"
#include "config/bridge.h"
#include "config/config.h"
#include "lint/ignore.h"
#include "lint/lint_config.h"
#include "lint/lint_expr.h"
#include "lint/lint_levels.h"
#include "lint/lint_online.h"
#include "lint/lint_scrape.h"
#include "lint/lint_messages.h"
#include "lint/lint_near.h"
#include "lint/lint_object.h"
#include "lint/lint_template.h"
#include "promql/promql.h"
#include "ruler/rule_expr.h"
#include "ruler/rule_file.h"
#include "ruler/rule_object.h"
#include "ruletest/ruletest_file.h"
#include "schema/schema.h"
#include "slo/slo_file.h"

enum { TEXT_MAX = 16 << 20, DEPTH_MAX = 32, FILES_MAX = 100000 };

/* Of all files; before that, of one. */
struct linter {
    const struct lint_options *o;
    struct diags *d;
    struct arena arena;       /* rules of all files, for what only the set shows */
    VEC(struct arena) others; /* what is in it of single files */
    struct lint_result result;
    struct ignores ignores;
    struct lint_set set;
    VEC(struct rule_file) files;
    VEC(struct rule_conf) measures; /* what objectives count, as rules that record it */
    VEC(struct config_text) configs;
    VEC(struct config *) loaded;
};

/* -- kinds -- */

static bool has_any(const struct yaml_node *root, const char *const *keys)
{
    for (size_t i = 0; keys[i] != NULL; i++)
        if (yaml_get(root, str_of(keys[i])) != NULL)
            return true;
    return false;
}

/* null, {}, comments: rule files without groups, as templates of charts leave them behind. */
static bool lint_is_empty(const struct yaml_node *root)
{
    return yaml_is_null(root) || (root->kind == YAML_MAP && root->n == 0);
}

/* prometheus-webhook-dingtalk's: targets by their names. */
static bool is_bridge_file(const struct yaml_node *root)
{
    const struct yaml_node *targets = yaml_get(root, S("targets"));

    return targets != NULL && targets->kind == YAML_MAP;
}

/* What `tocsin collect` reads: keys that nobody else has, or none but its own. */
static bool is_collect_file(const struct yaml_node *root)
{
    static const char *const sure[] = {"nvidia", "probes", "processes", NULL};

    for (size_t i = 0; i < root->n; i++) {
        bool is_ours = false;

        for (const struct conf_key *k = collect_conf_type.keys; k->name != NULL; k++)
            is_ours |= str_is(root->pairs[i].key->text, k->name);
        if (!is_ours)
            return has_any(root, sure);
    }
    return true;
}

static enum lint_kind lint_kind_of(const struct yaml_node *root)
{
    static const char *const config_keys[] = {
        "route",          "receivers",     "global",          "rule_files",
        "scrape_configs", "sources",       "alerting",        "storage",
        "remote_write",   "inhibit_rules", "time_intervals",  "heartbeat",
        "templates",      "push",          "dingtalk_bridge", NULL};
    static const char *const test_keys[] = {"tests", NULL};
    static const char *const rule_keys[] = {"groups", NULL}, *const slo_keys[] = {"slos", NULL};

    if (lint_is_empty(root))
        return LINT_RULES;
    if (root->kind != YAML_MAP)
        return LINT_OTHER;
    if (lint_object_is(root))
        return LINT_OBJECT;
    if (has_any(root, test_keys))
        return LINT_TEST;
    if (has_any(root, rule_keys))
        return LINT_RULES;
    if (has_any(root, slo_keys))
        return LINT_SLO;
    if (has_any(root, config_keys))
        return LINT_CONFIG;
    if (is_bridge_file(root))
        return LINT_BRIDGE;
    return is_collect_file(root) ? LINT_COLLECT : LINT_OTHER;
}

/* NULL: it is broken, and whichever reader says so. */
static struct yaml_doc *lint_read_quietly(str text, str name, struct arena *a)
{
    struct yaml_doc *doc = arena_new(a, struct yaml_doc);
    struct diags d;
    bool ok;

    diags_init(&d);
    ok = yaml_parse(text, name, a, doc, &d);
    diags_release(&d);
    return ok ? doc : NULL;
}

static enum lint_kind kind_of_document(const struct yaml_doc *doc)
{
    return doc == NULL || rule_object_is_in(doc) ? LINT_RULES : lint_kind_of(doc->root);
}

enum lint_kind lint_recognise(str text, str name)
{
    struct arena a;
    enum lint_kind kind;

    arena_init(&a, 0);
    kind = kind_of_document(lint_read_quietly(text, name, &a));
    arena_release(&a);
    return kind;
}

bool lint_kind_parse(str word, enum lint_kind *out)
{
    static const char *const words[] = {
        [LINT_CONFIG] = "config",   [LINT_RULES] = "rules",     [LINT_TEST] = "test",
        [LINT_BRIDGE] = "dingtalk", [LINT_COLLECT] = "collect", [LINT_SLO] = "slo"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i])) {
            *out = (enum lint_kind)i;
            return true;
        }
    return false;
}

/* -- duplicates -- */

/* What makes two rules the same: kind, name and labels, in any order. */
static str lint_identity(struct arena *a, const struct rule_conf *r)
{
    struct conf_pair *v = arena_array(a, r->all_labels.n, sizeof(*v));
    struct buf b = BUF_INIT;
    str id;

    if (r->all_labels.n != 0) {
        memcpy(v, r->all_labels.v, r->all_labels.n * sizeof(*v));
        qsort(v, r->all_labels.n, sizeof(*v), conf_pair_order);
    }
    buf_addf(&b, "%d%.*s", r->is_alert, STR(r->name));
    for (size_t i = 0; i < r->all_labels.n; i++)
        buf_addf(&b, "\xff%.*s\xff%.*s", STR(v[i].name), STR(v[i].value));
    id = arena_str(a, buf_str(&b));
    buf_release(&b);
    return id;
}

static str real_path(struct linter *l, str path)
{
    char *real = realpath(arena_str(&l->arena, path).p, NULL);
    str out = real != NULL ? arena_str(&l->arena, str_of(real)) : path;

    free(real);
    return out;
}

static const struct rule_group_conf *group_of_file(struct linter *l, const struct config *c,
                                                   str path)
{
    for (size_t i = 0; i < c->n_groups; i++)
        if (str_eq(real_path(l, c->groups[i].file), path))
            return &c->groups[i];
    return NULL;
}

/* Of two configurations that share none of both: nothing evaluates them together. */
static bool are_apart(struct linter *l, str a, str b)
{
    bool a_is_named = false, b_is_named = false;

    a = real_path(l, a);
    b = real_path(l, b);
    for (size_t i = 0; i < l->loaded.n; i++) {
        bool has_a = group_of_file(l, l->loaded.v[i], a) != NULL,
             has_b = group_of_file(l, l->loaded.v[i], b) != NULL;

        if (has_a && has_b)
            return false;
        a_is_named |= has_a;
        b_is_named |= has_b;
    }
    return a_is_named && b_is_named;
}

static void check_duplicates(struct linter *l)
{
    struct str_map seen = {0};

    for (size_t i = 0; i < l->files.n; i++) {
        for (size_t j = 0; j < l->files.v[i].n_groups; j++) {
            const struct rule_group_conf *g = &l->files.v[i].groups[j];

            for (size_t k = 0; k < g->n_rules; k++) {
                const struct rule_conf *r = &g->rules[k], *first;
                str id = lint_identity(&l->arena, r);
                void **hit = str_map_get(&seen, id);
                struct diag *w;

                if (hit == NULL) {
                    str_map_put(&seen, id, (void *)(uintptr_t)r);
                    continue;
                }
                first = *hit;
                if (are_apart(l, r->doc->file, first->doc->file))
                    continue;
                w = diags_add(
                    l->d, DIAG_WARNING, "R020", rule_place(r),
                    "%s \"%.*s\" with these labels is defined twice: results of both get mixed",
                    r->is_alert ? "alert" : "series", STR(r->name));
                diag_second(l->d, w, rule_place(first));
                if (r->is_alert && str_eq(r->expr, first->expr))
                    diag_help(l->d, w, "both have the same expression: remove one");
                else
                    diag_help(l->d, w, "give them different labels or names");
            }
        }
    }
    str_map_release(&seen);
}

/* -- one file -- */

/* Configurations are loaded at the end, when it is known which belong together. */
static void lint_config(struct linter *l, str text, str name)
{
    struct diags ignored; /* loading says it */
    struct yaml_doc doc;

    l->result.configs++;
    diags_init(&ignored);
    if (yaml_parse(text, name, &l->arena, &doc, &ignored))
        lint_config_text(&doc, l->d);
    diags_release(&ignored);
    vec_push(&l->configs, (struct config_text){name, text.n != 0 ? text : S("")});
}

/* As a configuration that names it reads it. */
static void lint_bridge(struct linter *l, str text, str name)
{
    struct conf_run run = {.a = &l->arena, .d = l->d, .template_reads = messages_reads};
    struct yaml_doc doc;
    struct bridge_file f;

    l->result.configs++;
    (void)(yaml_parse(text, name, &l->arena, &doc, l->d) && bridge_file_read(&run, &doc, &f));
}

static void lint_collected(struct linter *l, str text, str name)
{
    const struct collect_source source = {text, name};
    struct collect_conf c;

    l->result.configs++;
    (void)!collect_conf_parse(&source, 1, &l->arena, &c, l->d); /* it has said why */
}

/* One expression of an objective, to be looked at as a rule's is. */
static void note_measure(struct linter *l, const struct yaml_doc *doc, const struct yaml_node *slo,
                         const char *key)
{
    const struct yaml_node *expr = yaml_get(slo, str_of(key)), *name = yaml_get(slo, S("name"));

    if (expr != NULL && expr->kind == YAML_SCALAR && name != NULL && name->kind == YAML_SCALAR)
        vec_push(&l->measures, (struct rule_conf){.name = name->text,
                                                  .expr = expr->text,
                                                  .query = expr->text,
                                                  .doc = doc,
                                                  .node = slo,
                                                  .expr_node = expr});
}

static void lint_objectives(struct linter *l, str text, str name)
{
    static const char *const keys[] = {"good", "error", "total"};
    struct yaml_doc *doc = arena_new(&l->arena, struct yaml_doc);
    struct diags ignored; /* the first reading says it */
    const struct yaml_node *slos = NULL;
    struct slo_file f;

    l->result.configs++;
    text = arena_str(&l->arena, text);
    (void)!slo_file_parse(text, name, &l->arena, &f, l->d);
    diags_init(&ignored);
    if (yaml_parse(text, name, &l->arena, doc, &ignored) && doc->root != NULL)
        slos = yaml_get(doc->root, S("slos"));
    for (size_t i = 0; slos != NULL && slos->kind == YAML_LIST && i < slos->n; i++)
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            note_measure(l, doc, slos->items[i], keys[k]);
    diags_release(&ignored);
}

/* Each AlertmanagerConfig of a file's documents. */
static void lint_objects(struct linter *l, str text, str name)
{
    struct yaml_docs docs;

    l->result.configs++;
    if (!yaml_parse_all(arena_str(&l->arena, text), name, &l->arena, &docs, l->d))
        return;
    for (size_t i = 0; i < docs.n; i++)
        if (lint_object_is(docs.v[i].root))
            lint_object(&docs.v[i], &l->arena, l->d);
}

static str base_name(str path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '/')
            return str_sub(path, i, path.n);
    return path;
}

static bool is_part(str path)
{
    str name = base_name(path);

    return str_is(name, "alertmanager.yml") || str_is(name, "prometheus.yml") ||
           str_is(name, "tocsin.yml");
}

static void lint_loaded(struct linter *l, struct config *c)
{
    if (c == NULL)
        return;
    lint_config_checks(c, &l->arena, l->d);
    lint_near(c, &l->arena, l->d);
    lint_messages(c, true, l->d);
    lint_scrape_jobs(c, l->d);
    lint_scrape_rules(c, c->groups, c->n_groups, l->d);
    vec_push(&l->loaded, c);
}

/* Rule files that no configuration names belong to the one that scrapes, if there is one. */
static void lint_beside(struct linter *l)
{
    const struct config *c = NULL;

    for (size_t i = 0; i < l->loaded.n; i++) {
        if (l->loaded.v[i]->n_scrapes == 0)
            continue;
        if (c != NULL)
            return;
        c = l->loaded.v[i];
    }
    for (size_t i = 0; c != NULL && i < l->files.n; i++) {
        str path = real_path(l, l->files.v[i].doc->file);
        bool is_named = false;

        for (size_t k = 0; k < c->n_files && !is_named; k++)
            is_named = str_eq(path, real_path(l, c->files[k]));
        if (!is_named)
            lint_scrape_rules(c, l->files.v[i].groups, l->files.v[i].n_groups, l->d);
    }
}

/* -- C032: rules that two programs evaluate -- */

/* sender: has "alerting:"; router: has routes. */
static void compare_rules(struct linter *l, const struct config *sender,
                          const struct config *router)
{
    for (size_t i = 0; i < sender->n_groups; i++) {
        const struct rule_group_conf *g = &sender->groups[i], *other;

        if (i != 0 && str_eq(g->file, sender->groups[i - 1].file))
            continue;
        other = group_of_file(l, router, real_path(l, g->file));
        if (other == NULL)
            continue;
        diag_help(
            l->d,
            diags_add(l->d, DIAG_WARNING, "C032", g->place,
                      "group \"%.*s\": \"%.*s\" evaluates this file and sends what fires, and "
                      "\"%.*s\" evaluates it, too: all is told twice",
                      STR(g->name), STR(sender->files[0]), STR(router->files[0])),
            "leave the file out of rule_files of one of them");
    }
}

static void check_twice_evaluated(struct linter *l)
{
    for (size_t i = 0; i < l->loaded.n; i++)
        for (size_t k = 0; k < l->loaded.n; k++)
            if (i != k && l->loaded.v[i]->alerting.alertmanagers.n != 0 &&
                l->loaded.v[i]->route == NULL && l->loaded.v[k]->route != NULL)
                compare_rules(l, l->loaded.v[i], l->loaded.v[k]);
}

/* An alertmanager.yml and a prometheus.yml beside a tocsin.yml are one configuration with it, as the recommended
 * command line has it; anything else stands alone. */
static void load_configs(struct linter *l)
{
    struct config_options o = {.mode = l->o->mode, .keeps_documents = true};

    for (size_t i = 0; i < l->configs.n; i++) {
        str main = l->configs.v[i].path, folder = str_sub(main, 0, main.n - base_name(main).n);
        struct config_text parts[3];
        size_t n = 0;

        if (!str_is(base_name(main), "tocsin.yml"))
            continue;
        for (size_t k = 0; k < l->configs.n && n < ARRAY_LEN(parts); k++) {
            str path = l->configs.v[k].path;

            if (is_part(path) && str_eq(str_sub(path, 0, path.n - base_name(path).n), folder)) {
                parts[n++] = l->configs.v[k];
                l->configs.v[k].text = STR_NONE;
            }
        }
        lint_loaded(l, config_load_texts(parts, n, &o, l->d));
    }
    for (size_t i = 0; i < l->configs.n; i++)
        if (l->configs.v[i].text.p != NULL)
            lint_loaded(l, config_load_texts(&l->configs.v[i], 1, &o, l->d));
}

static void note_records(struct linter *l, const struct rule_file *f)
{
    for (size_t i = 0; i < f->n_groups; i++)
        for (size_t k = 0; k < f->groups[i].n_rules; k++)
            if (!f->groups[i].rules[k].is_alert)
                (void)str_map_put(&l->set.records, f->groups[i].rules[k].name, l);
}

/* -- what is there (--metrics) -- */

struct selected_names {
    struct linter *l;
    struct str_map all;
};

static bool note_selected(struct promql_expr *x, void *arg)
{
    struct selected_names *s = arg;

    if (x->kind == PROMQL_SELECTOR && x->selector.name.n != 0)
        (void)str_map_put(&s->all, arena_str(&s->l->arena, x->selector.name), s);
    return true;
}

static void note_selectors(struct selected_names *s, const struct rule_conf *r)
{
    struct promql_expr *x;
    struct arena a;

    if (r->expr_node == NULL || r->expr_node->kind != YAML_SCALAR)
        return;
    arena_init(&a, 0);
    x = promql_parse(r->expr_node->text, &promql_everything, &a, NULL, NULL);
    if (x != NULL)
        promql_walk(x, note_selected, s);
    promql_release(x);
    arena_release(&a);
}

/* What all rules select, of the source that has it. */
static bool ask_source(struct linter *l, struct buf *text)
{
    struct selected_names s = {.l = l};
    VEC(str) names = VEC_INIT;
    bool ok;

    for (size_t i = 0; i < l->files.n; i++)
        for (size_t k = 0; k < l->files.v[i].n_groups; k++)
            for (size_t j = 0; j < l->files.v[i].groups[k].n_rules; j++)
                note_selectors(&s, &l->files.v[i].groups[k].rules[j]);
    for (size_t i = 0; i < l->measures.n; i++)
        note_selectors(&s, &l->measures.v[i]);
    MAP_EACH (struct str_map_entry, e, &s.all)
        vec_push(&names, e->key);
    ok = names.n == 0 || l->set.source->series(l->set.source->arg, names.v, names.n, text);
    vec_release(&names);
    str_map_release(&s.all);
    return ok;
}

static struct lint_samples *read_samples(struct linter *l)
{
    const struct lint_metrics *m = &l->o->metrics;
    struct lint_samples *samples = NULL;
    struct buf text = BUF_INIT;

    l->set.source = m->source;
    if (m->text.p != NULL)
        samples = lint_samples_read(m->from, m->text, m->again, l->o->now / NS_PER_MS, l->d);
    else if (m->source != NULL && ask_source(l, &text))
        samples = lint_samples_read(m->from, buf_str(&text), STR_NONE, l->o->now / NS_PER_MS, l->d);
    else if (m->source != NULL)
        l->result.unanswered = true;
    buf_release(&text);
    return samples;
}

/* -- each rule -- */

enum { RULES_AT_A_TIME = 64 };

struct rule_of_group {
    const struct rule_conf *rule;
    str group;
};

struct rule_pass {
    const struct linter *l;
    VEC(struct rule_of_group) rules;
    struct diags *found; /* of every RULES_AT_A_TIME of them */
};

static bool is_text(const struct yaml_node *n)
{
    return n != NULL && n->kind == YAML_SCALAR;
}

static void lint_rule(const struct linter *l, const struct rule_of_group *of,
                      struct rule_templates *t, struct diags *d)
{
    const struct rule_conf *r = of->rule;
    struct promql_expr *x = NULL;
    struct arena a;

    arena_init(&a, 0);
    if (r->query.p == NULL && is_text(r->expr_node) && str_trim(r->expr).n != 0)
        x = rule_expr_parse(r, RULE_PROMQL, of->group, &a, d);
    else if (is_text(r->expr_node))
        x = promql_parse(r->expr_node->text, &promql_everything, &a, NULL, NULL);
    if (x != NULL)
        lint_expr(r, x, &l->set, &a, d);
    lint_template(r, of->group, x, t, &a, d);
    promql_release(x);
    arena_release(&a);
}

static void lint_some_rules(void *arg, size_t i)
{
    const struct rule_pass *pass = arg;
    struct rule_templates *t = rule_templates_new();
    struct diags *d = &pass->found[i];

    diags_init(d);
    d->wants = pass->l->d->wants;
    d->wants_arg = pass->l->d->wants_arg;
    for (size_t k = i * RULES_AT_A_TIME; k < pass->rules.n && k < (i + 1) * RULES_AT_A_TIME; k++)
        lint_rule(pass->l, &pass->rules.v[k], t, d);
    rule_templates_free(t);
}

static void lint_each_rule(struct linter *l)
{
    struct rule_pass pass = {.l = l};
    size_t n;

    for (size_t i = 0; i < l->files.n; i++)
        for (size_t k = 0; k < l->files.v[i].n_groups; k++) {
            const struct rule_group_conf *g = &l->files.v[i].groups[k];

            for (size_t j = 0; j < g->n_rules; j++)
                vec_push(&pass.rules, (struct rule_of_group){&g->rules[j], g->name});
        }
    for (size_t i = 0; i < l->measures.n; i++)
        vec_push(&pass.rules, (struct rule_of_group){&l->measures.v[i], STR_NONE});
    n = (pass.rules.n + RULES_AT_A_TIME - 1) / RULES_AT_A_TIME;
    pass.found = mem_array(n, sizeof(pass.found[0]));
    /* A source is asked by one, in the order of the rules. */
    spread(l->set.source != NULL ? 1 : l->o->threads, n, lint_some_rules, &pass);
    for (size_t i = 0; i < n; i++)
        diags_join(l->d, &pass.found[i]);
    mem_free(pass.found);
    vec_release(&pass.rules);
}

/* At the end, when it is known what all of them record. */
static void lint_all_rules(struct linter *l)
{
    struct lint_samples *samples = read_samples(l);

    l->set.samples = samples;
    if (l->files.n + l->measures.n != 0)
        catalogue_read(&l->set.catalogue, &l->arena);
    for (size_t i = 0; i < l->files.n; i++)
        note_records(l, &l->files.v[i]);
    lint_each_rule(l);
    lint_samples_free(samples);
    catalogue_release(&l->set.catalogue);
    str_map_release(&l->set.records);
}

/* doc: the text, if it has been read. */
static void lint_rules(struct linter *l, str text, str name, struct yaml_doc *doc)
{
    const struct rule_file_options o = {.mode = l->o->mode,
                                        .space_label = l->o->space_label,
                                        .keeps_broken = true,
                                        .leaves_templates = true,
                                        .leaves_expressions = true};
    struct rule_file file;
    bool ok;

    l->result.rule_files++;
    ok = doc != NULL ? rule_file_of(doc, &o, &l->arena, &file, l->d)
                     : rule_file_parse(text, name, &o, &l->arena, &file, l->d);
    if (ok && file.n_groups == 0)
        diags_add(l->d, DIAG_INFO, "R000", (struct diag_place){.file = name, .line = 1, .col = 1},
                  "no groups");
    for (size_t i = 0; i < file.n_groups; i++)
        l->result.rules += file.groups[i].n_rules;
    vec_push(&l->files, file);
}

/* What running it would refuse; whether it passes says `tocsin test`. */
static void lint_test(struct linter *l, str text, str name)
{
    struct ruletest_file file;

    l->result.tests++;
    (void)!ruletest_file_parse(text, name, &l->arena, &file, l->d); /* it has said why */
}

static void lint_skip(struct linter *l, str name, const char *what)
{
    l->result.skipped++;
    diags_add(l->d, DIAG_INFO, "C000", (struct diag_place){.file = name, .line = 1, .col = 1},
              "%s, not checked", what);
}

/* *doc: the text, if that takes reading it. */
static enum lint_kind find_kind(struct linter *l, str text, str name, struct yaml_doc **doc)
{
    *doc = NULL;
    if (l->o->is_known)
        return l->o->kind;
    if (is_part(name))
        return LINT_CONFIG;
    *doc = lint_read_quietly(text, name, &l->arena);
    return kind_of_document(*doc);
}

static void lint_document(struct linter *l, str text, str name, bool was_named)
{
    struct yaml_doc *doc;

    ignores_read(&l->ignores, text, name, l->o->now, &l->arena, l->d);
    text = arena_str(&l->arena, text);
    switch (find_kind(l, text, name, &doc)) {
    case LINT_CONFIG: lint_config(l, text, name); return;
    case LINT_RULES: lint_rules(l, text, name, doc); return;
    case LINT_BRIDGE: lint_bridge(l, text, name); return;
    case LINT_TEST: lint_test(l, text, name); return;
    case LINT_COLLECT: lint_collected(l, text, name); return;
    case LINT_OBJECT: lint_objects(l, text, name); return;
    case LINT_SLO: lint_objectives(l, text, name); return;
    case LINT_OTHER: break;
    }
    if (was_named && str_trim(text).n != 0)
        diags_add(l->d, DIAG_ERROR, "C000", (struct diag_place){.file = name, .line = 1, .col = 1},
                  "neither a configuration nor a rule file");
    else
        lint_skip(l, name, "neither a configuration nor a rule file");
}

/* -- files and folders -- */

static void cannot(struct diags *d, str path, const char *what)
{
    diags_add(d, DIAG_ERROR, "C000", (struct diag_place){.file = path}, "cannot %s \"%.*s\": %s",
              what, STR(path), strerror(errno));
}

static void lint_file(struct linter *l, str path, bool was_named)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    if (file_read(path, was_named ? FILE_OR_PIPE : FILE_REGULAR, TEXT_MAX, &text, &e))
        lint_document(l, buf_str(&text), path, was_named);
    else
        diags_add(l->d, DIAG_ERROR, "C000", (struct diag_place){.file = path}, "%s", e.msg);
    buf_release(&text);
}

static void lint_collect(struct arena *a, struct diags *d, str folder, int depth,
                         struct lint_files *out)
{
    DIR *dir = opendir(folder.p);
    struct dirent *e;

    if (dir == NULL) {
        cannot(d, folder, "open");
        return;
    }
    while ((e = readdir(dir)) != NULL && out->n < FILES_MAX) {
        str name = str_of(e->d_name), path;
        struct stat st;

        if (name.p[0] == '.')
            continue;
        path = arena_printf(a, "%.*s%s%s", STR(folder), str_ends_with(folder, S("/")) ? "" : "/",
                            e->d_name);
        if (lstat(path.p, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            lint_collect(a, d, path, depth + 1, out);
        else if (!S_ISDIR(st.st_mode) &&
                 (str_ends_with(name, S(".yml")) || str_ends_with(name, S(".yaml"))))
            vec_push(out, path);
    }
    closedir(dir);
}

void lint_files_of(str folder, struct arena *a, struct lint_files *out, struct diags *d)
{
    size_t from = out->n;

    lint_collect(a, d, folder, 0, out);
    if (out->n != from)
        qsort(out->v + from, out->n - from, sizeof(str), str_order);
}

static bool is_wanted(void *arg, const char *id, const struct diag_place *at,
                      enum diag_severity *severity)
{
    const struct linter *l = arg;

    for (size_t i = l->o->n_levels; i-- != 0;) {
        const struct lint_level *level = &l->o->levels[i];

        if (strcmp(level->row->id, id) != 0)
            continue;
        if (level->is_off)
            return false;
        *severity = level->severity;
        break;
    }
    return !ignores_has(&l->ignores, id, at);
}

static void lint_begin(struct linter *l, const struct lint_options *o, struct diags *d)
{
    *l = (struct linter){.o = o, .d = d};
    arena_init(&l->arena, 0);
    d->wants = is_wanted;
    d->wants_arg = l;
}

/* -- many files -- */

struct lint_path {
    str path;
    bool was_named;
};

struct read_file {
    struct linter l;
    struct diags found;
};

struct file_pass {
    VEC(struct lint_path) paths;
    struct read_file *files; /* of each path */
};

static void lint_one_file(void *arg, size_t i)
{
    const struct file_pass *pass = arg;

    lint_file(&pass->files[i].l, pass->paths.v[i].path, pass->paths.v[i].was_named);
}

#define LINT_JOIN(to, more)                                                                        \
    do {                                                                                           \
        for (size_t join_i = 0; join_i < (more).n; join_i++)                                       \
            vec_push(&(to), (more).v[join_i]);                                                     \
        vec_release(&(more));                                                                      \
    } while (0)

void lint_result_add(struct lint_result *r, const struct lint_result *more)
{
    r->configs += more->configs;
    r->rule_files += more->rule_files;
    r->rules += more->rules;
    r->tests += more->tests;
    r->skipped += more->skipped;
    r->unanswered |= more->unanswered;
}

/* What one file gave goes to the linter of all. */
static void lint_join(struct linter *l, struct linter *one)
{
    diags_join(l->d, one->d);
    vec_push(&l->others, one->arena);
    LINT_JOIN(l->ignores.v, one->ignores.v);
    LINT_JOIN(l->files, one->files);
    LINT_JOIN(l->measures, one->measures);
    LINT_JOIN(l->configs, one->configs);
    lint_result_add(&l->result, &one->result);
}

static void lint_find(struct linter *l, str path, struct file_pass *pass)
{
    struct lint_files files = {0};
    struct stat st;

    if (stat(path.p, &st) != 0)
        cannot(l->d, path, "open");
    else if (S_ISDIR(st.st_mode))
        lint_files_of(path, &l->arena, &files, l->d);
    else
        vec_push(&pass->paths, (struct lint_path){path, true});
    for (size_t i = 0; i < files.n; i++)
        vec_push(&pass->paths, (struct lint_path){files.v[i], false});
    vec_release(&files);
}

static void lint_each_file(struct linter *l, struct file_pass *pass)
{
    pass->files = mem_array(pass->paths.n, sizeof(pass->files[0]));
    for (size_t i = 0; i < pass->paths.n; i++) {
        diags_init(&pass->files[i].found);
        lint_begin(&pass->files[i].l, l->o, &pass->files[i].found);
    }
    spread(l->o->threads, pass->paths.n, lint_one_file, pass);
    for (size_t i = 0; i < pass->paths.n; i++)
        lint_join(l, &pass->files[i].l);
    mem_free(pass->files);
}

/* -- entry -- */

static struct lint_result lint_finish(struct linter *l)
{
    lint_all_rules(l);
    load_configs(l);
    lint_beside(l);
    check_twice_evaluated(l);
    check_duplicates(l);
    for (size_t i = 0; i < l->loaded.n; i++)
        lint_levels_apply(l->loaded.v[i], l->o, l->d);
    for (size_t i = 0; i < l->loaded.n; i++)
        config_unref(l->loaded.v[i]);
    vec_release(&l->loaded);
    vec_release(&l->configs);
    vec_release(&l->files);
    vec_release(&l->measures);
    l->d->wants = NULL;
    ignores_release(&l->ignores);
    for (size_t i = 0; i < l->others.n; i++)
        arena_release(&l->others.v[i]);
    vec_release(&l->others);
    arena_release(&l->arena);
    return l->result;
}

struct lint_result lint_paths(const str *paths, size_t n, const struct lint_options *o,
                              struct diags *d)
{
    struct file_pass pass = {0};
    struct linter l;

    lint_begin(&l, o, d);
    for (size_t i = 0; i < n; i++)
        lint_find(&l, arena_str(&l.arena, paths[i]), &pass);
    lint_each_file(&l, &pass);
    vec_release(&pass.paths);
    return lint_finish(&l);
}

struct lint_result lint_text(str text, str name, const struct lint_options *o, struct diags *d)
{
    struct linter l;

    lint_begin(&l, o, d);
    lint_document(&l, text, name, true);
    return lint_finish(&l);
}

bool lint_fails(const struct diags *d, enum diag_severity fail_on)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].severity >= fail_on)
            return true;
    return d->errors != 0;
}
