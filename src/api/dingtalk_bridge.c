/* The DingTalk bridge's place: prometheus-webhook-dingtalk's addresses on a listener of their own, for an Alertmanager whose
 * webhook_configs point there. A message is read on a worker, goes to the outbox (core/relay.h), and is answered 200 when it
 * is on the disk; then order, rate and attempts are ours. What cannot be kept is answered 503, which Alertmanager tries again;
 * 429 it would not. */
#include "api/api_priv.h"

#include "api/webhook_body.h"
#include "base/hash.h"
#include "os/log.h"

enum { BRIDGE_BODY_MAX = 16 << 20, GROUP_KEY_MAX = 2048 };

static void bridge_send(struct http_req *rq, void *arg);
static void bridge_reload(struct http_req *rq, void *arg);
static void bridge_ok(struct http_req *rq, void *arg);

static const struct http_route bridge_routes[] = {
    {HTTP_POST, "/dingtalk/{id}/send", BRIDGE_BODY_MAX, bridge_send, "/dingtalk/send",
     "a message of Alertmanager's webhook, for a DingTalk robot"},
    {HTTP_GET, "/-/healthy", 0, bridge_ok, "/dingtalk/healthy", "alive"},
    {HTTP_GET, "/-/ready", 0, bridge_ok, "/dingtalk/ready", "ready"},
    {HTTP_POST | HTTP_PUT, "/-/reload", 1 << 20, bridge_reload, "/dingtalk/reload",
     "reads the configuration again, with enable_lifecycle"},
    {0},
};

static void bridge_ok(struct http_req *rq, void *arg)
{
    (void)arg;
    http_reply(rq, 200, S("text/plain; charset=utf-8"), S("OK"));
}

static void bridge_refuse(struct http_req *rq, int status, str why)
{
    http_reply(rq, status, S("text/plain; charset=utf-8"), why);
}

/* -- a message -- */

struct bridge_post {
    struct http_later later;
    struct api *api;
    str body, receiver;
    struct notification n;
    bool is_read;
    struct err err;
};

static void bridge_read(struct http_later *l)
{
    struct bridge_post *p = container_of(l, struct bridge_post, later);

    p->is_read = webhook_body_read(p->body, &l->arena, &p->n, &p->err);
}

static void bridge_free(struct http_later *l)
{
    mem_free(container_of(l, struct bridge_post, later));
}

/* What tells one sender's groups from another's and from our own. Who names no group says something by itself. */
static str bridge_group_key(struct bridge_post *p)
{
    const struct notification *n = &p->n;
    str group = n->group_key;

    if (group.n == 0)
        group = arena_printf(&p->later.arena, "#%016llx", (unsigned long long)hash_xxh64(p->body));
    else if (group.n + n->from_url.n + n->from_receiver.n > GROUP_KEY_MAX)
        return arena_printf(&p->later.arena, "bridge #%016llx %016llx %016llx",
                            (unsigned long long)hash_xxh64(n->from_url),
                            (unsigned long long)hash_xxh64(n->from_receiver),
                            (unsigned long long)hash_xxh64(group));
    return arena_printf(&p->later.arena, "bridge %.*s %.*s %.*s", STR(n->from_url),
                        STR(n->from_receiver), STR(group));
}

static void bridge_kept(void *arg, bool ok, const struct err *e)
{
    struct bridge_post *p = arg;
    struct http_req *rq = http_later_take(&p->later);

    if (rq != NULL && ok)
        bridge_ok(rq, NULL);
    else if (rq != NULL)
        bridge_refuse(rq, 503, arena_printf(&p->later.arena, "not on the disk: %s\n", e->msg));
    http_later_free(&p->later);
}

/* The post has one life more, until the disk has it. */
static void bridge_take(struct http_later *l)
{
    struct bridge_post *read = container_of(l, struct bridge_post, later), *p;
    struct http_req *rq = http_later_take(l);
    struct event ev = {.kind = EVENT_RELAY, .relay = &read->n};
    struct event_result r = {0};

    if (!read->is_read) {
        bridge_refuse(rq, 400, str_of(read->err.msg));
        return;
    }
    read->n.receiver = read->receiver;
    read->n.group_key = bridge_group_key(read);
    read->n.decided_at = shell_clock(read->api->conf.shell)->now.wall;
    shell_event(read->api->conf.shell, &ev, &r);
    if (!r.ok) {
        log_warn("a message for DingTalk cannot be kept", LOG_STR("receiver", read->receiver),
                 LOG_ERR(&r.err));
        bridge_refuse(rq, r.err.code == ERR_NOT_FOUND ? 404 : 503, str_of(r.err.msg));
        return;
    }
    p = mem_new(struct bridge_post);
    http_later_begin(&p->later, l->of, 0);
    p->later.free = bridge_free;
    http_later_wait(&p->later, rq);
    shell_after_commit(read->api->conf.shell, bridge_kept, p);
}

static void bridge_send(struct http_req *rq, void *arg)
{
    struct api *a = arg;
    const struct config *c = config_of(a->engine->conf);
    struct bridge_post *p;
    str receiver;

    if (!config_bridge_receiver(c, rq->wildcard, &receiver)) {
        bridge_refuse(rq, 404, S("there is no such target in the bridge's configuration\n"));
        return;
    }
    p = mem_new(struct bridge_post);
    http_later_begin(&p->later, &a->laters, 0);
    p->api = a;
    p->body = arena_str(&p->later.arena, rq->body);
    p->receiver = arena_str(&p->later.arena, receiver);
    p->later.run = bridge_read;
    p->later.answer = bridge_take;
    p->later.free = bridge_free;
    http_later_run(&p->later, rq, WORK_SOURCE);
}

/* -- the rest -- */

static void bridge_reload(struct http_req *rq, void *arg)
{
    const struct api *a = arg;
    const struct config *c = config_of(a->engine->conf);

    if (c->bridge == NULL || !c->bridge->enable_lifecycle) {
        bridge_refuse(rq, 403, S("\"enable_lifecycle\" of \"dingtalk_bridge\" is off\n"));
        return;
    }
    api_post_reload(rq, arg);
}

static bool bridge_listen(struct api *a, const struct bridge_conf *conf, struct err *e)
{
    struct http_server_conf sc = {
        .bodies = a->conf.budgets != NULL ? &a->conf.budgets->bodies : NULL,
        .routes = bridge_routes,
        .arg = a,
        .max_connections = 256,
        .answer_timeout = a->conf.answer_timeout,
        .observe = api_observe,
    };
    struct http_server *s =
        http_server_new(loop_base(a->conf.loop), shell_clock(a->conf.shell), &sc);
    struct buf bound = BUF_INIT;
    bool ok = http_server_listen(s, conf->listen_address, &bound, e);

    if (ok) {
        log_info("taking messages for DingTalk on", LOG_STR("address", buf_str(&bound)),
                 LOG_I64("targets", conf->n_targets));
        api_close_bridge(a);
        a->bridge = s;
        a->bridge_address = mem_str_dup(conf->listen_address);
    } else {
        http_server_free(s);
    }
    buf_release(&bound);
    return ok;
}

bool api_use_bridge(struct api *a, const struct config *c, struct err *e)
{
    if (c->bridge == NULL) {
        api_close_bridge(a);
        return true;
    }
    return (a->bridge != NULL && str_eq(a->bridge_address, c->bridge->listen_address)) ||
           bridge_listen(a, c->bridge, e) ||
           err_wrap(e, "dingtalk_bridge: '%.*s'", STR(c->bridge->listen_address));
}

void api_close_bridge(struct api *a)
{
    if (a->bridge == NULL)
        return;
    http_server_close(a->bridge);
    http_server_free(a->bridge);
    mem_str_free(a->bridge_address);
    a->bridge = NULL;
    a->bridge_address = STR_NONE;
}
