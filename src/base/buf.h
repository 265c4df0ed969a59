/* buf.h - one spelling for src/; the type is public because receivers use it too. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "tocsin/buf.h"
#endif
