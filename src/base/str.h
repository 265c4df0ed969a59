/* str.h - one spelling for src/; the type is public because receivers use it too. */
#ifndef BASE_STR_H
#define BASE_STR_H
#include "tocsin/str.h"
#endif
