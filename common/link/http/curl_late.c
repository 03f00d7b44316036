#include "link/http/curl_late.h"

#include <stdarg.h>

#include <curl/curl.h>

#include "base/library.h"

/* curl.h checks what is passed with macros of the functions' names; these are functions. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#define FUNCTIONS(X)                                                                     \
	X(easy_cleanup)                                                                  \
	X(easy_getinfo)                                                                  \
	X(easy_header)                                                                   \
	X(easy_init)                                                                     \
	X(easy_nextheader)                                                               \
	X(easy_pause)                                                                    \
	X(easy_reset)                                                                    \
	X(easy_setopt)                                                                   \
	X(easy_strerror)                                                                 \
	X(getdate)                                                                       \
	X(global_cleanup)                                                                \
	X(global_init)                                                                   \
	X(multi_add_handle)                                                              \
	X(multi_cleanup)                                                                 \
	X(multi_info_read)                                                               \
	X(multi_init)                                                                    \
	X(multi_perform)                                                                 \
	X(multi_poll)                                                                    \
	X(multi_remove_handle)                                                           \
	X(multi_setopt)                                                                  \
	X(slist_append)                                                                  \
	X(slist_free_all)

/* Where they are; NULL before curl_need. */
static struct {
#define MEMBER(name) __typeof__(curl_##name) *name;
	FUNCTIONS(MEMBER)
#undef MEMBER
} curl;

static const struct library_function functions[] = {
#define ROW(name) { "curl_" #name, &curl.name },
	FUNCTIONS(ROW)
#undef ROW
};
static struct library library = LIBRARY("libcurl.so.4", functions);

bool curl_need(struct error *err)
{
	return library_need(&library, err);
}

CURLcode curl_global_init(long flags)
{
	return curl.global_init(flags);
}

void curl_global_cleanup(void)
{
	curl.global_cleanup();
}

time_t curl_getdate(const char *p, const time_t *unused)
{
	return curl.getdate(p, unused);
}

/* ---- Lists ---- */

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
	return curl.slist_append(list, text);
}

void curl_slist_free_all(struct curl_slist *list)
{
	curl.slist_free_all(list);
}

/* ---- One transfer ---- */

CURL *curl_easy_init(void)
{
	return curl.easy_init();
}

void curl_easy_cleanup(CURL *easy)
{
	curl.easy_cleanup(easy);
}

void curl_easy_reset(CURL *easy)
{
	curl.easy_reset(easy);
}

CURLcode curl_easy_pause(CURL *easy, int bitmask)
{
	return curl.easy_pause(easy, bitmask);
}

const char *curl_easy_strerror(CURLcode code)
{
	return curl.easy_strerror(code);
}

CURLHcode curl_easy_header(CURL *easy, const char *name, size_t index, unsigned origin,
			   int request, struct curl_header **ret)
{
	return curl.easy_header(easy, name, index, origin, request, ret);
}

struct curl_header *curl_easy_nextheader(CURL *easy, unsigned origin, int request,
					 struct curl_header *before)
{
	return curl.easy_nextheader(easy, origin, request, before);
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list args;

	va_start(args, info);
	void *to = va_arg(args, void *);
	va_end(args);
	return curl.easy_getinfo(easy, info, to);
}

/* The number of an option tells the type of its argument. The branches are alike to who
 * does not look at that. NOLINTBEGIN(bugprone-branch-clone) */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	CURLcode code;
	va_list args;

	va_start(args, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = curl.easy_setopt(easy, option, va_arg(args, long));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code = curl.easy_setopt(easy, option, va_arg(args, curl_off_t));
	else
		code = curl.easy_setopt(easy, option, va_arg(args, void *));
	va_end(args);
	return code;
}

/* ---- Several ---- */

CURLM *curl_multi_init(void)
{
	return curl.multi_init();
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	return curl.multi_cleanup(multi);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	return curl.multi_add_handle(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	return curl.multi_remove_handle(multi, easy);
}

CURLMcode curl_multi_perform(CURLM *multi, int *running)
{
	return curl.multi_perform(multi, running);
}

CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count,
			  int timeout_ms, int *ret)
{
	return curl.multi_poll(multi, extra, count, timeout_ms, ret);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
	return curl.multi_info_read(multi, left);
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	CURLMcode code;
	va_list args;

	va_start(args, option);
	if ((int)option < CURLOPTTYPE_OBJECTPOINT)
		code = curl.multi_setopt(multi, option, va_arg(args, long));
	else
		code = curl.multi_setopt(multi, option, va_arg(args, void *));
	va_end(args);
	return code;
}
/* NOLINTEND(bugprone-branch-clone) */
