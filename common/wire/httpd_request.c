#include "wire/httpd_private.h"

#include <strings.h>

#include "base/bytes.h"

enum {
	SPARE_MAX = 32,
	SPARE_TEXT_BYTES = 4096,
	SPARE_BODY_BYTES = 16 * 1024,
	FIELDS_ROOM = 16
};

struct http_request *httpd_request_take(struct httpd_loop *l)
{
	struct http_request *r = l->spare;

	if (r) {
		l->spare = r->next_replied;
		l->spare_count--;
		r->next_replied = NULL;
		return r;
	}
	r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->loop = l;
	strbuf_init(&r->text);
	strbuf_init(&r->body);
	strbuf_init(&r->refusal);
	(void)pthread_mutex_init(&r->gone_lock, NULL);
	return r;
}

void httpd_request_free(struct http_request *r)
{
	if (r->response)
		MHD_destroy_response(r->response);
	/* a header may be a bearer token */
	strbuf_wipe(&r->text);
	strbuf_done(&r->body);
	strbuf_done(&r->refusal);
	free(r->field);
	(void)pthread_mutex_destroy(&r->gone_lock);
	free(r);
}

static void clear(struct strbuf *sb, size_t keep_bytes)
{
	if (sb->capacity > keep_bytes)
		strbuf_done(sb);
	else
		strbuf_clear(sb);
}

void httpd_request_shrink(struct http_request *r)
{
	strbuf_wipe(&r->text);
	strbuf_done(&r->body);
	free(TAKE(r->field));
	r->field_count = r->field_room = 0;
}

void httpd_request_return(struct httpd_loop *l, struct http_request *r)
{
	if (l->spare_count >= SPARE_MAX) {
		httpd_request_free(r);
		return;
	}
	if (r->response)
		MHD_destroy_response(r->response);
	r->response = NULL;
	if (r->text.length > 0)
		explicit_bzero(r->text.data, r->text.length);
	clear(&r->text, SPARE_TEXT_BYTES);
	clear(&r->body, SPARE_BODY_BYTES);
	clear(&r->refusal, SPARE_TEXT_BYTES);
	r->refusal_status = 0;
	r->refuse_now = false;
	r->field_count = 0;
	r->body_seen = 0;
	r->conn = NULL;
	r->connection = NULL;
	r->watched = r->replying = false;
	r->gone = NULL;
	atomic_store_explicit(&r->is_gone, false, memory_order_relaxed);
	atomic_store_explicit(&r->state, REQUEST_RUNNING, memory_order_relaxed);
	r->next_replied = l->spare;
	l->spare = r;
	l->spare_count++;
}

void httpd_request_refuse(struct http_request *r, unsigned status, const char *format,
			  ...)
{
	va_list args;

	if (r->refusal_status) /* the first reason is the one that is told */
		return;
	r->refusal_status = status;
	va_start(args, format);
	strbuf_add_vformat(&r->refusal, format, args);
	va_end(args);
}

static bool is_mcp(const char *name, size_t length)
{
	return length > 4 && strncasecmp(name, "mcp-", 4) == 0;
}

/* A second one of these could be read by somebody else than the first: refused. */
static bool is_single(const char *name, size_t length)
{
	static const struct {
		const char *name;
		size_t length;
	} singles[] = {
		{ "host", 4 },
		{ "origin", 6 },
		{ "authorization", 13 },
		{ "content-type", 12 },
		{ "content-length", 14 },
		{ "transfer-encoding", 17 },
	};

	if (is_mcp(name, length) || (length > 8 && strncasecmp(name, "x-slack-", 8) == 0))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(singles); i++)
		if (length == singles[i].length &&
		    strncasecmp(name, singles[i].name, length) == 0)
			return true;
	return false;
}

static bool has_control(const char *text, size_t length)
{
	size_t i = 0;

	for (; length - i >= BYTES_WORD; i += BYTES_WORD) {
		const uint64_t word = bytes_word(text + i);
		if (bytes_any_below(word, 0x20) || bytes_any(word, 0x7f))
			break; /* perhaps a tab */
	}
	for (; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* RFC 9110, section 5.6.2. A space before the colon is none: others may read such a name
 * without it, and measure the body by what we do not see. */
static bool is_name(const char *text, size_t length)
{
	static const bool token[256] = {
		['!'] = true,         ['#' ... '\''] = true, ['*' ... '+'] = true,
		['-' ... '.'] = true, ['0' ... '9'] = true,  ['A' ... 'Z'] = true,
		['^' ... 'z'] = true, ['|'] = true,          ['~'] = true,
	};
	size_t i = 0;

	while (i < length && token[(unsigned char)text[i]])
		i++;
	return i == length && length > 0;
}

static const struct http_field *find(const struct http_request *r, const char *name,
				     size_t length, bool query)
{
	for (unsigned i = 0; i < r->field_count; i++) {
		const struct http_field *f = &r->field[i];
		const char *own = r->text.data + f->name_at;
		if (f->query == query && f->name_length == length &&
		    (query ? memcmp(own, name, length)
			   : strncasecmp(own, name, length)) == 0)
			return f;
	}
	return NULL;
}

static uint32_t add_text(struct http_request *r, const char *bytes, size_t length)
{
	uint32_t at = (uint32_t)r->text.length;

	strbuf_add(&r->text, bytes, length);
	strbuf_add_char(&r->text, '\0');
	return at;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent signs undone; what decodes to a control character or is no escape is refused. */
static uint32_t add_decoded(struct http_request *r, const char *bytes, size_t length)
{
	uint32_t at = (uint32_t)r->text.length;

	for (size_t i = 0; i < length; i++) {
		int c = (unsigned char)bytes[i];
		if (c == '%') {
			int high = length - i > 2 ? hex_value(bytes[i + 1]) : -1;
			int low = length - i > 2 ? hex_value(bytes[i + 2]) : -1;
			c = high < 0 || low < 0 ? 0 : high << 4 | low;
			i += 2;
		}
		if (c < 0x20 || c == 0x7f) {
			httpd_request_refuse(r, MHD_HTTP_BAD_REQUEST,
					     "bad escape in the query\n");
			break;
		}
		strbuf_add_char(&r->text, (char)c);
	}
	strbuf_add_char(&r->text, '\0');
	return at;
}

static struct http_field *new_field(struct http_request *r)
{
	if (r->field_count == HTTPD_FIELDS_MAX) {
		httpd_request_refuse(r, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
				     "more than %d headers and parameters\n",
				     HTTPD_FIELDS_MAX);
		return NULL;
	}
	if (r->field_count == r->field_room) {
		unsigned room = r->field_room + FIELDS_ROOM;
		struct http_field *field = reallocarray(r->field, room, sizeof *field);
		if (!field) {
			r->text.failed = true;
			return NULL;
		}
		r->field = field;
		r->field_room = room;
	}
	return &r->field[r->field_count];
}

static void add_header(struct http_request *r, struct http_field *f, const char *name,
		       size_t name_length, const char *value, size_t value_length)
{
	while (value_length > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		value_length--;
	}
	while (value_length > 0 &&
	       (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
		value_length--;
	if (!is_name(name, name_length))
		httpd_request_refuse(r, MHD_HTTP_BAD_REQUEST,
				     "a header's name is broken\n");
	/* Of Mcp-* the handler says so, in the words of its protocol. */
	else if (has_control(value, value_length) &&
		 (!is_mcp(name, name_length) || memchr(value, '\0', value_length)))
		httpd_request_refuse(r, MHD_HTTP_BAD_REQUEST,
				     "control character in a header\n");
	else if (is_single(name, name_length) && find(r, name, name_length, false))
		httpd_request_refuse(r, MHD_HTTP_BAD_REQUEST,
				     "header '%.*s' is there twice\n", (int)name_length,
				     name);
	f->name_at = add_text(r, name, name_length);
	f->value_at = add_text(r, value, value_length);
	f->name_length = (uint16_t)name_length;
}

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *name,
			       size_t name_length, const char *value, size_t value_length)
{
	struct http_request *r = context;
	struct http_field *f = new_field(r);

	if (!f)
		return MHD_NO;
	f->query = kind == MHD_GET_ARGUMENT_KIND;
	if (!value) {
		value = "";
		value_length = 0;
	}
	if (f->query) {
		f->name_at = add_decoded(r, name, name_length);
		f->name_length = (uint16_t)(r->text.length - f->name_at - 1);
		f->value_at = add_decoded(r, value, value_length);
	} else {
		add_header(r, f, name, name_length, value, value_length);
	}
	r->field_count++;
	return MHD_YES;
}

static void check_length(struct http_request *r)
{
	const char *coding = http_request_header(r, "Transfer-Encoding");
	const char *length = http_request_header(r, "Content-Length");
	size_t body_max = r->loop->config->body_max, bytes = 0;

	if (coding && (length || strcasecmp(coding, "chunked") != 0)) {
		/* who measures the body differently than we do could smuggle a request */
		httpd_request_refuse(r, MHD_HTTP_BAD_REQUEST,
				     "the body's length is not clear\n");
		r->refuse_now = true;
	}
	for (; length && *length >= '0' && *length <= '9'; length++)
		bytes = bytes >= STRBUF_MAX ? STRBUF_MAX
					    : bytes * 10 + (size_t)(*length - '0');
	if (length && *length != '\0') {
		httpd_request_refuse(r, MHD_HTTP_BAD_REQUEST,
				     "the body's length is not clear\n");
		r->refuse_now = true;
	}
	if (bytes > body_max)
		httpd_request_refuse(r, MHD_HTTP_CONTENT_TOO_LARGE,
				     "a body of at most %zu bytes is accepted\n",
				     body_max);
	/* A refusal before the body closes the connection, and a sender that is busy
	 * sending may then miss it: where that is cheap the body is read and dropped. */
	if (bytes >= STRBUF_MAX || bytes > body_max + HTTPD_DRAIN_BYTES ||
	    http_request_header(r, "Expect"))
		r->refuse_now = true;
}

static void check_origin(struct http_request *r)
{
	const struct httpd_config *config = r->loop->config;
	struct strbuf why = STRBUF_INIT;

	if (!httpd_check_host(http_request_header(r, "Host"), r->loop->loopback,
			      config->allowed_hosts, &why) ||
	    !httpd_check_origin(http_request_header(r, "Origin"), config->allowed_origins,
				&why))
		httpd_request_refuse(r, MHD_HTTP_FORBIDDEN, "%s", why.data);
	strbuf_done(&why);
}

/* The path of an address in the form for proxies, which servers must take, too (RFC 9112,
 * section 3.2.2). Its host is held to what Host is held to. */
static const char *path_of(struct http_request *r, const char *url)
{
	const size_t scheme = strncasecmp(url, "http://", 7) == 0    ? 7
			      : strncasecmp(url, "https://", 8) == 0 ? 8
								     : 0;
	struct strbuf why = STRBUF_INIT;

	if (scheme == 0)
		return url;
	const char *path = url + scheme + strcspn(url + scheme, "/");
	_cleanup_free_ char *host = strndup(url + scheme, (size_t)(path - url) - scheme);
	if (!host)
		r->text.failed = true;
	else if (!httpd_check_host(host, r->loop->loopback,
				   r->loop->config->allowed_hosts, &why))
		httpd_request_refuse(r, MHD_HTTP_FORBIDDEN, "%s", why.data);
	strbuf_done(&why);
	return *path ? path : "/";
}

/* For logs: unique enough, and quick. splitmix64, seeded from the kernel. */
static void make_id(struct http_request *r)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t x = r->loop->random += 0x9e3779b97f4a7c15U;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	x ^= x >> 31;
	for (int i = 0; i < 16; i++, x >>= 4)
		r->id[i] = digits[x & 15];
	r->id[16] = '\0';
}

bool httpd_request_begin(struct http_request *r, const char *method, const char *path)
{
	make_id(r);
	(void)add_text(r, method, strlen(method)); /* at 0 */
	if (*path != '/')
		path = path_of(r, path);
	r->path_at = add_text(r, path, strlen(path));
	(void)MHD_get_connection_values_n(
		r->connection, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND, collect, r);
	if (!strbuf_ok(&r->text))
		return false;
	check_origin(r);
	check_length(r);
	return strbuf_ok(&r->refusal);
}

const char *http_request_method(const struct http_request *req)
{
	return req->text.data;
}

const char *http_request_path(const struct http_request *req)
{
	return req->text.data + req->path_at;
}

const char *http_request_query(const struct http_request *req, const char *name)
{
	const struct http_field *f = find(req, name, strlen(name), true);

	return f ? req->text.data + f->value_at : NULL;
}

const char *http_request_header(const struct http_request *req, const char *name)
{
	const struct http_field *f = find(req, name, strlen(name), false);

	return f ? req->text.data + f->value_at : NULL;
}

const char *http_request_body(const struct http_request *req, size_t *ret_length)
{
	*ret_length = req->body.length;
	return req->body.data;
}

const char *http_request_id(const struct http_request *req)
{
	return req->id;
}

const char *http_request_client_name(struct http_request *req)
{
	struct httpd_conn *conn = req->conn;

	if (req->loop->shared->wants_clients && !conn->client_name)
		conn->client_name = httpd_tls_client_name(req->connection);
	return conn->client_name;
}
