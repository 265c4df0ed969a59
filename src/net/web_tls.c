#include "net/web_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include "base/buf.h"
#include "base/mem.h"
#include "net/secret.h"

/* -- PEM -- */

static bool web_tls_fail(struct err *e, struct secret s, const char *key, const char *what)
{
    char why[256] = "nothing found";
    unsigned long code = ERR_get_error();

    if (code != 0)
        ERR_error_string_n(code, why, sizeof(why));
    ERR_clear_error();
    return err_set(e, ERR_INVALID, "tls_server_config.%s: %s%s%.*s%s: %s", key, what,
                   s.file.n != 0 ? " '" : "", STR(s.file), s.file.n != 0 ? "'" : "", why);
}

static BIO *open_pem(struct secret s, struct arena *a, const char *key, struct err *e)
{
    str pem;

    if (secret_read(s, a, &pem, e))
        return BIO_new_mem_buf(pem.p, (int)pem.n);
    err_wrap(e, "tls_server_config.%s", key);
    return NULL;
}

static bool use_cert(SSL_CTX *ctx, struct secret s, struct arena *a, struct err *e)
{
    BIO *in = open_pem(s, a, "cert", e);
    X509 *cert;
    bool ok;

    if (in == NULL)
        return false;
    cert = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
    ok = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;
    X509_free(cert);
    if (!ok)
        web_tls_fail(e, s, "cert", "cannot use the certificate");
    while (ok && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        SSL_CTX_add0_chain_cert(ctx, cert);
    ERR_clear_error(); /* the chain ends where no PEM follows */
    BIO_free(in);
    return ok;
}

static bool use_key(SSL_CTX *ctx, struct secret s, struct arena *a, struct err *e)
{
    BIO *in = open_pem(s, a, "key", e);
    EVP_PKEY *key;
    bool ok;

    if (in == NULL)
        return false;
    key = PEM_read_bio_PrivateKey(in, NULL, NULL, (void *)(uintptr_t) ""); /* asks nobody */
    ok =
        key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(in);
    return ok || web_tls_fail(e, s, "key", "cannot use the key");
}

static bool use_client_ca(SSL_CTX *ctx, struct secret s, struct arena *a, struct err *e)
{
    BIO *in = open_pem(s, a, "client_ca", e);
    X509 *ca;
    size_t n = 0;

    if (in == NULL)
        return false;
    for (; (ca = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL; n++) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
        SSL_CTX_add_client_CA(ctx, ca);
        X509_free(ca);
    }
    BIO_free(in);
    if (n == 0)
        return web_tls_fail(e, s, "client_ca", "cannot read authorities");
    ERR_clear_error();
    return true;
}

/* -- client certificates -- */

/* The allowed names, each NUL-terminated, an empty one at the end: the context's own. */
static void free_names(void *parent, void *names, CRYPTO_EX_DATA *ad, int index, long n, void *arg)
{
    (void)parent, (void)ad, (void)index, (void)n, (void)arg;
    mem_free(names);
}

static int names_index(void)
{
    static int index = -1; /* a number of OpenSSL's, taken once by the loop's thread */

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
    return index;
}

static bool has_name(X509 *cert, const char *name)
{
    unsigned char ip[16];

    if (X509_check_host(cert, name, 0,
                        X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                        NULL) == 1 ||
        X509_check_email(cert, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT) == 1)
        return true;
    return (inet_pton(AF_INET, name, ip) == 1 && X509_check_ip(cert, ip, 4, 0) == 1) ||
           (inet_pton(AF_INET6, name, ip) == 1 && X509_check_ip(cert, ip, 16, 0) == 1);
}

static bool has_uri(X509 *cert, const char *name)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(all) && !found; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

        if (g->type == GEN_URI)
            found =
                str_is((str){(const char *)ASN1_STRING_get0_data(g->d.uniformResourceIdentifier),
                             (size_t)ASN1_STRING_length(g->d.uniformResourceIdentifier)},
                       name);
    }
    GENERAL_NAMES_free(all);
    return found;
}

static int web_tls_check_names(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const char *name = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), names_index());

    if (ok == 0 || X509_STORE_CTX_get_error_depth(store) != 0)
        return ok;
    for (; *name != '\0'; name += strlen(name) + 1)
        if (has_name(X509_STORE_CTX_get_current_cert(store), name) ||
            has_uri(X509_STORE_CTX_get_current_cert(store), name))
            return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

static int take_any(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static void set_client_auth(SSL_CTX *ctx, const struct web_tls_conf *conf)
{
    static const struct {
        const char *name;
        int mode;
        bool verifies;
    } types[] = {
        {"NoClientCert", SSL_VERIFY_NONE, false},
        {"RequestClientCert", SSL_VERIFY_PEER, false},
        {"RequireClientCert", SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, false},
        {"RequireAnyClientCert", SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, false},
        {"VerifyClientCertIfGiven", SSL_VERIFY_PEER, true},
        {"RequireAndVerifyClientCert", SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, true},
    };
    struct buf names = BUF_INIT;

    for (size_t i = 0; i < conf->client_allowed_sans.n; i++) {
        buf_add(&names, conf->client_allowed_sans.v[i]);
        buf_addc(&names, '\0');
    }
    buf_addc(&names, '\0');
    SSL_CTX_set_ex_data(ctx, names_index(), names.p); /* taken */
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(conf->client_auth_type, types[i].name))
            SSL_CTX_set_verify(ctx, types[i].mode,
                               !types[i].verifies                 ? take_any
                               : conf->client_allowed_sans.n != 0 ? web_tls_check_names
                                                                  : NULL);
}

/* -- versions, suites, curves -- */

static int version_of(str name, int otherwise)
{
    return str_is(name, "TLS12")   ? TLS1_2_VERSION
           : str_is(name, "TLS13") ? TLS1_3_VERSION
                                   : otherwise;
}

/* No RSA key exchange, whose records a stolen key opens years later, and no CBC, which has leaked before: both are there for
 * whoever names them. */
#define SUITES "ECDHE+AESGCM:ECDHE+CHACHA20:!PSK:!aNULL"

static bool set_suites(SSL_CTX *ctx, const struct conf_strings *suites, struct err *e)
{
    struct buf old = BUF_INIT, tls13 = BUF_INIT;
    bool ok = true;

    for (size_t i = 0; ok && i < suites->n; i++) {
        char name[96];
        const char *own;
        bool is_13 = str_find_str(suites->v[i], S("_WITH_")) < 0;
        struct buf *list = is_13 ? &tls13 : &old;

        snprintf(name, sizeof(name), "%.*s%s", STR(suites->v[i]),
                 str_ends_with(suites->v[i], S("CHACHA20_POLY1305")) ? "_SHA256" : "");
        own = is_13 ? name : OPENSSL_cipher_name(name);
        ok = strcmp(own, "(NONE)") != 0 ||
             err_set(e, ERR_INVALID, "tls_server_config.cipher_suites: unknown suite \"%s\"", name);
        buf_addf(list, "%s%s", list->n != 0 ? ":" : "", own);
    }
    if (old.n == 0)
        buf_adds(&old, SUITES);
    if (ok && (SSL_CTX_set_cipher_list(ctx, buf_z(&old)) != 1 ||
               (tls13.n != 0 && SSL_CTX_set_ciphersuites(ctx, buf_z(&tls13)) != 1)))
        ok = err_set(e, ERR_INVALID, "tls_server_config.cipher_suites: unknown suite in the list");
    buf_release(&old);
    buf_release(&tls13);
    return ok;
}

static bool set_curves(SSL_CTX *ctx, const struct conf_strings *curves, struct err *e)
{
    struct buf list = BUF_INIT;
    bool ok;

    for (size_t i = 0; i < curves->n; i++) {
        str name = curves->v[i];
        bool is_p = str_starts_with(name, S("CurveP"));

        buf_addf(&list, "%s%s%.*s", i != 0 ? ":" : "", is_p ? "P-" : "",
                 STR(str_sub(name, is_p ? 6 : 0, name.n)));
    }
    ok = list.n == 0 || SSL_CTX_set1_groups_list(ctx, buf_z(&list)) == 1 ||
         err_set(e, ERR_INVALID, "tls_server_config.curve_preferences: unknown curve in \"%.*s\"",
                 STR(buf_str(&list)));
    buf_release(&list);
    return ok;
}

static bool web_tls_fill(SSL_CTX *ctx, const struct web_tls_conf *conf, struct arena *a,
                         struct err *e)
{
    SSL_CTX_set_min_proto_version(ctx, version_of(conf->min_version, TLS1_2_VERSION));
    SSL_CTX_set_max_proto_version(ctx, version_of(conf->max_version, 0));
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (conf->prefer_server_cipher_suites)
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* 34 KB an idle connection */
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tocsin", 6);
    set_client_auth(ctx, conf);
    return use_cert(ctx, conf->cert, a, e) && use_key(ctx, conf->key, a, e) &&
           (!secret_is_set(conf->client_ca) || use_client_ca(ctx, conf->client_ca, a, e)) &&
           set_suites(ctx, &conf->cipher_suites, e) && set_curves(ctx, &conf->curve_preferences, e);
}

struct ssl_ctx_st *web_tls_new(const struct web_tls_conf *conf, struct err *e)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct arena a;
    bool ok;

    BUG_ON(ctx == NULL);
    arena_init(&a, 0);
    ok = web_tls_fill(ctx, conf, &a, e);
    ERR_clear_error();
    arena_release(&a);
    if (ok)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}
