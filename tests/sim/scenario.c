#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include "codec/duration.h"
#include "model/labels.h"
#include "model/matcher.h"

static bool word(str *line, const char *w)
{
    size_t n = strlen(w);

    if (!str_starts_with(*line, str_of(w)) || (line->n > n && line->p[n] != ' '))
        return false;
    *line = str_trim(str_sub(*line, n, line->n));
    return true;
}

static str next_word(str *line)
{
    str w = str_cut(line, ' ');

    *line = str_trim(*line);
    return w;
}

static bool read_time(str text, ts_ns *out, struct err *e)
{
    bool before = text.n != 0 && text.p[0] == '-';

    if (!duration_parse(str_sub(text, before ? 1 : 0, text.n), out, e))
        return false;
    *out = before ? -*out : *out;
    return true;
}

/* T, or T..T: the second is where it ends, the first again when there is none. */
static bool read_span(str text, ts_ns *from, ts_ns *to, struct err *e)
{
    ptrdiff_t dots = str_find_str(text, S(".."));

    if (dots < 0)
        return read_time(text, from, e) && (*to = *from, true);
    return read_time(str_sub(text, 0, (size_t)dots), from, e) &&
           read_time(str_sub(text, (size_t)dots + 2, text.n), to, e);
}

/* {a="b", c="d"} up to its closing brace; values hold no braces. */
static bool labels(struct scenario *s, str *line, struct labels *out, struct err *e)
{
    ptrdiff_t end = str_find(*line, '}');
    struct matchers ms;
    struct label *v;
    str warning, dup;

    if (line->n == 0 || line->p[0] != '{' || end < 0)
        return err_set(e, ERR_INVALID, "labels in braces are missing");
    if (!matchers_parse(str_sub(*line, 0, (size_t)end + 1), MATCHER_UTF8, &s->arena, &ms, &warning,
                        e))
        return false;
    v = arena_array(&s->arena, ms.n, sizeof(*v));
    for (size_t i = 0; i < ms.n; i++)
        v[i] = (struct label){ms.v[i].name, ms.v[i].value};
    out->v = v;
    out->n = labels_sort(v, ms.n, &dup);
    matchers_release(&ms);
    *line = str_trim(str_sub(*line, (size_t)end + 1, line->n));
    return out->n != SIZE_MAX || err_set(e, ERR_INVALID, "label '%.*s' stands twice", STR(dup));
}

/* [from T] [to T] */
static bool read_times(str *line, struct action *a, struct err *e)
{
    if (word(line, "from") && (a->has_start = true, !read_time(next_word(line), &a->starts_at, e)))
        return false;
    return !word(line, "to") || (a->has_end = true, read_time(next_word(line), &a->ends_at, e));
}

static bool read_post(struct scenario *s, str line, struct action *a, struct err *e)
{
    a->kind = word(&line, "once") ? ACT_POST_ONCE : ACT_POST;
    if (!labels(s, &line, &a->labels, e) || !read_times(&line, a, e) ||
        (word(&line, "with") && !labels(s, &line, &a->annotations, e)))
        return false;
    return line.n == 0 || err_set(e, ERR_INVALID, "what is '%.*s'?", STR(line));
}

static bool read_is(struct scenario *s, str line, struct action *a, struct err *e)
{
    a->kind = ACT_IS;
    if (!labels(s, &line, &a->labels, e) || !word(&line, "is"))
        return err_set(e, ERR_INVALID, "'{labels} is' is missing");
    (void)word(&line, "active");
    if (word(&line, "silenced") && word(&line, "by"))
        a->name = next_word(&line);
    if (word(&line, "inhibited") && word(&line, "by") && !labels(s, &line, &a->by, e))
        return false;
    if (word(&line, "muted") && word(&line, "by"))
        a->text = next_word(&line);
    if (word(&line, "next")) {
        str at = next_word(&line);

        a->has_end = true;
        a->ends_at = a->ends_latest = TS_NONE;
        if (!str_is(at, "never") && !read_span(at, &a->ends_at, &a->ends_latest, e))
            return false;
    }
    return line.n == 0 || err_set(e, ERR_INVALID, "what is '%.*s'?", STR(line));
}

static bool read_silence(struct scenario *s, str line, struct action *a, struct err *e)
{
    ptrdiff_t end = str_find(line, '}');

    (void)s;
    if (end < 0)
        return err_set(e, ERR_INVALID, "matchers in braces are missing");
    a->text = str_sub(line, 0, (size_t)end + 1);
    line = str_trim(str_sub(line, (size_t)end + 1, line.n));
    if (!read_times(&line, a, e))
        return false;
    if (!word(&line, "for") || !duration_parse(next_word(&line), &a->d, e))
        return err_set(e, ERR_INVALID, "'for DURATION' is missing");
    if (word(&line, "as"))
        a->name = line;
    return true;
}

static bool read_sink(str line, struct action *a, struct err *e)
{
    if (line.n != 0 && line.p[0] == '/')
        a->name = next_word(&line);
    a->is_lost = word(&line, "cuts");
    a->status = a->is_lost ? 200 : 0;
    if (!a->is_lost && !word(&line, "answers"))
        return err_set(e, ERR_INVALID, "'answers' is missing");
    if (!a->is_lost && !word(&line, "nothing")) {
        a->status = atoi(line.p);
        next_word(&line);
    }
    return (!word(&line, "retry") || duration_parse(next_word(&line), &a->d, e)) &&
           (!word(&line, "after") || duration_parse(next_word(&line), &a->takes, e));
}

static bool read_source(struct scenario *s, str line, struct action *a, struct err *e)
{
    if (line.n != 0 && line.p[0] == '`') {
        line = str_sub(line, 1, line.n);
        a->text = str_cut(&line, '`');
        line = str_trim(line);
    }
    if (word(&line, "takes")) {
        a->text = S("takes");
        return duration_parse(line, &a->d, e);
    }
    if (line.n == 0 || line.p[0] != '{') {
        a->text = line;
        return true;
    }
    a->kind = ACT_SAMPLE;
    if (!labels(s, &line, &a->labels, e))
        return false;
    a->on = !word(&line, "gone");
    if (a->on && !word(&line, "="))
        return err_set(e, ERR_INVALID, "'{labels} = VALUE' is missing");
    a->value = strtod(line.p, NULL);
    return true;
}

static bool read_reload(str line, struct action *a)
{
    a->kind = ACT_RELOAD;
    a->on = word(&line, "aside");
    a->name = a->on ? STR_NONE : next_word(&line);
    a->on |= word(&line, "aside");
    return true;
}

static bool read_pace(str what, str line, struct action *a, struct err *e)
{
    a->kind = ACT_PACE;
    a->text = what;
    if (!word(&line, "take"))
        return err_set(e, ERR_INVALID, "'take DURATION' is missing");
    return duration_parse(line, &a->d, e);
}

static bool read_action(struct scenario *s, str line, struct action *a, struct err *e)
{
    if (word(&line, "post"))
        return read_post(s, line, a, e);
    if (word(&line, "alert"))
        return read_is(s, line, a, e);
    if (word(&line, "resolve")) {
        a->kind = ACT_RESOLVE;
        return labels(s, &line, &a->labels, e);
    }
    if (word(&line, "silence")) {
        a->kind = ACT_SILENCE;
        return read_silence(s, line, a, e);
    }
    if (word(&line, "expire")) {
        a->kind = ACT_EXPIRE;
        a->name = line;
        return true;
    }
    if (word(&line, "crash")) {
        a->kind = ACT_CRASH;
        return true;
    }
    if (word(&line, "restart")) {
        a->kind = ACT_RESTART;
        return true;
    }
    if (word(&line, "reload"))
        return read_reload(line, a);
    if (word(&line, "jobs"))
        return read_pace(S("jobs"), line, a, e);
    if (word(&line, "commits"))
        return read_pace(S("commits"), line, a, e);
    if (word(&line, "answers"))
        return read_pace(S("answers"), line, a, e);
    if (word(&line, "wall")) {
        a->kind = ACT_WALL;
        if (line.n < 2 || !duration_parse(str_sub(line, 1, line.n), &a->d, e))
            return err_set(e, ERR_INVALID, "'+DURATION' or '-DURATION' is missing");
        a->d = line.p[0] == '-' ? -a->d : a->d;
        return true;
    }
    if (word(&line, "suspend")) {
        a->kind = ACT_SUSPEND;
        return duration_parse(line, &a->d, e);
    }
    if (word(&line, "sink")) {
        a->kind = ACT_SINK;
        return read_sink(line, a, e);
    }
    if (word(&line, "store")) {
        a->kind = ACT_STORE;
        a->on = str_is(line, "works");
        a->is_late = str_is(line, "fails late");
        return true;
    }
    if (word(&line, "source")) {
        a->kind = ACT_SOURCE;
        return read_source(s, line, a, e);
    }
    return err_set(e, ERR_INVALID, "what is '%.*s'?", STR(line));
}

/* l=v+l=v, then @START or @START..END */
static bool read_alert(struct scenario *s, str token, bool resolved, struct expected_alert *out,
                       struct err *e)
{
    str names = str_cut(&token, '@');
    struct label *v = arena_array(&s->arena, names.n, sizeof(*v));
    size_t n = 0;

    while (names.p != NULL && names.n != 0) {
        str pair = str_cut(&names, '+'), value = pair;

        v[n].name = str_cut(&value, '=');
        v[n++].value = value.p == NULL ? S("") : value;
    }
    *out = (struct expected_alert){{v, n}, TS_NONE, TS_NONE, resolved};
    if (token.n == 0)
        return true;
    if (str_find_str(token, S("..")) >= 0)
        return read_span(token, &out->starts_at, &out->ends_at, e);
    return read_time(token, &out->starts_at, e);
}

static bool read_expected(struct scenario *s, str line, struct expected *x, struct err *e)
{
    bool resolved = false;

    if (!read_span(next_word(&line), &x->at, &x->at_latest, e))
        return false;
    x->receiver = next_word(&line);
    if (!labels(s, &line, &x->group, e))
        return false;
    if (line.n != 0 && line.p[0] == '"') {
        line = str_sub(line, 1, line.n);
        x->reason = str_cut(&line, '"');
        line = str_trim(line);
    }
    if (word(&line, "alone"))
        x->checks_shape = true;
    if (word(&line, "digest")) {
        x->checks_shape = true;
        x->in_digest = (size_t)atoi(line.p);
        next_word(&line);
        x->is_late = word(&line, "late");
    }
    if (word(&line, "route") && (x->checks_route = true, !labels(s, &line, &x->route, e)))
        return false;
    while (line.n != 0) {
        str w = next_word(&line);
        struct expected_alert al;

        if (w.n != 0 && w.p[w.n - 1] == ',')
            w.n--;
        if (str_is(w, "firing") || str_is(w, "resolved")) {
            resolved = str_is(w, "resolved");
        } else if (w.n != 0) {
            if (!read_alert(s, w, resolved, &al, e))
                return false;
            vec_push(&x->alerts, al);
        }
    }
    return true;
}

static bool read_line(struct scenario *s, str line, int n, struct err *e)
{
    if (word(&line, "start"))
        return word(&line, "delay") ? duration_parse(line, &s->start_delay, e)
                                    : err_set(e, ERR_INVALID, "'delay DURATION' is missing");
    if (word(&line, "arrivals") && word(&line, "first"))
        return s->arrivals_first = true;
    if (word(&line, "at")) {
        struct action a = {.kind = ACT_END, .line = n};

        if (!duration_parse(next_word(&line), &a.at, e))
            return false;
        if (!read_action(s, line, &a, e))
            return false;
        vec_push(&s->actions, a);
        if (a.at > s->end)
            s->end = a.at;
        return true;
    }
    if (word(&line, "expect")) {
        struct expected x = {.line = n};

        if (word(&line, "nothing"))
            return word(&line, "until") ? duration_parse(line, &x.at, e) &&
                                              (s->end = x.at > s->end ? x.at : s->end, true)
                                        : err_set(e, ERR_INVALID, "'until TIME' is missing");
        if (!read_expected(s, line, &x, e))
            return false;
        vec_push(&s->expected, x);
        if (x.at_latest > s->end)
            s->end = x.at_latest;
        return true;
    }
    return err_set(e, ERR_INVALID, "what is '%.*s'?", STR(line));
}

static int by_time(const void *a, const void *b)
{
    const struct action *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->line - y->line;
}

static bool slurp(const char *path, struct arena *a, str *out, struct err *e)
{
    FILE *f = fopen(path, "rb");
    struct buf b = BUF_INIT;
    char piece[4096];
    size_t n;

    if (f == NULL)
        return err_set(e, ERR_IO, "cannot open '%s'", path);
    while ((n = fread(piece, 1, sizeof(piece), f)) != 0)
        buf_add(&b, (str){piece, n});
    fclose(f);
    *out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return true;
}

/* What was gathered under the name. */
static void add_rules(struct scenario *s, str name, struct buf *text)
{
    if (text->n == 0)
        return;
    vec_push(&s->rules, (struct named_rules){name, arena_str(&s->arena, buf_str(text))});
    buf_clear(text);
}

bool scenario_read(const char *path, struct scenario *s, struct err *e)
{
    struct buf config = BUF_INIT, rules = BUF_INIT, *block = NULL;
    str name = STR_NONE;
    str text, rest;
    bool ok = true;

    *s = (struct scenario){0};
    arena_init(&s->arena, 0);
    if (!slurp(path, &s->arena, &text, e))
        return false;
    rest = text;
    for (int n = 1; ok && rest.p != NULL; n++) {
        str line = str_cut(&rest, '\n');
        bool indented = line.n != 0 && line.p[0] == ' ';

        if (indented && block != NULL) {
            buf_add(block, line);
            buf_addc(block, '\n');
            continue;
        }
        line = str_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        add_rules(s, name, &rules);
        block = NULL;
        if (str_is(line, "config"))
            block = &config;
        else if (word(&line, "rules"))
            name = line, block = &rules;
        if (block == NULL && !read_line(s, line, n, e))
            ok = err_wrap(e, "%s:%d", path, n);
    }
    s->config = arena_str(&s->arena, buf_str(&config));
    add_rules(s, name, &rules);
    buf_release(&config);
    buf_release(&rules);
    if (s->actions.n > 1)
        qsort(s->actions.v, s->actions.n, sizeof(s->actions.v[0]), by_time);
    return ok;
}

void scenario_release(struct scenario *s)
{
    VEC_EACH (struct expected *, x, &s->expected)
        vec_release(&x->alerts);
    vec_release(&s->expected);
    vec_release(&s->actions);
    vec_release(&s->rules);
    arena_release(&s->arena);
}
