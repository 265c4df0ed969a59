#include "slo/slo_file.h"

#include <ctype.h>
#include "promql/promql.h"
#include "schema/schema.h"

enum { WINDOW_MIN_D = 7, WINDOW_MAX_D = 90 };

static const struct conf_key slo_keys[] = {
    CONF_KEY(struct slo, name, CONF_STRING, "name: the label slo, and a part of the alerts' names",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct slo, service, CONF_STRING, "the label service", .flags = CONF_REQUIRED),
    CONF_KEY(struct slo, description, CONF_STRING, "what is promised, for the alerts' texts"),
    CONF_KEY(struct slo, objective, CONF_FLOAT, "so many percent of the events are good",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct slo, window, CONF_DURATION, "over so long, 7d to 90d", .text = "30d"),
    CONF_KEY(struct slo, good, CONF_STRING,
             "counter of good events, or an expression that is good events a second"),
    CONF_KEY(struct slo, error, CONF_STRING, "the same of bad ones, in place of good"),
    CONF_KEY(struct slo, total, CONF_STRING, "the same of all", .flags = CONF_REQUIRED),
    CONF_KEY(struct slo, by, CONF_LABEL_NAMES, "labels that part the events: an alert each"),
    CONF_KEY(struct slo, min_events, CONF_INT, "no alert on fewer events in its longer window",
             .text = "20", .max = 1000000000),
    CONF_KEY(struct slo, labels, CONF_LABEL_MAP, "further labels of what is recorded and told"),
    CONF_KEYS_END,
};
static const struct conf_type slo_type = {.name = "slo",
                                          .doc = "A service level objective.",
                                          .keys = slo_keys,
                                          .size = sizeof(struct slo)};

static const struct conf_key slo_file_keys[] = {
    CONF_KEY(struct slo_file, slos, CONF_LIST, "the objectives", .sub = &slo_type),
    CONF_KEYS_END,
};
const struct conf_type slo_file_type = {.name = "slo_file",
                                        .doc = "What tocsin slo makes rules of.",
                                        .keys = slo_file_keys,
                                        .size = sizeof(struct slo_file)};

/* -- one objective -- */

struct slo_check {
    const struct yaml_doc *doc;
    const struct yaml_node *node; /* of the objective */
    const struct slo *slo;
    struct arena *a;
    struct diags *d;
};

static void slo_complain(const struct slo_check *c, const char *key, const char *id,
                         struct promql_place at, const char *text)
{
    const struct yaml_node *n = yaml_get(c->node, str_of(key));
    struct diag_place place = n == NULL     ? yaml_place(c->doc, c->node)
                              : at.len == 0 ? yaml_place(c->doc, n)
                                            : yaml_place_in(c->doc, n, at.at, at.len);

    diags_add(c->d, DIAG_ERROR, id, place, "%s: %s", key, text);
}

/* What the whole key says is wrong. */
static void slo_refuse(const struct slo_check *c, const char *key, const char *text)
{
    slo_complain(c, key, "C009", (struct promql_place){0}, text);
}

static bool name_is_fine(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && strchr("-_.", name.p[i]) == NULL)
            return false;
    return name.n != 0 && isalpha((unsigned char)name.p[0]);
}

/* llm-first_token: LlmFirstToken */
static str slo_camel(str name, struct arena *a)
{
    char *out = arena_alloc(a, name.n + 1);
    bool starts = true;
    size_t n = 0;

    for (size_t i = 0; i < name.n; i++) {
        unsigned char ch = (unsigned char)name.p[i];

        if (isalnum(ch))
            out[n++] = (char)(starts ? toupper(ch) : ch);
        starts = !isalnum(ch);
    }
    return (str){out, n};
}

static const char *type_problem(const struct promql_expr *x)
{
    if (x->kind == PROMQL_SELECTOR && x->selector.name.n == 0)
        return "a counter with its name expected";
    if (x->type != PROMQL_T_VECTOR)
        return x->kind == PROMQL_RANGE ? "the counter alone expected, without a range"
                                       : "a counter, or an instant vector, expected";
    return NULL;
}

/* Events a second as PromQL; nothing when the text is none, which has been said. */
static str slo_rate(const struct slo_check *c, const char *key, str text)
{
    struct promql_place at = {0};
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(text, &promql_everything, c->a, &at, &e);
    const char *problem = x == NULL ? e.msg : type_problem(x);
    struct buf b = BUF_INIT;
    str out = STR_NONE;

    if (problem != NULL) {
        slo_complain(c, key, x == NULL ? "R005" : "R006", at, problem);
    } else if (x->kind == PROMQL_SELECTOR) {
        buf_adds(&b, "sum");
        for (size_t i = 0; i < c->slo->by.n; i++)
            buf_addf(&b, "%s%.*s", i == 0 ? " by (" : ", ", STR(c->slo->by.v[i]));
        buf_addf(&b, "%s(rate(", c->slo->by.n == 0 ? "" : ") ");
        promql_print(&b, x);
        buf_adds(&b, "[5m]))");
        out = arena_str(c->a, buf_str(&b));
    } else {
        buf_addc(&b, '(');
        promql_print(&b, x);
        buf_addc(&b, ')');
        out = arena_str(c->a, buf_str(&b));
    }
    promql_release(x);
    buf_release(&b);
    return out;
}

static void slo_check_one(const struct slo_check *c, struct slo *s)
{
    if (!name_is_fine(s->name))
        slo_refuse(c, "name", "letters, digits, \"-\", \"_\" and \".\" expected, a letter first");
    if (!(s->objective > 0 && s->objective < 100))
        slo_refuse(c, "objective", "percent above 0 and below 100 expected");
    if (s->window < WINDOW_MIN_D * 24 * NS_PER_H || s->window > WINDOW_MAX_D * 24 * NS_PER_H)
        slo_refuse(c, "window", "7d to 90d expected");
    if (s->min_events < 0)
        slo_refuse(c, "min_events", "it is negative");
    s->total_rate = slo_rate(c, "total", s->total);
    if ((s->good.n == 0) == (s->error.n == 0))
        slo_refuse(c, s->good.n == 0 ? "total" : "good",
                   "there must be one of \"good\" and \"error\" beside it");
    else if (s->good.n != 0)
        s->good_or_error = slo_rate(c, "good", s->good);
    else
        s->good_or_error = slo_rate(c, "error", s->error);
    s->camel = slo_camel(s->name, c->a);
}

static void check_twice(const struct slo_file *f, size_t i, const struct slo_check *c)
{
    for (size_t k = 0; k < i; k++)
        if (str_eq(f->slos.v[i].camel, f->slos.v[k].camel)) {
            slo_refuse(c, "name", "the alerts of another objective are called the same");
            return;
        }
}

bool slo_file_parse(str text, str path, struct arena *a, struct slo_file *out, struct diags *d)
{
    struct yaml_doc *doc = arena_new(a, struct yaml_doc);
    struct conf_run run = {.a = a, .d = d, .mode = MATCHER_FALLBACK};
    struct conf_part part;
    size_t errors = d->errors;

    *out = (struct slo_file){0};
    if (!yaml_parse(text, path, a, doc, d))
        return false;
    part = (struct conf_part){doc, doc->root};
    if (!conf_decode(&run, &part, 1, (struct conf_layer){&slo_file_type, out, NULL}))
        return false;
    if (out->slos.n == 0)
        diags_add(d, DIAG_ERROR, "C003", (struct diag_place){.file = path, .line = 1, .col = 1},
                  "\"slos\" is missing or empty");
    for (size_t i = 0; i < out->slos.n; i++) {
        struct slo *s = &out->slos.v[i];
        struct slo_check c = {doc, yaml_get(doc->root, S("slos"))->items[i], s, a, d};

        slo_check_one(&c, s);
        check_twice(out, i, &c);
    }
    return d->errors == errors;
}
