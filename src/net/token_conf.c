#include "net/token_conf.h"

#include "net/cidr.h"
#include "net/http_parse.h"

static const char *const scopes[] = {"read", "silence", "push", "alerts", "admin", NULL};

static void check_token(struct conf_check *c, void *obj)
{
    const struct token_conf *t = obj;

    if (!secret_is_set(t->token))
        conf_error(c, NULL, "\"token\" or \"token_file\" is missing");
    if (t->matchers.n != 0 && !str_is(t->scope, "silence"))
        conf_error(c, "matchers", "only a token with scope \"silence\" has matchers");
}

static const struct conf_key token_keys[] = {
    CONF_KEY(struct token_conf, name, CONF_STRING, "who holds it, for the log",
             .flags = CONF_REQUIRED),
    CONF_KEY(struct token_conf, token, CONF_SECRET, "what the holder sends"),
    CONF_KEY(struct token_conf, scope, CONF_WORD,
             "read: what changes nothing, queries too; silence: also silences; push: also "
             "metrics; alerts: posts alerts and does nothing else; admin: everything",
             .text = "read", .words = scopes),
    CONF_KEY(struct token_conf, matchers, CONF_MATCHERS,
             "what the holder's silences may not reach beyond"),
    CONF_KEYS_END,
};

static const struct conf_type token_type = {
    .name = "token",
    .doc = "A bearer token of the API.",
    .keys = token_keys,
    .size = sizeof(struct token_conf),
    .check = check_token,
};

static void check_proxy(struct conf_check *c, void *obj)
{
    const struct proxy_auth_conf *p = obj;
    struct err e = ERR_INIT;

    if (p->user_header.n == 0 && p->groups_header.n == 0 && p->trusted.n == 0)
        return;
    if (p->user_header.n == 0)
        conf_error(c, NULL, "\"user_header\" is missing");
    if (p->trusted.n == 0)
        conf_error(c, NULL, "\"trusted\" is missing: whom to believe");
    if (p->user_header.n != 0 && !http_is_token(p->user_header))
        conf_error(c, "user_header", "it is no name of a header");
    if (p->groups_header.n != 0 && !http_is_token(p->groups_header))
        conf_error(c, "groups_header", "it is no name of a header");
    for (size_t i = 0; i < p->trusted.n; i++)
        if (!cidr_check(p->trusted.v[i], &e))
            conf_error(c, "trusted", "%s", e.msg);
}

static const char *const proxy_scopes[] = {"read", "silence", "admin", NULL};

static const struct conf_key proxy_keys[] = {
    CONF_KEY(struct proxy_auth_conf, user_header, CONF_STRING,
             "the header that has the person's name"),
    CONF_KEY(struct proxy_auth_conf, groups_header, CONF_STRING,
             "the header that has his groups, for the page"),
    CONF_KEY(struct proxy_auth_conf, trusted, CONF_STRINGS,
             "who is believed: addresses, with /BITS, or \"unix\" for a Unix socket"),
    CONF_KEY(struct proxy_auth_conf, scope, CONF_WORD,
             "what he may do: read, silence or admin, as of tokens", .text = "admin",
             .words = proxy_scopes),
    CONF_KEYS_END,
};

static const struct conf_type proxy_type = {
    .name = "proxy_auth",
    .doc = "A proxy in front that has asked who it is. He is the creator of what he silences.",
    .keys = proxy_keys,
    .size = sizeof(struct proxy_auth_conf),
    .check = check_proxy,
};

static const struct conf_key web_keys[] = {
    CONF_KEY(struct web_tokens_conf, proxy_auth, CONF_STRUCT, "a proxy that says who somebody is",
             .sub = &proxy_type),
    CONF_KEY(struct web_tokens_conf, tokens, CONF_LIST, "who may use the API", .sub = &token_type),
    CONF_KEYS_END,
};

const struct conf_type web_tokens_type = {
    .name = "web",
    .doc = "Access to the API. Without tokens and without users in --web.config.file it is open.",
    .keys = web_keys,
    .size = sizeof(struct web_tokens_conf),
};

void token_conf_release(struct token_conf *t)
{
    matchers_release(&t->matchers);
}
