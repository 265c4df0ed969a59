/* jira.c - Jira issues. */
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

const struct receiver_type jira_receiver = {
    .name = "jira",
    .config_key = "jira_configs",
    .doc = "Jira issues",
    .conf = &jira_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = jira_check,
};
