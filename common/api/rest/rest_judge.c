#include <ctype.h>
#include <string.h>

#include "api/rest/rest_page.h"
#include "api/rest/rest_private.h"
#include "base/clock.h"
#include "base/text.h"

enum {
	ETAG_MAX = 256,
	CLOSED_MAX_MS = 3700 * 1000, /* the longest window of a vendor is an hour */
	NUMBER_DIGITS_MAX = 12,
	TEXT_READ_MAX = 1024, /* of a vendor's sentence */
};

void rest_fault_name(char to[static REST_NAME_BYTES], const char *from)
{
	size_t length = 0;

	for (; from && *from && length < REST_NAME_BYTES - 1; from++)
		if (isalnum((unsigned char)*from) || strchr("._:-", *from))
			to[length++] = *from;
	to[length] = '\0';
}

/* How much of a text fits below 'max' without cutting a character. */
static size_t cut(const char *text, size_t length, size_t max)
{
	size_t end = 0;

	for (size_t step; end < length; end += step) {
		step = text_cluster(text + end, length - end);
		if (step == 0 || end + step > max)
			break;
	}
	return end;
}

void rest_fault_text(struct rest_fault *fault, const char *text)
{
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT, shown = STRBUF_INIT;
	const size_t length = text ? strlen(text) : 0;

	*fault->text = '\0';
	if (length == 0 || !text_is_utf8(text, length))
		return;
	text_redact(&plain, text, cut(text, length, TEXT_READ_MAX));
	text_visible(&shown, plain.data, plain.length);
	if (!strbuf_ok(&plain) || !strbuf_ok(&shown))
		return;
	const size_t kept = cut(shown.data, shown.length, sizeof fault->text - 1);
	memcpy(fault->text, shown.data, kept);
	fault->text[kept] = '\0';
}

/* ---- Status ---- */

static void judge_status(int status, int64_t retry_after_ms, bool has_etag,
			 struct rest_fault *f)
{
	f->wait_ms = retry_after_ms;
	f->verdict = REST_FAILED;
	if ((status >= 200 && status < 300) || (status == 304 && has_etag)) {
		f->verdict = REST_GOOD;
	} else if (status == 401) {
		f->code = ERR_PERMISSION_DENIED;
		f->hint = "look at the credentials that Wingman was given for it";
	} else if (status == 403) {
		f->code = ERR_PERMISSION_DENIED;
		f->hint = "look at the rights of Wingman's credentials";
	} else if (status == 404 || status == 410) {
		f->code = ERR_NOT_FOUND;
	} else if (status == 409) {
		f->code = ERR_CONFLICT;
	} else if (status == 429) {
		f->code = ERR_RATE_LIMITED;
		f->verdict = REST_LATER;
	} else if (status == 408 || status >= 500) {
		f->code = ERR_BACKEND_UNAVAILABLE;
		f->verdict = REST_BROKEN;
	} else if (status >= 400) {
		f->code = ERR_PRECONDITION_FAILED;
	} else {
		f->code = ERR_BACKEND_UNAVAILABLE;
	}
}

/* ---- Headers ---- */

/* A header that is a plain number of not too many digits; -1 otherwise. */
static int64_t number_header(const struct http_client_reply *reply, const char *name)
{
	const char *text = name ? http_client_reply_header(reply, name, 0) : NULL;
	const size_t digits = text ? strspn(text, "0123456789") : 0;

	if (digits == 0 || digits > NUMBER_DIGITS_MAX || text[digits] != '\0')
		return -1;
	return strtoll(text, NULL, 10);
}

/* Date has whole seconds: half a one more is right on average. */
static void learn_clock(struct rest *r, const struct http_client_reply *reply)
{
	const char *date = http_client_reply_header(reply, "Date", 0);
	const int64_t at_ms = date ? http_client_date_ms(date) : -1;

	if (at_ms >= 0)
		atomic_store(&r->ahead_ms, at_ms + 500 - clock_wall_ms());
}

/* Until when the vendor's window is, from now; -1: it does not say. */
static int64_t window_ms(struct rest *r, const struct http_client_reply *reply)
{
	const int64_t reset_s = number_header(reply, r->vendor->reset_header);
	const int64_t left_ms = reset_s * 1000 - rest_vendor_now_ms(r);

	if (reset_s < 0)
		return -1;
	return left_ms < 0 ? 0 : left_ms > CLOSED_MAX_MS ? CLOSED_MAX_MS : left_ms;
}

static void learn_limits(struct rest *r, const struct rest_request *request,
			 const struct rest_reply *reply)
{
	const bool none_left = number_header(&reply->http, r->vendor->remaining_header) ==
			       0;
	int64_t wait_ms = reply->fault.verdict == REST_LATER ? reply->fault.wait_ms : -1;

	if (none_left && wait_ms < 0)
		wait_ms = window_ms(r, &reply->http);
	if (wait_ms > CLOSED_MAX_MS)
		wait_ms = CLOSED_MAX_MS;
	if (wait_ms > 0)
		rest_limits_close(&r->limits, request->bucket ? request->bucket : "",
				  clock_mono_ms() + wait_ms);
}

static bool read_etag(struct rest_reply *reply, struct error *err)
{
	const char *etag = http_client_reply_header(&reply->http, "ETag", 0);

	if (!etag || strlen(etag) > ETAG_MAX)
		return true;
	reply->etag = strdup(etag);
	return reply->etag || error_oom(err);
}

/* A Link that is none, or leads away, spoils the reply: a list without its rest would
 * look like a whole one. */
static bool read_next(const struct rest *r, struct rest_reply *reply, struct error *err)
{
	_cleanup_strbuf_ struct strbuf target = STRBUF_INIT, url = STRBUF_INIT;
	struct error why = ERROR_INIT;
	const char *link;

	for (size_t i = 0; (link = http_client_reply_header(&reply->http, "Link", i));
	     i++)
		if (!rest_page_next(link, &target, &why))
			break;
	if (!error_is_set(&why) && target.length > 0 &&
	    rest_url(r, target.data, &url, &why)) {
		reply->next = strbuf_take(&url);
		return reply->next || error_oom(err);
	}
	if (error_is_set(&why)) {
		reply->fault.verdict = REST_FAILED;
		reply->fault.code = ERR_BACKEND_UNAVAILABLE;
		rest_fault_text(&reply->fault, why.message);
	}
	return true;
}

/* ---- The body ---- */

static bool is_json(const char *type)
{
	const size_t length = strlen(type);

	return strcmp(type, "application/json") == 0 ||
	       (length > 5 && strcmp(type + length - 5, "+json") == 0);
}

/* What of a good status cannot be read is broken: whether it was done is not known. */
static void read_body(struct rest_reply *reply)
{
	const struct strbuf *text = &reply->http.body;
	struct error why = ERROR_INIT;

	if (text->length == 0)
		return;
	if (is_json(reply->http.content_type))
		reply->body = json_parse(text->data, text->length, JSON_SYNTAX, &why);
	if (reply->body || reply->status >= 300)
		return;
	reply->fault.verdict = REST_BROKEN;
	reply->fault.code = ERR_BACKEND_UNAVAILABLE;
	rest_fault_text(&reply->fault,
			error_is_set(&why) ? why.message : "the reply is no JSON");
}

bool rest_judge(struct rest *r, const struct rest_request *request,
		struct rest_reply *reply, struct error *err)
{
	reply->status = reply->http.status;
	reply->fault = (struct rest_fault){ 0 };
	judge_status(reply->status, reply->http.retry_after_ms, request->etag != NULL,
		     &reply->fault);
	learn_clock(r, &reply->http);
	if (reply->fault.verdict == REST_LATER && reply->fault.wait_ms < 0)
		reply->fault.wait_ms = window_ms(r, &reply->http);
	read_body(reply);
	if (reply->fault.verdict == REST_GOOD && !read_next(r, reply, err))
		return false;
	if (r->vendor->judge)
		r->vendor->judge(&reply->http, reply->body, &reply->fault);
	learn_limits(r, request, reply);
	return read_etag(reply, err);
}

/* ---- In words ---- */

static const char *reason(const struct rest_fault *f, int status)
{
	switch (f->code) {
	case ERR_PERMISSION_DENIED:
		return status == 401 ? "does not accept our credentials"
				     : "does not allow it";
	case ERR_NOT_FOUND:
		return "has no such thing, or does not show it to us";
	case ERR_CONFLICT:
		return "says that something is in the way";
	case ERR_RATE_LIMITED:
		return "wants to be asked less often";
	case ERR_PRECONDITION_FAILED:
		return "refuses it as things are";
	case ERR_UNKNOWN_OUTCOME:
		return "is out of order: it may have been done";
	default:
		return status >= 300 && status < 400 ? "sends us elsewhere"
						     : "is out of order";
	}
}

bool rest_judge_fail(const struct rest *r, const struct rest_request *request,
		     const struct rest_reply *reply, struct error *err)
{
	const struct rest_fault *f = &reply->fault;

	error_set(err, f->code, "cannot %s: %s %s (HTTP %d%s%s%s%s)", request->what,
		  r->vendor->name, reason(f, reply->status), reply->status,
		  *f->name ? ", " : "", f->name, *f->id ? ", id " : "", f->id);
	if (f->hint)
		error_hint(err, "%s", f->hint);
	else if (f->code == ERR_RATE_LIMITED && f->wait_ms > 0)
		error_hint(err, "ask again in %lld s",
			   (long long)(f->wait_ms + 999) / 1000);
	if (*f->text)
		error_cause(err, "%s", f->text);
	return false;
}
