/* err.h - one spelling for src/; the type is public because receivers use it too. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include "tocsin/err.h"
#endif
