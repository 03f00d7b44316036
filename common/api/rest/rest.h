/*
 * rest -- requests to a vendor's JSON API, with the manners that vendors want.
 *
 * One `struct rest` is one API at one base address with one set of credentials; it is
 * thread-safe. A request is judged by status, by the vendor's own rules (`struct
 * rest_vendor`) and as strict JSON; what failed becomes a struct error with the vendor's
 * code and id of the incident, and never with a secret or an unbounded text.
 *
 * What is repeated here: what was never sent; what the vendor refused for its rate (429
 * and its kin), when its time has come; and reads that failed on the way or with 5xx. A
 * write whose reply was lost, or came as 5xx, is ERR_UNKNOWN_OUTCOME and never repeated
 * unless 'may_repeat' says that doing it twice is doing it once: the caller reads back.
 *
 * Credentials go to the base's origin alone: a redirect or a next page that leads
 * elsewhere is an error. http:// is for loopback. Layer: above link, below servers.
 */
#ifndef API_REST_H
#define API_REST_H

#include "base/json.h"
#include "link/http/http_client.h"

enum {
	REST_URL_MAX = 4096,
	REST_PATH_MAX = 3072,
	REST_REPLY_MAX = 8 * 1024 * 1024, /* bytes, unless a request says otherwise */
	REST_PAGES_MAX = 10000,
	REST_TRIES_MAX = 5,
	REST_REDIRECTS_MAX = 3,
	REST_NAME_BYTES = 64,
	REST_TIMEOUT_MS = 20 *
			  1000, /* of one request, unless the options say otherwise */
};

struct rest;

/* How long somebody waits for a call with all its repetitions. */
struct rest_patience {
	int64_t until_ms;          /* clock_mono_ms */
	const atomic_bool *cancel; /* may be NULL */
};
/* Patience of 'ms' from now, without a cancel. */
struct rest_patience rest_patience(int64_t ms);

enum rest_verdict {
	REST_GOOD,
	REST_FAILED, /* for good: the request is refused */
	REST_LATER,  /* the vendor did nothing, and wants to be asked later */
	REST_BROKEN, /* something is broken there: it may have been done */
};

/* What is the matter with a reply. Filled from its status first; the vendor refines. */
struct rest_fault {
	enum rest_verdict verdict;
	enum error_code code;
	int64_t wait_ms; /* REST_LATER: at least this long; -1: it does not say */
	char name[REST_NAME_BYTES]; /* the vendor's code, "" for none */
	char id[REST_NAME_BYTES];   /* the vendor's id of this incident, "" for none */
	char text[160];   /* the vendor's sentence, visible and without secrets */
	const char *hint; /* NULL: none; static */
};

/* What differs between vendors: a row. */
struct rest_vendor {
	const char *name;                         /* "Okta", in errors */
	const struct http_client_header *headers; /* of every request; ends with NULLs */
	const char *remaining_header; /* how many requests are left; may be NULL */
	const char *reset_header;     /* and until when, in seconds since 1970 */
	int64_t write_gap_ms;         /* between the beginnings of two writes */
	/* 'body' may be NULL. */
	void (*judge)(const struct http_client_reply *reply, const json_t *body,
		      struct rest_fault *fault);
};

/* Who we are. Borrowed by the rest, which calls it from several threads. */
struct rest_auth {
	/* Append the value of Authorization. */
	bool (*value)(void *context, const struct rest_patience *patience,
		      struct strbuf *sb, struct error *err);
	/* The vendor refused it (401). True when another one can be had now. */
	bool (*refused)(void *context);
	void *context;
};

struct rest_options {
	const char *base; /* "https://example.okta.com/api", without a slash at its end */
	const char *ca_file; /* NULL: the system's authorities */
	int64_t timeout_ms;  /* of one request; 0: REST_TIMEOUT_MS */
	/* For tests: wait in another way. NULL: really, watching the patience's cancel. */
	void (*pause)(void *context, int64_t ms);
	void *pause_context;
};

/* 'vendor' and 'auth' are borrowed. ERR_INVALID_ARGUMENT for an address that is not https
 * (or http on loopback), or no authorities in 'ca_file'. */
struct rest *rest_new(const struct rest_vendor *vendor, const struct rest_auth *auth,
		      const struct rest_options *options, struct error *err) _must_use_;
void rest_free(struct rest *r);
DEFINE_CLEANUP(struct rest, rest_free);
const char *rest_base(const struct rest *r);
bool rest_base_is_loopback(const struct rest *r);
/* For what is no JSON, without credentials. Borrowed. */
struct http_client *rest_client(const struct rest *r);
/* By the clock of the vendor, as far as its Date headers told: for what is signed with a
 * time, and to compare with the vendor's times. */
int64_t rest_vendor_now_ms(struct rest *r);

/* How long the vendor wants not to be asked, in the bucket that is closed longest; 0: it
 * may be asked. For who was told ERR_RATE_LIMITED. */
int64_t rest_wait_ms(struct rest *r);

struct rest_request {
	const char *what;   /* "list the users": for "cannot list the users: ..." */
	const char *method; /* "GET" */
	/* Begins with '/' and goes behind the base; or a whole URL of its origin. */
	const char *path;
	const json_t *json;        /* a body; may be NULL */
	const char *form;          /* or this one; NULL: none */
	const char *content_type;  /* NULL: application/json or the form's */
	const char *etag;          /* NULL: none; then 304 is good, and without a body */
	const char *authorization; /* in place of rest_auth's; NULL: its */
	/* Which of the vendor's limits this falls under, "" for one for all. NULL: "" */
	const char *bucket;
	bool reads; /* a POST that only reads (GraphQL, Slack): repeated like a GET */
	bool may_repeat;  /* a write that does no harm when it comes twice */
	size_t reply_max; /* 0: REST_REPLY_MAX */
};

struct rest_reply {
	int status;   /* of the last reply, also of a failure; 0: there was none */
	json_t *body; /* NULL: none */
	char *next;   /* the whole URL of the next page, or NULL */
	char *etag;   /* or NULL */
	struct rest_fault fault;
	struct http_client_reply http; /* for http_client_reply_header */
};
#define REST_REPLY_INIT                                                                  \
	{                                                                                \
		.http = HTTP_CLIENT_REPLY_INIT                                           \
	}
void rest_reply_done(struct rest_reply *reply);
#define _cleanup_rest_reply_ _cleanup_(rest_reply_done)

/*
 * True for 2xx that the vendor's rules find good, and 304 if there was an etag. Otherwise
 * ERR_PERMISSION_DENIED (401, 403), ERR_NOT_FOUND, ERR_CONFLICT, ERR_PRECONDITION_FAILED
 * (400, 422: as things are, the vendor will not), ERR_RATE_LIMITED (not within the
 * patience), ERR_BACKEND_UNAVAILABLE, ERR_TIMEOUT, ERR_UNKNOWN_OUTCOME (of writes).
 */
bool rest_call(struct rest *r, const struct rest_request *request,
	       const struct rest_patience *patience, struct rest_reply *reply,
	       struct error *err);

/* Go on with 'request' page by page, by the Link header. 'fn' gets each body, borrowed,
 * and returns false with 'err' set to fail. The request must be a GET. */
bool rest_each_page(struct rest *r, const struct rest_request *request,
		    const struct rest_patience *patience,
		    bool (*fn)(void *context, const json_t *body, struct error *err),
		    void *context, struct error *err);

/* Append 'text' percent-encoded as one segment of a path, or a value of a query: all but
 * letters, digits and "-._~". "." and ".." alone come out encoded too. */
void rest_encode(struct strbuf *sb, const char *text);
/* Append "&name=value" (without the & to what is empty), as forms have it. */
void rest_form_add(struct strbuf *form, const char *name, const char *value);

/* Keep of a vendor's code what a log may hold: letters, digits and "._:-". */
void rest_fault_name(char to[static REST_NAME_BYTES], const char *from);
/* Keep of a vendor's sentence what a log may hold. NULL is "". */
void rest_fault_text(struct rest_fault *fault, const char *text);

#endif
