/* time.h - one spelling for src/; the types are public because receivers use them too. */
#ifndef BASE_TIME_H
#define BASE_TIME_H
#include "tocsin/time.h"
#endif
