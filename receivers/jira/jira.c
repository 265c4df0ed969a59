/* jira.c - Jira issues. */
#include "tocsin/json.h"
#include "tocsin/receiver.h"

struct jira_conf {
    str api_url, api_type, project, issue_type, priority, reopen_transition, resolve_transition,
        wont_fix_resolution;
    struct conf_value *summary,
        *description; /* a template, or {template, enable_update}; NULL = the default */
    struct conf_strings labels;
    dur_ns reopen_duration;
    struct conf_value *fields;
};

static const char *const api_types[] = {"auto", "cloud", "datacenter", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct jira_conf, api_url, CONF_URL, "address of the API", CONF_GLOBAL(jira_api_url)),
    CONF_KEY(struct jira_conf, api_type, CONF_WORD, "which Jira this is", .text = "auto",
             .words = api_types),
    CONF_KEY(struct jira_conf, project, CONF_TEMPLATE, "project", .flags = CONF_REQUIRED),
    CONF_KEY(struct jira_conf, issue_type, CONF_TEMPLATE, "type of the issue",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct jira_conf, summary, CONF_ANY,
             "title: a template, or {template, enable_update}"),
    CONF_KEY(struct jira_conf, description, CONF_ANY,
             "text: a template, or {template, enable_update}"),
    CONF_KEY(struct jira_conf, labels, CONF_STRINGS, "labels, templates"),
    CONF_KEY(struct jira_conf, priority, CONF_TEMPLATE, "priority",
             .text = "{{ template \"jira.default.priority\" . }}"),
    CONF_KEY(struct jira_conf, reopen_transition, CONF_STRING,
             "transition that opens an issue again"),
    CONF_KEY(struct jira_conf, resolve_transition, CONF_STRING, "transition that closes an issue"),
    CONF_KEY(struct jira_conf, wont_fix_resolution, CONF_STRING,
             "issues with this resolution are left alone"),
    CONF_KEY(struct jira_conf, reopen_duration, CONF_DURATION,
             "how long after closing an issue is opened again"),
    CONF_KEY(struct jira_conf, fields, CONF_ANY_MAP, "further fields"),
    CONF_KEYS_END,
};

static void jira_check_text(const struct conf_value *v, const char *key, struct conf_check *c)
{
    if (v == NULL || (v->kind != CONF_VALUE_MAP && v->kind != CONF_VALUE_LIST))
        return;
    if (v->kind == CONF_VALUE_LIST)
        conf_error(c, key,
                   "a template, or a mapping with \"template\" and \"enable_update\", expected");
    for (size_t i = 0; v->kind == CONF_VALUE_MAP && i < v->n; i++)
        if (!str_is(v->names[i], "template") && !str_is(v->names[i], "enable_update"))
            conf_error(c, key, "unknown key \"%.*s\"", STR(v->names[i]));
}

static void jira_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct jira_conf *j = conf;

    (void)view;
    if (j->api_url.n == 0)
        conf_error(c, NULL,
                   "no address: \"api_url\" is missing here and \"jira_api_url\" in global");
    jira_check_text(j->summary, "summary", c);
    jira_check_text(j->description, "description", c);
}

static const struct conf_type jira_conf_type = {
    .name = "jira_config",
    .doc = "Jira issues",
    .keys = keys,
    .size = sizeof(struct jira_conf),
};

/* -- the requests: search; create, or update; then the transitions, and one of them -- */

enum {
    MAX_SUMMARY = 255,
    MAX_DESCRIPTION = 32767,
    MAX_TRANSITIONS = 64,
    JIRA_FIELDS = 6
}; /* runes */

enum jira_request { JIRA_SEARCH, JIRA_CREATE, JIRA_UPDATE, JIRA_ASK_TRANSITIONS, JIRA_TRANSITION };

struct jira_progress {
    enum jira_request request;
    str issue;    /* its key; empty: none was found */
    bool is_done; /* by its status */
};

/* The address, with more behind its path. */
static str jira_url(struct delivery *d, str path)
{
    const struct jira_conf *j = d->conf;
    str query = j->api_url, base = str_cut(&query, '?');

    while (str_ends_with(base, S("/")))
        base.n--;
    return arena_printf(d->arena, "%.*s/%.*s", STR(base), STR(path));
}

static bool jira_is_v3(const struct jira_conf *j)
{
    return str_ends_with(j->api_url, S("/3")) || str_ends_with(j->api_url, S("/3/"));
}

static bool jira_is_cloud(const struct jira_conf *j)
{
    str rest = j->api_url, host;

    if (!str_is(j->api_type, "auto"))
        return str_is(j->api_type, "cloud");
    (void)str_cut(&rest, '/');
    (void)str_cut(&rest, '/');
    host = str_cut(&rest, '/');
    return str_ends_with(str_cut(&host, ':'), S(".atlassian.net"));
}

/* Jira's cloud searches by version 3 of the API, whichever the rest goes by. */
static str jira_search_url(struct delivery *d)
{
    str url = jira_url(d, STR_NONE);

    if (!jira_is_cloud(d->conf))
        return jira_url(d, S("search"));
    if (str_ends_with(url, S("/2/")) || str_ends_with(url, S("/3/")))
        url.n -= 2;
    else
        return jira_url(d, S("search/jql"));
    return arena_printf(d->arena, "%.*s3/search/jql", STR(url));
}

static enum delivery_verdict jira_send(struct delivery *d, str method, str url, str body,
                                       struct jira_progress at)
{
    static struct http_header headers[] = {{S_INIT("Content-Type"), S_INIT("application/json")},
                                           {S_INIT("Accept-Language"), S_INIT("en")}};
    struct jira_progress *p = arena_new(d->arena, struct jira_progress);

    *p = at;
    d->progress = p;
    d->request = (struct http_request){
        .method = method, .url = url, .headers = {headers, ARRAY_LEN(headers)}, .body = body};
    return DELIVERY_SEND_HTTP;
}

/* A text of JQL: whoever names a project by a label does not search with it. */
static void jira_add_quoted(struct buf *b, str s)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_addc(b, '\\');
        if ((unsigned char)s.p[i] >= ' ')
            buf_addc(b, s.p[i]);
        else
            buf_addf(b, "\\u%04x", (unsigned char)s.p[i]);
    }
    buf_addc(b, '"');
}

static str jira_label(struct delivery *d)
{
    return arena_printf(d->arena, "ALERT{%.*s}", STR(delivery_group_hash(d)));
}

static str jira_query(struct delivery *d, str project)
{
    const struct jira_conf *j = d->conf;
    bool reopens = d->n->n_firing != 0 && j->reopen_transition.n != 0 && j->reopen_duration != 0;
    struct buf b = BUF_INIT;

    if (j->wont_fix_resolution.n != 0) {
        buf_adds(&b, "(resolution is EMPTY or resolution != ");
        jira_add_quoted(&b, j->wont_fix_resolution);
        buf_adds(&b, ") and ");
    }
    if (reopens)
        buf_addf(&b, "(resolutiondate is EMPTY OR resolutiondate >= -%lldm) and ",
                 (long long)(j->reopen_duration / NS_PER_M));
    else
        buf_adds(&b, "statusCategory != Done and ");
    buf_adds(&b, "project=");
    jira_add_quoted(&b, project);
    buf_adds(&b, " and labels=");
    jira_add_quoted(&b, jira_label(d));
    buf_adds(&b, " order by status ASC,resolutiondate DESC");
    return arena_take(d->arena, &b);
}

static enum delivery_verdict jira_search(struct delivery *d)
{
    const struct jira_conf *j = d->conf;
    struct json_writer w;
    struct buf b = BUF_INIT;
    str project;

    if (!delivery_expand(d, j->project, &project))
        return DELIVERY_FAILED;
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("fields"));
    json_put_raw(&w, S("[\"status\"]"));
    json_put_text(&w, "jql", jira_query(d, project));
    json_key(&w, S("maxResults"));
    json_put_u64(&w, 2);
    json_close(&w, '}');
    buf_addc(&b, '\n');
    return jira_send(d, S("POST"), jira_search_url(d), arena_take(d->arena, &b),
                     (struct jira_progress){.request = JIRA_SEARCH});
}

/* -- the fields of an issue -- */

struct jira_fields {
    struct delivery_pair *v; /* values are JSON */
    size_t n;
};

/* value becomes the text of the pair; a name that is there is replaced. */
static void jira_put(struct delivery *d, struct jira_fields *f, str name, struct buf *value)
{
    size_t i = 0;

    while (i < f->n && !str_eq(f->v[i].key, name))
        i++;
    f->v[i] = (struct delivery_pair){name, arena_take(d->arena, value)};
    if (i == f->n)
        f->n++;
}

/* {"inner": value}, or just value. */
static void jira_put_text(struct delivery *d, struct jira_fields *f, const char *name,
                          const char *inner, str value)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, true);
    if (inner != NULL) {
        json_open(&w, '{');
        json_put_text(&w, inner, value);
        json_close(&w, '}');
    } else {
        json_put_str(&w, value);
    }
    jira_put(d, f, str_of(name), &b);
}

/* What is configured for a text that may be told not to be updated. */
static str jira_template(const struct conf_value *v, const char *otherwise, bool *updates)
{
    str text = v != NULL && v->kind != CONF_VALUE_MAP ? v->s : str_of(otherwise);

    *updates = true;
    for (size_t i = 0; v != NULL && v->kind == CONF_VALUE_MAP && i < v->n; i++) {
        if (str_is(v->names[i], "template"))
            text = v->items[i].s;
        else if (v->items[i].kind == CONF_VALUE_BOOL)
            *updates = v->items[i].b;
    }
    return text;
}

/* [~name] calls a user of Jira's own markup. */
static str jira_without_mentions(struct delivery *d, str s)
{
    return delivery_replace(d, s, S("[~"), S("\\[~"));
}

/* Version 3 wants a document: a paragraph a line. */
static void jira_put_document(struct delivery *d, struct json_writer *w, str text)
{
    if (delivery_put_json(d, w, text))
        return;
    text = delivery_truncate_runes(d, text, MAX_DESCRIPTION);
    json_open(w, '{');
    json_put_text(w, "type", S("doc"));
    json_key(w, S("version"));
    json_put_u64(w, 1);
    json_key(w, S("content"));
    json_open(w, '[');
    while (text.n != 0) {
        str line = str_cut(&text, '\n');
        struct buf b = BUF_INIT;

        if (str_trim(line).n == 0)
            continue;
        json_put_raw(w, S("{\"type\":\"paragraph\",\"content\":[{\"type\":\"text\",\"text\":"));
        buf_add_json_str(&b, line);
        buf_adds(&b, "}]}");
        buf_add(w->out, buf_str(&b));
        buf_release(&b);
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void jira_put_description(struct delivery *d, struct jira_fields *f, str template)
{
    const struct jira_conf *j = d->conf;
    const struct notification *n = d->n;
    struct buf b = BUF_INIT;
    struct json_writer w;
    str text;

    if (jira_is_v3(j)) {
        json_writer_init(&w, &b, true);
        jira_put_document(d, &w, delivery_say(d, template, false));
        jira_put(d, f, S("description"), &b);
        return;
    }
    delivery_change_labels(d, jira_without_mentions);
    text = delivery_truncate_runes(d, delivery_say(d, template, false), MAX_DESCRIPTION);
    d->n = n;
    jira_put_text(d, f, "description", NULL, text);
}

static void jira_put_labels(struct delivery *d, struct jira_fields *f)
{
    const struct jira_conf *j = d->conf;
    struct delivery_pair *v = arena_array(d->arena, j->labels.n + 1, sizeof(*v));
    struct buf b = BUF_INIT;
    struct json_writer w;

    for (size_t i = 0; i < j->labels.n; i++)
        v[i].key = delivery_say(d, j->labels.v[i], false);
    v[j->labels.n].key = jira_label(d);
    delivery_sort_pairs(v, j->labels.n + 1);
    json_writer_init(&w, &b, true);
    json_open(&w, '[');
    for (size_t i = 0; i <= j->labels.n; i++)
        json_put_str(&w, v[i].key);
    json_close(&w, ']');
    jira_put(d, f, S("labels"), &b);
}

static void jira_put_own(struct delivery *d, struct jira_fields *f)
{
    const struct conf_value *own = ((const struct jira_conf *)d->conf)->fields;

    for (size_t i = 0; own != NULL && i < own->n; i++) {
        struct buf b = BUF_INIT;
        struct json_writer w;

        json_writer_init(&w, &b, true);
        delivery_put_value(d, &w, &own->items[i]);
        jira_put(d, f, delivery_say(d, own->names[i], false), &b);
    }
}

static str jira_fields_text(struct delivery *d, struct jira_fields *f)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    delivery_sort_pairs(f->v, f->n);
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("fields"));
    json_open(&w, '{');
    for (size_t i = 0; i < f->n; i++) {
        json_key(&w, f->v[i].key);
        json_put_raw(&w, f->v[i].value);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    buf_addc(&b, '\n');
    return arena_take(d->arena, &b);
}

/* False: d->err says which template it is that the issue cannot be without. */
static bool jira_body(struct delivery *d, bool is_new, str *out)
{
    const struct jira_conf *j = d->conf;
    const struct delivery_member priority = {"", j->priority, .instead = ""};
    size_t own = j->fields != NULL ? j->fields->n : 0;
    struct jira_fields f = {.v = arena_array(d->arena, JIRA_FIELDS + own, sizeof(*f.v))};
    bool has_summary, has_description;
    str summary =
        jira_template(j->summary, "{{ template \"jira.default.summary\" . }}", &has_summary);
    str description = jira_template(j->description, "{{ template \"jira.default.description\" . }}",
                                    &has_description);
    str project, type, urgency = delivery_member_text(d, &priority);

    if (!delivery_expand(d, j->project, &project) || !delivery_expand(d, j->issue_type, &type))
        return false;
    jira_put_text(d, &f, "project", "key", project);
    jira_put_text(d, &f, "issuetype", "name", type);
    if (is_new || has_summary)
        jira_put_text(d, &f, "summary", NULL,
                      delivery_truncate_runes(d, delivery_say(d, summary, false), MAX_SUMMARY));
    if (is_new || has_description)
        jira_put_description(d, &f, description);
    jira_put_labels(d, &f);
    if (urgency.n != 0)
        jira_put_text(d, &f, "priority", "name", urgency);
    jira_put_own(d, &f);
    *out = jira_fields_text(d, &f);
    return true;
}

/* -- the answers -- */

static str jira_issue_url(struct delivery *d, str key, const char *more)
{
    return jira_url(d, arena_printf(d->arena, "issue/%.*s%s", STR(delivery_escape_path(d, key)),
                                    more));
}

static enum delivery_verdict jira_write(struct delivery *d, struct jira_progress at)
{
    bool is_new = at.issue.n == 0;
    str body;

    if (is_new && d->n->n_firing == 0)
        return DELIVERY_OK; /* it is closed, or never was there */
    if (!jira_body(d, is_new, &body))
        return DELIVERY_FAILED;
    at.request = is_new ? JIRA_CREATE : JIRA_UPDATE;
    if (is_new)
        return jira_send(d, S("POST"), jira_url(d, S("issue")), body, at);
    return jira_send(d, S("PUT"), jira_issue_url(d, at.issue, ""), body, at);
}

/* The member of a member of ... an object. */
static str jira_read(struct delivery *d, str json, const char *const *path)
{
    for (; *path != NULL; path++) {
        str value;

        if (!delivery_json_read(d, json, path, &value, 1))
            return STR_NONE;
        json = value;
    }
    return json;
}

static enum delivery_verdict jira_found(struct delivery *d)
{
    static const char *const key[] = {"key", NULL};
    static const char *const category[] = {"fields", "status", "statusCategory", "key", NULL};
    static const char *const names[] = {"issues"};
    struct jira_progress at = {.request = JIRA_SEARCH};
    str issue, has;

    if (!delivery_answer_read(d, names, &has, 1)) {
        err_set(&d->err, ERR_IO, "not an answer of Jira: %.*s",
                STR(str_sub(d->answer->body, 0, 200)));
        return DELIVERY_RETRY;
    }
    if (delivery_answer_list(d, "issues", &issue, 1) != 0) {
        at.issue = jira_read(d, issue, key);
        at.is_done = str_is(jira_read(d, issue, category), "done");
    }
    return jira_write(d, at);
}

/* What opens it again when it fires, or closes it when that has ended; empty: it stays as it is. */
static str jira_wanted(const struct delivery *d, const struct jira_progress *p)
{
    const struct jira_conf *j = d->conf;
    bool fires = d->n->n_firing != 0;

    if (fires != p->is_done)
        return STR_NONE;
    return fires ? j->reopen_transition : j->resolve_transition;
}

static enum delivery_verdict jira_updated(struct delivery *d, const struct jira_progress *p)
{
    struct jira_progress at = *p;

    if (jira_wanted(d, p).n == 0)
        return DELIVERY_OK;
    at.request = JIRA_ASK_TRANSITIONS;
    return jira_send(d, S("GET"), jira_issue_url(d, p->issue, "/transitions"), STR_NONE, at);
}

static enum delivery_verdict jira_move(struct delivery *d, const struct jira_progress *p)
{
    static const char *const names[] = {"id", "name"};
    struct jira_progress at = *p;
    str v[MAX_TRANSITIONS], wanted = jira_wanted(d, p), said[ARRAY_LEN(names)];
    size_t n = delivery_answer_list(d, "transitions", v, MAX_TRANSITIONS);

    for (size_t i = 0; i < n && i < MAX_TRANSITIONS; i++) {
        struct buf b = BUF_INIT;

        if (!delivery_json_read(d, v[i], names, said, ARRAY_LEN(names)) || !str_eq(said[1], wanted))
            continue;
        buf_adds(&b, "{\"transition\":{\"id\":");
        buf_add_json_str(&b, said[0]);
        buf_adds(&b, "}}\n");
        at.request = JIRA_TRANSITION;
        return jira_send(d, S("POST"), jira_issue_url(d, p->issue, "/transitions"),
                         arena_take(d->arena, &b), at);
    }
    d->failure = FAILURE_CLIENT;
    err_set(&d->err, ERR_NOT_FOUND,
            "the issue %.*s is updated and stays open or closed: it has no transition \"%.*s\" "
            "now, see "
            "\"%s_transition\"",
            STR(p->issue), STR(wanted), d->n->n_firing != 0 ? "reopen" : "resolve");
    return DELIVERY_FAILED;
}

static enum delivery_verdict jira_refused(struct delivery *d, enum delivery_verdict v)
{
    static const char *const names[] = {"errorMessages", "errors"};
    str said[ARRAY_LEN(names)];

    if (d->lost || !delivery_answer_read(d, names, said, ARRAY_LEN(names)))
        said[0] = said[1] = STR_NONE;
    if (said[0].n + said[1].n != 0)
        err_set(&d->err, ERR_IO, "unexpected status code %d: %.*s %.*s", d->answer->status,
                STR(str_sub(said[0], 0, 300)), STR(str_sub(said[1], 0, 300)));
    if (v == DELIVERY_FAILED && d->failure == FAILURE_AUTH)
        delivery_advise(
            d, "the credentials of \"http_config\" are wrong, or may not do this in the project");
    if (v == DELIVERY_FAILED && d->answer->status == 404)
        delivery_advise(
            d, "\"api_url\" is not that of Jira's API (.../rest/api/2), or the issue is gone");
    return v;
}

static enum delivery_verdict jira_judge(struct delivery *d)
{
    const struct jira_progress *p = d->progress;
    enum delivery_verdict v = delivery_judge_whole(d);

    if (v != DELIVERY_OK)
        return jira_refused(d, v);
    switch (p->request) {
    case JIRA_SEARCH: return jira_found(d);
    case JIRA_UPDATE: return jira_updated(d, p);
    case JIRA_ASK_TRANSITIONS: return jira_move(d, p);
    case JIRA_CREATE:
    case JIRA_TRANSITION: break;
    }
    return DELIVERY_OK;
}

static enum delivery_verdict jira_step(struct delivery *d)
{
    return d->answer != NULL ? jira_judge(d) : jira_search(d);
}

const struct receiver_type jira_receiver = {
    .name = "jira",
    .config_key = "jira_configs",
    .doc = "Jira issues",
    .conf = &jira_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .can = CAN_EDIT,
    .pace = {.runes = MAX_DESCRIPTION},
    .check = jira_check,
    .step = jira_step,
};
