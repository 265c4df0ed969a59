/* funcs_sprig_refused.c - names of sprig that are refused, and why: what reads the machine, the net or chance would make a
 * message differ from one attempt to the next, or give away what a template's author should not see. */
#include "template/template.h"

#define REFUSED(name, why)                                                                         \
    {                                                                                              \
        name, NULL, NULL, why                                                                      \
    }
#define MACHINE "templates do not read the environment"
#define FILES   "templates know no files"
#define CHANCE  "a message has to come out the same each time that it is rendered"
#define CRYPTO  "templates have no cryptography"
#define NETWORK "templates do not use the network"
#define URLS    "URLs are not taken apart in templates; urlquery escapes text for one"
#define VERSION "versions are not compared in templates"

const struct tmpl_func tmpl_sprig_refused[] = {
    REFUSED("env", MACHINE),
    REFUSED("expandenv", MACHINE),
    REFUSED("base", FILES),
    REFUSED("dir", FILES),
    REFUSED("clean", FILES),
    REFUSED("ext", FILES),
    REFUSED("isAbs", FILES),
    REFUSED("osBase", FILES),
    REFUSED("osDir", FILES),
    REFUSED("osClean", FILES),
    REFUSED("osExt", FILES),
    REFUSED("osIsAbs", FILES),
    REFUSED("getHostByName", NETWORK),
    REFUSED("urlParse", URLS),
    REFUSED("urlJoin", URLS),
    REFUSED("semver", VERSION),
    REFUSED("semverCompare", VERSION),
    REFUSED("randAlphaNum", CHANCE),
    REFUSED("randAlpha", CHANCE),
    REFUSED("randAscii", CHANCE),
    REFUSED("randNumeric", CHANCE),
    REFUSED("randInt", CHANCE),
    REFUSED("randBytes", CHANCE),
    REFUSED("shuffle", CHANCE),
    REFUSED("uuidv4", CHANCE),
    REFUSED("sha1sum", CRYPTO),
    REFUSED("sha256sum", CRYPTO),
    REFUSED("sha512sum", CRYPTO),
    REFUSED("adler32sum", CRYPTO),
    REFUSED("bcrypt", CRYPTO),
    REFUSED("htpasswd", CRYPTO),
    REFUSED("derivePassword", CRYPTO),
    REFUSED("genPrivateKey", CRYPTO),
    REFUSED("buildCustomCert", CRYPTO),
    REFUSED("genCA", CRYPTO),
    REFUSED("genCAWithKey", CRYPTO),
    REFUSED("genSelfSignedCert", CRYPTO),
    REFUSED("genSelfSignedCertWithKey", CRYPTO),
    REFUSED("genSignedCert", CRYPTO),
    REFUSED("genSignedCertWithKey", CRYPTO),
    REFUSED("encryptAES", CRYPTO),
    REFUSED("decryptAES", CRYPTO),
    {NULL, NULL, NULL, NULL},
};
