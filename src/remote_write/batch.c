#include "remote_write/batch.h"

#include "codec/snappy.h"
#include "model/labels.h"
#include "model/relabel.h"
#include "remote_write/request.h"

void batch_init(struct batch *b, struct spool *spool)
{
    *b = (struct batch){.spool = spool, .since = TS_NONE};
    arena_init(&b->a, 0);
}

static void batch_forget(struct batch *b)
{
    VEC_EACH (struct spool_item *, x, &b->items)
        mem_str_free(x->body);
    vec_clear(&b->items);
    b->since = TS_NONE;
}

void batch_release(struct batch *b)
{
    batch_forget(b);
    vec_release(&b->items);
    buf_release(&b->body);
    arena_release(&b->a);
}

void batch_configure(struct batch *b, const struct remote_write_conf *c, struct labels external,
                     size_t number)
{
    b->conf = c;
    b->external = external;
    b->number = number;
}

/* -- labels -- */

static bool batch_is_plain(const struct batch *b)
{
    return b->external.n == 0 && b->conf->write_relabel_configs.n == 0;
}

/* Empty: they are dropped. */
static str batch_make_labels(struct batch *b, str labels)
{
    struct labels ls = labels_merge(&b->a, b->external, request_labels(labels, &b->a));
    struct buf out = BUF_INIT;

    if (relabel(&b->conf->write_relabel_configs, ls, &b->a, &ls))
        LABELS_EACH (l, ls)
            request_put_label(&out, l->name, l->value);
    ls = LABELS_NONE;
    buf_addc(&out, '\0'); /* so that what is dropped is made, too */
    arena_reset(&b->a);
    return buf_str(&out);
}

static str batch_labels(struct batch *b, struct heard_series *s)
{
    str made;

    if (batch_is_plain(b))
        return s->labels;
    if (s->n_made <= b->number) {
        s->made = mem_resize(s->made, b->number + 1, sizeof(str));
        while (s->n_made <= b->number)
            s->made[s->n_made++] = STR_NONE;
    }
    if (s->made[b->number].n == 0)
        s->made[b->number] = batch_make_labels(b, s->labels);
    made = s->made[b->number];
    return str_sub(made, 0, made.n - 1);
}

/* -- requests -- */

static void batch_close(struct batch *b)
{
    struct buf body = BUF_INIT;

    if (b->item.samples == 0)
        return;
    snappy_compress(&body, buf_str(&b->body));
    b->item.body = buf_str(&body);
    vec_push(&b->items, b->item);
    b->item = (struct spool_item){0};
    buf_clear(&b->body);
}

void batch_put(struct batch *b, const struct heard *x, ts_ns mono)
{
    str labels;

    if (!x->is_rule && !str_is(b->conf->what, "all"))
        return;
    if (x->histogram != NULL && !b->conf->send_native_histograms) {
        b->left_out++;
        return;
    }
    labels = batch_labels(b, x->series);
    if (labels.n == 0)
        return;
    if (b->since == TS_NONE)
        b->since = mono;
    if (b->item.samples == 0)
        b->item.oldest = b->item.newest = x->t;
    request_put_sample(&b->body, labels, x->t, x->slot, x->histogram);
    b->item.samples++;
    b->item.oldest = x->t < b->item.oldest ? x->t : b->item.oldest;
    b->item.newest = x->t > b->item.newest ? x->t : b->item.newest;
    if (b->item.samples == (size_t)b->conf->queue_config.max_samples_per_send)
        batch_close(b);
}

bool batch_step(struct batch *b, ts_ns mono, bool at_once, struct tsdb_log_place place,
                struct err *e)
{
    bool is_due = at_once || b->items.n != 0 || b->since == TS_NONE ||
                  mono - b->since >= b->conf->queue_config.batch_send_deadline;
    bool ok;

    if (!is_due)
        return true;
    batch_close(b);
    ok = spool_append(b->spool, b->items.v, b->items.n, place, e);
    batch_forget(b);
    return ok;
}
