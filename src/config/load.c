/* Loading is a chain of steps, each of which runs as far as what came before allows, so that one run shows as many
 * problems as can be seen: read files, parse YAML, decode by tables, finish receivers, check the whole, load rules.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include "os/file.h"
#include "base/mem.h"
#include "config/config_priv.h"
#include "net/secret.h"
#include "os/zones.h"

enum { FILES_MAX = 16 };

struct config *config_ref(struct config *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void config_unref(struct config *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (c->route != NULL)
        route_conf_release(c->route);
    for (size_t i = 0; i < c->n_inhibit_rules; i++)
        inhibit_conf_release(&c->inhibit_rules[i]);
    for (size_t i = 0; i < c->web.tokens.n; i++)
        token_conf_release(&c->web.tokens.v[i]);
    for (size_t i = 0; i < c->n_scrapes; i++)
        scrape_conf_release(&c->scrapes[i]);
    alerting_conf_release(&c->alerting);
    remote_write_conf_release(&c->storage.remote_write);
    MAP_EACH (struct str_map_entry, it, &c->zones)
        tz_free(it->value);
    str_map_release(&c->zones);
    str_map_release(&c->core.receiver_by_name);
    messages_free(c->messages);
    if (c->bridge != NULL)
        messages_free(c->bridge->messages);
    rule_texts_unref(c->rule_texts);
    arena_release(&c->arena);
    mem_free(c);
}

const struct receiver_conf *config_receiver(const struct config *c, str name)
{
    for (size_t i = 0; i < c->n_receivers; i++)
        if (str_eq(c->receivers[i].name, name))
            return &c->receivers[i];
    return NULL;
}

const struct source_conf *config_source(const struct config *c, str name)
{
    for (size_t i = 0; i < c->n_sources; i++)
        if (str_eq(c->sources[i].name, name))
            return &c->sources[i];
    return NULL;
}

uint64_t config_hash(const struct config_text *texts, size_t n)
{
    unsigned char md[EVP_MAX_MD_SIZE] = {0};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint64_t hash = 0;

    if (ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1) {
        for (size_t i = 0; i < n; i++)
            EVP_DigestUpdate(ctx, texts[i].text.p != NULL ? texts[i].text.p : "", texts[i].text.n);
        EVP_DigestFinal_ex(ctx, md, NULL);
    }
    EVP_MD_CTX_free(ctx);
    for (int i = 5; i >= 0; i--)
        hash = hash << 8 | md[i];
    return hash;
}

bool config_writes_all(const struct config *c)
{
    return c->storage.history.keep != 0 && str_is(c->storage.history.what, "all");
}

bool config_keeps_all(const struct config *c)
{
    return c->storage.keep_all || config_writes_all(c) ||
           remote_write_wants_all(&c->storage.remote_write);
}

bool config_reads_own(const struct config *c)
{
    for (size_t i = 0; i < c->n_groups; i++)
        if (str_is(c->groups[i].source, "own") && c->groups[i].n_rules != 0)
            return true;
    return config_keeps_all(c);
}

/* -- steps -- */

/* A file of nothing, of comments, or of keys without a value. An empty map is none, but for a key that says all by being
 * there. */
static bool says_nothing(const struct yaml_node *root)
{
    if (yaml_is_null(root))
        return true;
    for (size_t i = 0; root->kind == YAML_MAP && i < root->n; i++) {
        const struct yaml_node *value = root->pairs[i].value;

        if (!yaml_is_null(value) && (value->kind == YAML_SCALAR || value->n != 0 ||
                                     str_is(root->pairs[i].key->text, "push")))
            return false;
    }
    return root->kind == YAML_MAP;
}

/* Alertmanager and Prometheus read with yaml.v2. */
static void tell_clashes(struct conf_run *run, const struct yaml_doc *doc)
{
    for (size_t i = 0; i < doc->n_clashes; i++) {
        const struct yaml_clash *x = &doc->clashes[i];
        struct diag *g = diags_add(run->d, DIAG_WARNING, "C013", yaml_place(doc, x->merge),
                                   "\"<<\" does not override \"%.*s\", as YAML says; for "
                                   "Alertmanager and Prometheus it does, because it stands behind",
                                   STR(x->key->text));

        diag_second(run->d, g, yaml_place(doc, x->key));
        diag_help(run->d, g, "put \"<<\" first: then both agree");
    }
}

static bool load_parse_all(struct conf_run *run, const struct config_text *texts, size_t n,
                           struct conf_part *parts)
{
    struct yaml_doc *docs = arena_array(run->a, n, sizeof(*docs));
    bool ok = true;

    for (size_t i = 0; i < n; i++) {
        if (!yaml_parse(texts[i].text, texts[i].path, run->a, &docs[i], run->d)) {
            ok = false;
            continue;
        }
        parts[i] = (struct conf_part){&docs[i], docs[i].root};
        if (says_nothing(docs[i].root))
            diags_add(run->d, DIAG_ERROR, "C003",
                      (struct diag_place){.file = docs[i].file, .line = 1, .col = 1},
                      "the file says nothing: it is empty, or has only comments and empty keys");
        tell_clashes(run, &docs[i]);
        if (docs[i].more)
            diags_add(run->d, DIAG_WARNING, "C009",
                      (struct diag_place){.file = docs[i].file, .line = 1, .col = 1},
                      "only the first YAML document of the file is read");
    }
    return ok;
}

static void load_take(struct config *c, struct config_top *top)
{
    c->global = top->global.receivers;
    c->resolve_timeout = c->global.resolve_timeout;
    c->route = top->route;
    c->inhibit_rules = top->inhibit_rules.v;
    c->n_inhibit_rules = top->inhibit_rules.n;
    c->templates = top->templates;
    c->sources = top->sources.v;
    c->n_sources = top->sources.n;
    c->rule_files = top->rule_files.v;
    c->n_rule_files = top->rule_files.n;
    c->scrapes = top->scrapes.v;
    c->n_scrapes = top->scrapes.n;
    c->push = top->push;
    c->alerting = top->alerting;
    c->bridge = top->bridge;
    c->recorder = top->recorder;
    c->heartbeat = top->heartbeat;
    c->storage = top->storage;
    c->web = top->web;
    c->rules = top->rules;
    c->lint = top->lint;
    c->core.silences = top->silences;
    c->core.notifications = top->notifications.core;
    c->reads_well = str_is(top->notifications.style, "readable");
    c->storage.keep_all = str_is(top->storage.keep, "all");
}

/* Whoever has events go somewhere relies on it: where they do not, it is said, and nothing is done by halves. */
static void load_check_recorder(struct conf_run *run, struct config *c, bool is_on)
{
    struct recorder_conf *r = c->recorder;

    if (r == NULL)
        return;
    if (r->kafka != NULL && r->kafka->n != 0)
        diag_help(run->d,
                  diags_add(run->d, is_on ? DIAG_ERROR : DIAG_WARNING, is_on ? "C009" : "C007",
                            r->place, "event_recorder.kafka_outputs: events do not go to Kafka"),
                  "post them to a Kafka REST proxy by \"webhook_outputs\", or ship the file of "
                  "\"file_outputs\"");
    if (is_on)
        return;
    diags_add(run->d, DIAG_WARNING, "C007", r->place,
              "event_recorder: no events are recorded without --enable-feature=event-recorder");
    c->recorder = NULL;
}

static bool load_messages(struct conf_run *run, struct config *c, const struct files *files)
{
    c->messages = messages_new(c->global.language, c->global.timezone, c->reads_well, NULL);
    return c->messages != NULL && /* else the zone was complained of where it stands */
           messages_load(c->messages, files, c->templates.v, c->templates.n, run->d);
}

static void keep_original(struct conf_run *run, struct config_top *top, struct config *c)
{
    struct buf text = BUF_INIT;

    conf_print_yaml(&text, &config_top_type, top);
    c->original = arena_str(run->a, buf_str(&text));
    buf_release(&text);
}

static void keep_files(struct conf_run *run, struct config *c, const struct conf_part *parts,
                       size_t n)
{
    c->files = arena_array(run->a, n, sizeof(str));
    for (size_t i = 0; i < n; i++)
        c->files[c->n_files++] = arena_str(run->a, parts[i].doc->file);
}

static bool is_within_reach(const struct config_options *o, str path, str file, struct diags *d)
{
    if (o->may_read == NULL || o->may_read(o->arg, path))
        return true;
    diags_add(d, DIAG_ERROR, "C011", (struct diag_place){.file = file, .line = 1, .col = 1},
              "\"%.*s\" is outside of the folders that can be read since the start: it takes a "
              "restart, or --sandbox=off",
              STR(path));
    return false;
}

/* What is out of reach would be missing without a word: a pattern finds nothing there. */
static bool are_within_reach(const struct config_options *o, const struct conf_run *run,
                             size_t from, str file)
{
    bool ok = true;

    for (size_t i = from; i < run->named.n; i++)
        ok &= is_within_reach(o, run->named.v[i], file, run->d);
    return ok;
}

/* Secrets are read when they are used, so that a change counts at once; but one that is not there now is told now, and not
 * when the first page cannot be sent. */
static void load_check_files(struct conf_run *run)
{
    struct arena a;
    str text;

    arena_init(&a, 0);
    for (const struct conf_file *f = run->files; f != NULL; f = f->next) {
        struct err e = ERR_INIT;

        if (!secret_read((struct secret){.file = f->path}, &a, &text, &e))
            diags_add(run->d, DIAG_WARNING, "C010", f->place, "%.*s: %s", STR(f->key), e.msg);
        else if (text.n == 0)
            diags_add(run->d, DIAG_WARNING, "C010", f->place, "%.*s: '%.*s' is empty", STR(f->key),
                      STR(f->path));
        arena_reset(&a);
    }
    arena_release(&a);
}

static void load_parts(struct conf_run *run, struct config *c, const struct conf_part *parts,
                       size_t n, const struct config_options *o)
{
    str first = n != 0 ? parts[0].doc->file : STR_NONE;
    struct config_top top;
    size_t named;

    conf_decode(run, parts, n, (struct conf_layer){&config_top_type, &top, NULL});
    load_take(c, &top);
    if (!are_within_reach(o, run, 0, first))
        return;
    receivers_finish(run, &top, c);
    named = run->named.n;
    config_load_bridge(run, c, o->files);
    if (!are_within_reach(o, run, named, first))
        return;
    load_check_recorder(run, c, o->records_events);
    config_check(run, &top, c, parts, n, o);
    keep_files(run, c, parts, n);
    if (!load_messages(run, c, o->files))
        return;
    if (!o->without_rules)
        config_load_rules(run, c, o);
    named = run->named.n;
    config_load_scrapes(run, &top, c, o->files);
    (void)are_within_reach(o, run, named, first);
    if (o->n_paths != 0 && !o->without_secrets)
        load_check_files(run);
    keep_original(run, &top, c);
    c->templates_given = run->templates;
    c->named = run->named.v;
    c->n_named = run->named.n;
}

static const struct tz *zone(void *arg, str name, struct err *e)
{
    struct config *c = arg;
    void **known = str_map_get(&c->zones, name);
    struct tz *z = known != NULL ? *known : zone_load(name, e);

    if (known == NULL && z != NULL)
        str_map_put(&c->zones, arena_str(&c->arena, name), z);
    return z;
}

static void load_load(struct conf_run *run, struct config *c, const struct config_text *texts,
                      size_t n, const struct config_options *o)
{
    struct conf_part parts[FILES_MAX] = {0};

    if (n > FILES_MAX) {
        diags_add(run->d, DIAG_ERROR, "C009", (struct diag_place){0},
                  "more than %d configuration files", FILES_MAX);
        return;
    }
    if (!load_parse_all(run, texts, n, parts))
        return;
    load_parts(run, c, parts, n, o);
    c->hash = config_hash(texts, n);
}

static struct conf_run load_begin(const struct config_options *o, struct diags *d)
{
    struct config *c = mem_new(struct config);

    atomic_init(&c->refs, 1);
    arena_init(&c->arena, 0);
    return (struct conf_run){.a = &c->arena,
                             .d = d,
                             .mode = o->mode,
                             .zone = zone,
                             .template_reads = messages_reads,
                             .arg = c};
}

/* errors: that there were before. */
static struct config *load_end(const struct conf_run *run, size_t errors)
{
    struct config *c = run->arg;

    if (run->d->errors == errors) {
        config_fill_core(c);
        return c;
    }
    config_unref(c);
    return NULL;
}

struct config *config_load_texts(const struct config_text *texts, size_t n,
                                 const struct config_options *o, struct diags *d)
{
    struct conf_run run = load_begin(o, d);
    size_t errors = d->errors;

    load_load(&run, run.arg, texts, n, o);
    return load_end(&run, errors);
}

struct config *config_load_tree(const struct yaml_doc *doc, const struct yaml_node *root,
                                const struct config_options *o, struct diags *d)
{
    const struct conf_part part = {doc, root};
    struct conf_run run = load_begin(o, d);
    size_t errors = d->errors;

    load_parts(&run, run.arg, &part, 1, o);
    return load_end(&run, errors);
}

/* -- from disk -- */

enum { TEXT_MAX = 16 << 20 };

/* Given on the command line: it may be a pipe. */
static bool load_read_file(const struct files *files, str path, struct buf *out, struct diags *d)
{
    struct err e = ERR_INIT;

    if (files_read(files, path, FILE_OR_PIPE, TEXT_MAX, out, &e))
        return true;
    diags_add(d, DIAG_ERROR, "Y001", (struct diag_place){.file = path, .line = 1, .col = 1}, "%s",
              e.msg);
    return false;
}

struct config *config_load(const struct config_options *o, struct diags *d)
{
    struct buf *bufs = mem_array(o->n_paths, sizeof(*bufs));
    struct config_text *texts = mem_array(o->n_paths, sizeof(*texts));
    struct config *c = NULL;
    bool ok = true;

    for (size_t i = 0; i < o->n_paths; i++) {
        ok &= is_within_reach(o, o->paths[i], o->paths[i], d) &&
              load_read_file(o->files, o->paths[i], &bufs[i], d);
        texts[i] = (struct config_text){o->paths[i], buf_str(&bufs[i])};
    }
    if (ok)
        c = config_load_texts(texts, o->n_paths, o, d);
    for (size_t i = 0; i < o->n_paths; i++)
        buf_release(&bufs[i]);
    mem_free(texts);
    mem_free(bufs);
    return c;
}

static void read_quietly(const struct files *into, str path)
{
    struct buf text = BUF_INIT;

    (void)!files_read(into, path, FILE_REGULAR, TEXT_MAX, &text, NULL);
    buf_release(&text);
}

static void read_patterns(const struct files *into, const struct conf_strings *patterns,
                          struct arena *a)
{
    for (size_t i = 0; i < patterns->n; i++) {
        str *names;
        size_t n;

        files_glob(into, patterns->v[i], a, &names, &n);
        for (size_t j = 0; j < n; j++)
            read_quietly(into, names[j]);
    }
}

bool config_files_sum(const struct config *c, const str *paths, size_t n, uint64_t *sum)
{
    struct files into = {.into = file_set_new()};
    struct arena a;
    bool ok = true;

    arena_init(&a, 0);
    for (size_t i = 0; i < n && ok; i++) {
        struct buf text = BUF_INIT;

        ok = files_read(&into, paths[i], FILE_REGULAR, TEXT_MAX, &text, NULL);
        buf_release(&text);
    }
    for (size_t i = 0; i < c->n_rule_files && ok; i++)
        read_patterns(&into, &c->rule_files[i].files, &a);
    read_patterns(&into, &c->templates, &a);
    read_patterns(&into, &c->scrape_files, &a);
    if (c->bridge != NULL) {
        read_quietly(&into, c->bridge->config_file);
        read_patterns(&into, &c->bridge->templates, &a);
    }
    *sum = file_set_sum(into.into);
    file_set_free(into.into);
    arena_release(&a);
    return ok;
}
