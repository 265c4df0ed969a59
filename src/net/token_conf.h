/* token_conf.h - bearer tokens of the API, each for as much as its holder needs; and the proxy that says who somebody is.
 *
 * Owns     text lives in the arena of the configuration; the matchers' regexes are given back by
 *          token_conf_release().
 */
#ifndef NET_TOKEN_CONF_H
#define NET_TOKEN_CONF_H

#include "model/matcher.h"
#include "tocsin/conf.h"

struct token_conf {
    str name;
    struct secret token;
    str scope;                /* "read", "silence", "push", "alerts" or "admin" */
    struct matchers matchers; /* scope silence: only silences that stay within all of these */
};

/* A proxy in front has asked who it is, and says so in a header. What others say there is not looked at. */
struct proxy_auth_conf {
    str user_header; /* empty: there is none */
    str groups_header;
    struct conf_strings trusted; /* cidr.h */
    str scope;
};

struct web_tokens_conf {
    struct proxy_auth_conf proxy_auth;
    CONF_LIST_OF(struct token_conf) tokens;
};

extern const struct conf_type web_tokens_type;

void token_conf_release(struct token_conf *t);

#endif
