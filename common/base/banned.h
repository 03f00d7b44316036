/*
 * banned -- functions that are easy to misuse do not compile here.
 *
 * Text is built with strbuf; numbers are read with strtoll and checked; time is
 * converted with the _r functions. The headers that declare them come first, so
 * that the macros meet calls only; a parameter that happens to be named 'rand'
 * (OpenSSL has some) stays legal, which '#pragma GCC poison' would not allow.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED_(function) function##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy(...) BANNED_(strcpy)
#undef strcat
#define strcat(...) BANNED_(strcat)
#undef strncpy
#define strncpy(...) BANNED_(strncpy)
#undef strncat
#define strncat(...) BANNED_(strncat)
#undef sprintf
#define sprintf(...) BANNED_(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED_(vsprintf)
#undef strtok
#define strtok(...) BANNED_(strtok)
#undef atoi
#define atoi(...) BANNED_(atoi)
#undef atol
#define atol(...) BANNED_(atol)
#undef atoll
#define atoll(...) BANNED_(atoll)
#undef gmtime
#define gmtime(...) BANNED_(gmtime)
#undef localtime
#define localtime(...) BANNED_(localtime)
#undef ctime
#define ctime(...) BANNED_(ctime)
#undef asctime
#define asctime(...) BANNED_(asctime)
#undef gets
#define gets(...) BANNED_(gets)
#undef tmpnam
#define tmpnam(...) BANNED_(tmpnam)
#undef mktemp
#define mktemp(...) BANNED_(mktemp)
#undef rand
#define rand(...) BANNED_(rand)
#undef srand
#define srand(...) BANNED_(srand)
#undef alloca
#define alloca(...) BANNED_(alloca)

#endif
