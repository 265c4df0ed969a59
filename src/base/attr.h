/* attr.h - one spelling for src/; the definitions are public because receivers use them too. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H
#include "tocsin/attr.h"
#endif
