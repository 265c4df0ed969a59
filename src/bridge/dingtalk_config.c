#include "bridge/dingtalk_config.h"

#include "codec/duration.h"
#include "config/bridge.h"
#include "notify/messages.h"

static void put_member(struct conf_out *o, const char *key, str value)
{
    if (value.n == 0)
        return;
    conf_print_key(o, str_of(key));
    buf_addc(o->out, ' ');
    conf_print_text(o, value);
    buf_addc(o->out, '\n');
}

static void put_open(struct conf_out *o, const char *key)
{
    conf_print_key(o, str_of(key));
    buf_addc(o->out, '\n');
    o->indent += 2;
}

static void put_mentioned(struct conf_out *o, const struct bridge_mention *m)
{
    if (!m->all && m->mobiles.n == 0)
        return;
    put_open(o, "mention");
    if (m->all) {
        conf_print_key(o, S("all"));
        buf_adds(o->out, " true\n");
    }
    if (m->mobiles.n != 0) {
        conf_print_key(o, S("mobiles"));
        conf_print_strings(o, &m->mobiles);
    }
    o->indent -= 2;
}

static void put_robot(struct conf_out *o, const struct bridge_file *f,
                      const struct bridge_target *t)
{
    struct buf timeout = BUF_INIT;

    conf_print_item(o);
    put_member(o, "name", t->name);
    put_open(o, "dingtalk_configs");
    conf_print_item(o);
    put_member(o, "url", t->url.hidden);
    put_member(o, "secret", t->secret.hidden);
    put_member(o, "title", t->message.title);
    put_member(o, "text", t->message.text);
    put_mentioned(o, &t->mention);
    if (f->timeout > 0) {
        go_duration_print(&timeout, f->timeout);
        put_member(o, "timeout", buf_str(&timeout));
    }
    put_open(o, "http_config");
    conf_print_key(o, S("proxy_from_environment"));
    buf_adds(o->out, " true\n");
    o->indent -= 2;
    conf_print_item_end(o);
    o->indent -= 2;
    conf_print_item_end(o);
    buf_release(&timeout);
}

static void put_robots(struct buf *out, str path, const struct bridge_file *f)
{
    struct conf_out o = {.out = out};

    buf_addf(out,
             "# The robots of %.*s as receivers. Name them in the route in place of the "
             "webhook_configs that\n"
             "# posted to the bridge. The file holds the robots' tokens.\n",
             STR(path));
    if (f->templates.n != 0) {
        conf_print_key(&o, S("templates"));
        conf_print_strings(&o, &f->templates);
    }
    conf_print_key(&o, S("receivers"));
    buf_addc(out, '\n');
    for (size_t i = 0; i < f->targets.n; i++)
        put_robot(&o, f, &f->targets.v[i]);
}

bool dingtalk_config_print(str path, struct buf *out, struct diags *d)
{
    struct bridge_file f = {0};
    struct yaml_doc doc;
    struct arena a;
    struct conf_run run = {.a = &a, .d = d, .template_reads = messages_reads};
    bool ok;

    arena_init(&a, 0);
    ok = bridge_file_load(&run, path, NULL, &doc, &f);
    if (ok)
        put_robots(out, path, &f);
    arena_release(&a);
    return ok;
}
