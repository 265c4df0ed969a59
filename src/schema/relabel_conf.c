#include "schema/relabel_conf.h"

#include "schema/schema.h"

static bool decode_action(struct conf_in *in, const struct yaml_node *node, void *member)
{
    if (yaml_is_null(node))
        return true;
    if (!conf_want_scalar(in, node))
        return false;
    if (relabel_action_parse(node->text, member))
        return true;
    conf_complain(in, node, DIAG_ERROR, "C001", "unknown relabel action \"%.*s\"", STR(node->text));
    return false;
}

static bool decode_regex(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct regex **regex = member;
    struct err e = ERR_INIT;

    if (yaml_is_null(node))
        return true;
    if (!conf_want_scalar(in, node))
        return false;
    *regex = relabel_regex(node->text, &e);
    if (*regex == NULL)
        conf_complain(in, node, DIAG_ERROR, "C001", "%s", e.msg);
    return *regex != NULL;
}

static void relabel_conf_check(struct conf_check *c, void *obj)
{
    struct relabel_rule *r = obj;
    struct err e = ERR_INIT;

    if (r->regex == NULL)
        r->regex = relabel_regex(S("(.*)"), &e);
    if (!relabel_rule_check(r, &e))
        conf_error(c, NULL, "%s", e.msg);
    else if (relabel_names_nothing(r))
        conf_warn(c, "regex", "does nothing: the regex has no group that \"%.*s\" could be",
                  STR(r->action == RELABEL_LABELMAP ? r->replacement : r->target_label));
}

static const struct conf_key keys[] = {
    CONF_KEY(struct relabel_rule, source_labels, CONF_STRINGS, "labels whose values are joined",
             .flags = CONF_NO_NULLS),
    CONF_KEY(struct relabel_rule, separator, CONF_STRING, "what stands between them", .text = ";"),
    CONF_KEY(struct relabel_rule, regex, CONF_CUSTOM, "what the joined value must match; (.*)",
             .decode = decode_regex, .json = CONF_JSON_TEXT, .flags = CONF_UNPRINTED),
    CONF_KEY(struct relabel_rule, modulus, CONF_INT, "of hashmod"),
    CONF_KEY(struct relabel_rule, target_label, CONF_STRING, "label that is written or compared"),
    CONF_KEY(struct relabel_rule, replacement, CONF_STRING, "new value, with $1 for groups",
             .text = "$1"),
    CONF_KEY(struct relabel_rule, action, CONF_CUSTOM,
             "replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, "
             "lowercase or uppercase",
             .decode = decode_action, .json = CONF_JSON_TEXT, .flags = CONF_UNPRINTED),
    CONF_KEYS_END,
};

const struct conf_type relabel_conf_type = {
    .name = "relabel_config",
    .doc = "A rule that rewrites or drops label sets.",
    .keys = keys,
    .size = sizeof(struct relabel_rule),
    .check = relabel_conf_check,
};
