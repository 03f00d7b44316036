#include "tests/chaos/faults.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The linker sends our calls of f to __wrap_f, and __real_f to libc's f. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_vasprintf(char **ret, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int __wrap___vasprintf_chk(char **ret, int flag, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static _Thread_local struct {
	bool is_armed, is_onward;
	unsigned long nth, count;
} faults;

static bool fails(void)
{
	if (!faults.is_armed)
		return false;
	faults.count++;
	if (faults.nth == 0 || faults.count < faults.nth ||
	    (faults.count > faults.nth && !faults.is_onward))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
	return fails() ? NULL : __real_strndup(text, length);
}

/* By a way that is not wrapped: what counts is that it may fail. */
int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
	va_list again;
	char *text;

	if (fails())
		return -1;
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0 || !(text = __real_malloc((size_t)length + 1)))
		return -1;
	*ret = text;
	return vsnprintf(text, (size_t)length + 1, format, args);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int length = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return length;
}

int __wrap___vasprintf_chk(char **ret, int flag, const char *format, va_list args)
{
	(void)flag;
	return __wrap_vasprintf(ret, format, args);
}

int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	int length = __wrap_vasprintf(ret, format, args);
	va_end(args);
	return length;
}

void faults_set_up(void)
{
	json_set_alloc_funcs(__wrap_malloc, free);
}

void faults_arm(unsigned long nth, bool onward)
{
	faults.nth = nth;
	faults.is_onward = onward;
	faults.count = 0;
	faults.is_armed = true;
}

unsigned long faults_disarm(void)
{
	faults.is_armed = false;
	return faults.count;
}
