#include "net/token_conf.h"

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

static const struct conf_key web_keys[] = {
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
