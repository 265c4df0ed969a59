/* diags.h - one spelling for src/; the type is public because receivers use it too. */
#ifndef BASE_DIAGS_H
#define BASE_DIAGS_H
#include "tocsin/diags.h"
#endif
