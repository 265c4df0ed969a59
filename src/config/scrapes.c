/* Jobs: those of the configuration and of scrape_config_files, with what `global` gives to all. */
#include "config/config_priv.h"
#include "os/yaml_file.h"

static const struct conf_key file_keys[] = {
    CONF_KEY_AS("scrape_configs", struct scrape_conf_list, v, CONF_CUSTOM, "targets to scrape",
                .decode = scrape_decode_list, .sub = &scrape_conf_type, .beside = &http_conf_type,
                .json = CONF_JSON_LIST),
    CONF_KEYS_END,
};

static const struct conf_type file_type = {
    .name = "scrape_config_file",
    .doc = "A file of jobs.",
    .keys = file_keys,
    .size = sizeof(struct scrape_conf_list),
};

static void scrapes_append(struct conf_run *run, struct config *c,
                           const struct scrape_conf_list *more)
{
    struct scrape_conf *v =
        arena_copy(run->a, c->scrapes, c->n_scrapes, c->n_scrapes + more->n, sizeof(*v));

    if (more->n != 0)
        memcpy(v + c->n_scrapes, more->v, more->n * sizeof(*v));
    c->scrapes = v;
    c->n_scrapes += more->n;
}

static void scrapes_load_file(struct conf_run *run, const struct files *files,
                              const struct scrape_common *global, struct config *c, str path)
{
    struct yaml_doc *doc = arena_new(run->a, struct yaml_doc);
    struct scrape_conf_list list = {0};
    struct conf_part part;
    struct err e = ERR_INIT;

    if (!yaml_read_file_of(files, path, run->a, doc, run->d, &e)) {
        if (e.code != ERR_NONE)
            diags_add(run->d, DIAG_ERROR, "Y001",
                      (struct diag_place){.file = path, .line = 1, .col = 1}, "%s", e.msg);
        return;
    }
    part = (struct conf_part){doc, doc->root};
    conf_decode(run, &part, 1, (struct conf_layer){&file_type, &list, global});
    scrapes_append(run, c, &list);
}

/* As in Prometheus: a pattern may match nothing yet. */
static void scrapes_load_files(struct conf_run *run, const struct files *files,
                               const struct scrape_common *global, struct config *c)
{
    for (size_t i = 0; i < c->scrape_files.n; i++) {
        str *names;
        size_t n;

        files_glob(files, c->scrape_files.v[i], run->a, &names, &n);
        for (size_t j = 0; j < n; j++)
            scrapes_load_file(run, files, global, c, names[j]);
    }
}

static void scrapes_check_names(struct conf_run *run, const struct config *c)
{
    struct str_map seen = {0};

    for (size_t i = 0; i < c->n_scrapes; i++) {
        struct scrape_conf *s = &c->scrapes[i];
        void **hit;
        bool is_new;

        if (s->job_name.n == 0)
            continue;
        hit = str_map_add(&seen, s->job_name, s, &is_new);
        if (!is_new)
            diag_second(run->d,
                        diags_add(run->d, DIAG_ERROR, "C009", s->place, "job \"%.*s\" stands twice",
                                  STR(s->job_name)),
                        ((const struct scrape_conf *)*hit)->place);
    }
    str_map_release(&seen);
}

/* A job whose targets cannot be found matters when somebody waits for its samples. */
static void check_discovery(struct conf_run *run, const struct config *c,
                            const struct scrape_conf *s)
{
    const struct discovery_conf *d = &s->discovery;
    bool matters = config_reads_own(c);
    struct diag *g;

    if (d->unknown.n == 0)
        return;
    g = diags_add(
        run->d, matters ? DIAG_ERROR : DIAG_WARNING, "C007", d->unknown_place,
        "job \"%.*s\": \"%.*s\" is not known to tocsin, %s", STR(s->job_name), STR(d->unknown),
        matters ? "and rules read what is scraped here" : "its targets are not scraped here");
    diag_help(run->d, g,
              "let something that knows the targets serve them as JSON, and name it in "
              "\"http_sd_configs\"");
}

/* What is pushed is written as often as what is scraped. */
static void load_push(struct conf_run *run, const struct scrape_common *global, struct config *c)
{
    if (c->push == NULL)
        return;
    c->push->interval = global->interval;
    if (c->push->max_age != 0 && c->push->max_age < c->push->interval)
        diags_add(run->d, DIAG_WARNING, "C009", c->push->place,
                  "push: \"max_age\" is shorter than the global \"scrape_interval\": a group may "
                  "end before it is written once");
}

void config_load_scrapes(struct conf_run *run, struct config_top *top, struct config *c,
                         const struct files *files)
{
    c->scrape_files = top->scrape_files;
    scrapes_load_files(run, files, &top->global.scrape, c);
    scrapes_check_names(run, c);
    for (size_t i = 0; i < c->n_scrapes; i++)
        check_discovery(run, c, &c->scrapes[i]);
    load_push(run, &top->global.scrape, c);
}
