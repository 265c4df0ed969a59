/* console.c - prints notifications on the terminal: for trying things out and for development. */
#include "tocsin/buf.h"
#include "tocsin/receiver.h"

struct console_conf {
    char unused; /* there is nothing to set */
};

static const struct conf_key keys[] = {
    CONF_KEYS_END,
};

static const struct conf_type console_conf_type = {
    .name = "console_config",
    .doc = "Messages on the terminal",
    .keys = keys,
    .size = sizeof(struct console_conf),
};

static bool is_group_label(const struct notification *n, str name)
{
    return labels_has(n->group_labels, name);
}

static void add_alert(struct buf *b, const struct delivery *d, const struct notified_alert *a)
{
    const char *on = "", *off = "";
    str summary = labels_get(a->annotations, S("summary"));

    if (d->colour) {
        on = a->is_resolved ? "\033[32m" : "\033[31m";
        off = "\033[0m";
    }
    if (summary.n == 0)
        summary = labels_get(a->annotations, S("description"));
    buf_addf(b, "  %s%s%s ", on, a->is_resolved ? "resolved" : "firing  ", off);
    LABELS_EACH (l, a->labels) {
        if (is_group_label(d->n, l->name))
            continue;
        buf_addc(b, ' ');
        buf_add_shown_line(b, l->name);
        buf_addc(b, '=');
        buf_add_shown_line(b, l->value);
    }
    if (summary.n != 0) {
        buf_adds(b, "  - ");
        buf_add_shown_line(b, summary);
    }
    buf_addc(b, '\n');
}

static enum delivery_verdict console_step(struct delivery *d)
{
    const struct notification *n = d->n;
    struct buf b = BUF_INIT;
    bool first = true;

    buf_addf(&b, "%s[%s:%zu]%s ", d->colour ? "\033[1m" : "",
             n->n_firing != 0 ? "FIRING" : "RESOLVED", n->n_firing != 0 ? n->n_firing : n->n_alerts,
             d->colour ? "\033[0m" : "");
    LABELS_EACH (l, n->group_labels) {
        if (!first)
            buf_addc(&b, ' ');
        first = false;
        buf_add_shown_line(&b, l->value);
    }
    buf_adds(&b, "  -> ");
    buf_add_shown_line(&b, n->receiver);
    buf_addf(&b, "  (%s)\n", notification_why(n));
    for (size_t i = 0; i < n->n_alerts; i++)
        add_alert(&b, d, &n->alerts[i]);
    d->text = arena_str(d->arena, buf_str(&b));
    buf_release(&b);
    return DELIVERY_SEND_TEXT;
}

const struct receiver_type console_receiver = {
    .name = "console",
    .config_key = "console_configs",
    .doc = "Messages on the terminal",
    .conf = &console_conf_type,
    .send_resolved_default = true,
    .is_ours = true,
    .uses_http = false,
    .can = CAN_DIGEST,
    .check = NULL,
    .step = console_step,
};
