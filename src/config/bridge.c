/* prometheus-webhook-dingtalk's config.yml, as it is. Its targets become receivers of ours by the tables of ours: an entry of
 * dingtalk_configs is put together of the file's own nodes, so that whatever is wrong is said where it stands. */
#include "config/bridge.h"

#include "base/mem.h"
#include "config/config_priv.h"
#include "tocsin/receiver.h"

enum { BRIDGE_FILE_MAX = 4 << 20 };

static const struct conf_key bridge_keys[] = {
    CONF_KEY(struct bridge_conf, listen_address, CONF_STRING, "where its senders post",
             .text = ":8060"),
    CONF_KEY(struct bridge_conf, config_file, CONF_PATH, "the bridge's config.yml",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct bridge_conf, enable_lifecycle, CONF_BOOL, "POST /-/reload there reloads"),
    CONF_KEYS_END,
};
const struct conf_type bridge_conf_type = {
    .name = "dingtalk_bridge",
    .doc = "Takes the place of prometheus-webhook-dingtalk. Off without this key.",
    .keys = bridge_keys,
    .size = sizeof(struct bridge_conf),
    .place = CONF_AT(struct bridge_conf, place),
};

/* -- the bridge's own file -- */

static const struct conf_key mention_keys[] = {
    CONF_KEY(struct bridge_mention, all, CONF_BOOL, "everybody in the group"),
    CONF_KEY(struct bridge_mention, mobiles, CONF_STRINGS, "phone numbers"),
    CONF_KEYS_END,
};
static const struct conf_type mention_type = {
    .name = "mention", .keys = mention_keys, .size = sizeof(struct bridge_mention)};

static const struct conf_key message_keys[] = {
    CONF_KEY(struct bridge_message, title, CONF_TEMPLATE, "what the phone's notification shows"),
    CONF_KEY(struct bridge_message, text, CONF_TEMPLATE, "text"),
    CONF_KEYS_END,
};
static const struct conf_type message_type = {
    .name = "message", .keys = message_keys, .size = sizeof(struct bridge_message)};

static const struct conf_key target_keys[] = {
    CONF_KEY(struct bridge_target, url, CONF_SECRET_URL, "the robot, with its access_token",
             .flags = CONF_REQUIRED | CONF_NO_FILE),
    CONF_KEY(struct bridge_target, secret, CONF_SECRET, "SEC...: messages are signed",
             .flags = CONF_NO_FILE),
    CONF_KEY(struct bridge_target, mention, CONF_STRUCT, "who is called", .sub = &mention_type),
    CONF_KEY(struct bridge_target, message, CONF_STRUCT, "its texts", .sub = &message_type),
    CONF_KEYS_END,
};
static const struct conf_type target_type = {.name = "target",
                                             .keys = target_keys,
                                             .size = sizeof(struct bridge_target),
                                             .place = CONF_AT(struct bridge_target, place)};

/* ^[a-zA-Z][a-zA-Z0-9\-_]*$ */
static bool target_is_named_well(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && (i == 0 || (!(c >= '0' && c <= '9') && c != '-' && c != '_')))
            return false;
    }
    return name.n != 0;
}

static bool decode_targets(struct conf_in *in, const struct yaml_node *node, void *member)
{
    struct bridge_targets *all = member;
    bool ok = true;

    if (yaml_is_null(node))
        return true;
    if (node->kind != YAML_MAP) {
        conf_complain(in, node, DIAG_ERROR, "C001", "a mapping of targets by name expected");
        return false;
    }
    all->v = arena_array(in->run->a, node->n, sizeof(all->v[0]));
    for (size_t i = 0; i < node->n; i++) {
        struct conf_in item = conf_enter(in, node->pairs[i].key->text);
        struct bridge_target *t = &all->v[all->n++];
        struct conf_layer layer = {&target_type, t, NULL};

        if (!target_is_named_well(node->pairs[i].key->text)) {
            conf_complain(&item, node->pairs[i].key, DIAG_ERROR, "C001",
                          "a target's name begins with a letter and has letters, digits, - and _");
            ok = false;
        }
        ok &= conf_decode_node(&item, node->pairs[i].value, &layer, 1);
        t->name = node->pairs[i].key->text;
    }
    return ok;
}

static const struct conf_key file_keys[] = {
    CONF_KEY(struct bridge_file, timeout, CONF_GO_DURATION, "limit for one request", .text = "5s"),
    CONF_KEY(struct bridge_file, no_builtin_template, CONF_BOOL,
             "built-in templates are there all the same, and give way to those of their names"),
    CONF_KEY_AS("template", struct bridge_file, old_template, CONF_PATH, "use \"templates\""),
    CONF_KEY(struct bridge_file, templates, CONF_PATHS, "patterns of template files"),
    CONF_KEY(struct bridge_file, default_message, CONF_STRUCT, "texts of targets without their own",
             .sub = &message_type),
    CONF_KEY(struct bridge_file, targets, CONF_CUSTOM, "robots, by the name in the address",
             .flags = CONF_REQUIRED, .decode = decode_targets, .sub = &target_type,
             .json = "{\"type\":[\"object\",\"null\"],\"additionalProperties\":@}"),
    CONF_KEYS_END,
};
static const struct conf_type file_type = {.name = "dingtalk_bridge_file",
                                           .doc = "The bridge's own config.yml.",
                                           .keys = file_keys,
                                           .size = sizeof(struct bridge_file)};

bool bridge_file_read(struct conf_run *run, const struct yaml_doc *doc, struct bridge_file *out)
{
    struct conf_part part = {doc, doc->root};
    size_t n = 0;
    str *all;

    if (!conf_decode(run, &part, 1, (struct conf_layer){&file_type, out, NULL}))
        return false;
    if (out->targets.n == 0)
        diags_add(run->d, DIAG_ERROR, "C003",
                  (struct diag_place){.file = doc->file, .line = 1, .col = 1},
                  "no \"targets\": nobody could be told");
    all = arena_array(run->a, out->templates.n + 1, sizeof(*all));
    if (out->old_template.n != 0)
        all[n++] = out->old_template;
    for (size_t i = 0; i < out->templates.n; i++)
        all[n++] = out->templates.v[i];
    out->templates = (struct conf_strings){all, n};
    for (size_t i = 0; i < out->targets.n; i++) {
        struct bridge_message *m = &out->targets.v[i].message;

        if (m->title.n == 0)
            m->title = out->default_message.title;
        if (m->text.n == 0)
            m->text = out->default_message.text;
        if (m->title.n == 0)
            m->title = S("{{ template \"ding.link.title\" . }}");
        if (m->text.n == 0)
            m->text = S("{{ template \"ding.link.content\" . }}");
    }
    return out->targets.n != 0;
}

/* -- its targets as entries of dingtalk_configs -- */

struct bridge_entry {
    struct arena *a;
    const struct yaml_node *at; /* where what is put in counts as standing */
    struct yaml_node map;
    struct yaml_pair pairs[8];
};

static struct yaml_node *bridge_scalar(const struct bridge_entry *e, str text)
{
    struct yaml_node *n = arena_new(e->a, struct yaml_node);

    *n = (struct yaml_node){.kind = YAML_SCALAR,
                            .style = YAML_QUOTED,
                            .start = e->at->start,
                            .end = e->at->end,
                            .text = text};
    return n;
}

static void entry_put(struct bridge_entry *e, const char *key, struct yaml_node *value)
{
    if (value == NULL || yaml_is_null(value))
        return;
    e->pairs[e->map.n++] = (struct yaml_pair){bridge_scalar(e, str_of(key)), value};
}

/* The bridge takes the proxy of the environment. */
static struct yaml_node *http_config(const struct bridge_entry *e)
{
    struct yaml_node *n = arena_new(e->a, struct yaml_node);

    *n = *e->at;
    n->kind = YAML_MAP;
    n->n = 1;
    n->pairs = arena_array(e->a, 1, sizeof(n->pairs[0]));
    n->pairs[0].key = bridge_scalar(e, S("proxy_from_environment"));
    n->pairs[0].value = bridge_scalar(e, S("true"));
    n->pairs[0].value->style = YAML_PLAIN;
    return n;
}

static bool bridge_decode(const struct conf_in *in, const struct yaml_doc *doc,
                          const struct bridge_target *t, struct integration_conf *ic)
{
    extern const struct receiver_type dingtalk_receiver;
    const struct yaml_node *targets = yaml_get(doc->root, S("targets")),
                           *node = yaml_get(targets, t->name);
    struct bridge_entry *e = arena_new(in->run->a, struct bridge_entry);
    bool (*reads)(str text, struct err * e) = in->run->template_reads;
    bool ok;

    e->a = in->run->a;
    e->at = node;
    e->map = *node;
    e->map.kind = YAML_MAP;
    e->map.pairs = e->pairs;
    e->map.n = 0;
    entry_put(e, "url", yaml_get(node, S("url")));
    entry_put(e, "secret", yaml_get(node, S("secret")));
    entry_put(e, "mention", yaml_get(node, S("mention")));
    entry_put(e, "title", bridge_scalar(e, t->message.title));
    entry_put(e, "text", bridge_scalar(e, t->message.text));
    entry_put(e, "timeout", yaml_get(doc->root, S("timeout")));
    if (yaml_is_null(yaml_get(doc->root, S("timeout"))))
        entry_put(e, "timeout", bridge_scalar(e, S("5s")));
    entry_put(e, "http_config", http_config(e));
    in->run->template_reads = NULL; /* they were looked at where they stand */
    ok = receivers_decode_entry(in, &e->map, &dingtalk_receiver, ic);
    in->run->template_reads = reads;
    return ok;
}

static void bridge_add_target(struct conf_run *run, struct config *c, const struct yaml_doc *doc,
                              const struct bridge_target *t)
{
    struct bridge_conf *b = c->bridge;
    struct conf_in top = {.run = run, .doc = doc, .index = -1, .above = &c->global};
    struct conf_in targets = conf_enter(&top, S("targets")), in = conf_enter(&targets, t->name);
    struct receiver_conf *r = &c->receivers[c->n_receivers];
    const struct receiver_conf *other;

    *r = (struct receiver_conf){.name = arena_printf(run->a, "dingtalk/%.*s", STR(t->name)),
                                .is_used = true,
                                .place = t->place};
    other = config_receiver(c, r->name);
    if (other != NULL)
        diag_second(run->d,
                    diags_add(run->d, DIAG_ERROR, "C009", t->place,
                              "the target is a receiver \"%.*s\", and there is one already",
                              STR(r->name)),
                    other->place);
    r->labels.v = arena_array(run->a, 1, sizeof(r->labels.v[0]));
    r->labels.v[r->labels.n++] = (struct conf_pair){S("name"), r->name};
    r->integrations = arena_new(run->a, struct integration_conf);
    if (!bridge_decode(&in, doc, t, r->integrations))
        return;
    r->integrations->messages = b->messages;
    r->n_integrations = 1;
    c->n_receivers++;
    b->targets[b->n_targets] = t->name;
    b->receivers[b->n_targets++] = r->name;
}

static void bridge_add(struct conf_run *run, struct config *c, const struct yaml_doc *doc,
                       const struct bridge_file *f)
{
    struct bridge_conf *b = c->bridge;

    b->targets = arena_array(run->a, f->targets.n, sizeof(str));
    b->receivers = arena_array(run->a, f->targets.n, sizeof(str));
    c->receivers = arena_copy(run->a, c->receivers, c->n_receivers, c->n_receivers + f->targets.n,
                              sizeof(c->receivers[0]));
    for (size_t i = 0; i < f->targets.n; i++)
        bridge_add_target(run, c, doc, &f->targets.v[i]);
}

bool bridge_file_load(struct conf_run *run, str path, const struct files *files,
                      struct yaml_doc *doc, struct bridge_file *out)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok = files_read(files, path, FILE_REGULAR, BRIDGE_FILE_MAX, &text, &e);

    if (!ok)
        diags_add(run->d, DIAG_ERROR, "Y001",
                  (struct diag_place){.file = path, .line = 1, .col = 1}, "%s", e.msg);
    ok = ok && yaml_parse(arena_take(run->a, &text), path, run->a, doc, run->d) &&
         bridge_file_read(run, doc, out);
    buf_release(&text);
    return ok;
}

void config_load_bridge(struct conf_run *run, struct config *c, const struct files *files)
{
    struct bridge_conf *b = c->bridge;
    struct bridge_file *f = arena_new(run->a, struct bridge_file);
    struct yaml_doc *doc = arena_new(run->a, struct yaml_doc);

    if (b == NULL || b->config_file.n == 0 || !bridge_file_load(run, b->config_file, files, doc, f))
        return;
    b->templates = f->templates;
    b->messages = messages_new(c->global.language, c->global.timezone, false, NULL);
    if (b->messages == NULL || /* the zone was complained of where it stands */
        !messages_load(b->messages, files, b->templates.v, b->templates.n, run->d))
        return;
    bridge_add(run, c, doc, f);
}

bool config_bridge_receiver(const struct config *c, str target, str *receiver)
{
    const struct bridge_conf *b = c->bridge;

    for (size_t i = 0; b != NULL && i < b->n_targets; i++)
        if (str_eq(target, b->targets[i])) {
            *receiver = b->receivers[i];
            return true;
        }
    return false;
}
