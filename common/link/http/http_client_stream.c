#include "link/http/http_client_stream.h"

#include "base/clock.h"
#include "link/http/http_headers.h"
#include "link/http/http_transfer.h"

enum { POLL_MAX_MS = 50 }; /* how late a cancellation may be noticed */

struct http_client_stream {
	struct http_client *client;
	struct http_line *line;
	struct curl_slist *headers;
	struct http_client_request req;
	struct http_transfer transfer;
	struct strbuf pieces;
	int status;
	char type[96];
	int64_t retry_after_ms;
	bool is_added; /* to the multi handle */
	bool is_given; /* 'pieces' was handed out */
	bool is_done;
	CURLcode result; /* when done */
};

static void finish(struct http_client_stream *s, CURLcode result)
{
	s->is_done = true;
	s->result = result;
}

/* One turn without waiting. */
static void turn(struct http_client_stream *s)
{
	int running = 1, left;

	if (s->transfer.is_paused) {
		s->transfer.is_paused = false;
		(void)curl_easy_pause(s->line->easy, CURLPAUSE_CONT);
	}
	if (curl_multi_perform(s->line->multi, &running) != CURLM_OK) {
		finish(s, CURLE_RECV_ERROR);
	} else if (running == 0) {
		CURLMsg *message = curl_multi_info_read(s->line->multi, &left);

		finish(s, message && message->msg == CURLMSG_DONE ? message->data.result
								  : CURLE_RECV_ERROR);
	}
}

static bool head_is_here(const struct http_client_stream *s)
{
	long status = 0;

	if (!s->transfer.head_ends)
		return s->pieces.length > 0;
	(void)curl_easy_getinfo(s->line->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200;
}

/* Go on until there is a piece (or, 'head', the head), or the end, or no more time. */
static void go_on(struct http_client_stream *s, int64_t until_ms, bool head)
{
	for (;;) {
		if (http_transfer_is_cancelled(&s->req)) {
			finish(s, CURLE_ABORTED_BY_CALLBACK);
			return;
		}
		turn(s);
		if (s->is_done || (head ? head_is_here(s) : s->pieces.length > 0))
			return;
		int64_t left_ms = until_ms - clock_mono_ms();
		if (left_ms <= 0) {
			finish(s, CURLE_OPERATION_TIMEDOUT);
			return;
		}
		if (curl_multi_poll(s->line->multi, NULL, 0,
				    left_ms < POLL_MAX_MS ? (int)left_ms : POLL_MAX_MS,
				    NULL) != CURLM_OK) {
			finish(s, CURLE_RECV_ERROR);
			return;
		}
	}
}

static bool begin(struct http_client_stream *s, struct error *err)
{
	if (!http_headers_build(&s->req, &s->headers, err))
		return false;
	if (!http_transfer_prepare(s->client, s->line->easy, s->headers, &s->transfer) ||
	    curl_multi_add_handle(s->line->multi, s->line->easy) != CURLM_OK)
		return error_set(err, ERR_INTERNAL, "cannot prepare an HTTP request");
	s->is_added = true;
	go_on(s, clock_mono_ms() + s->req.timeout_ms, true);
	if (s->is_done && s->result != CURLE_OK)
		return http_transfer_fail(&s->transfer, s->result, err);
	return true;
}

static void read_head(struct http_client_stream *s)
{
	long status = 0;

	(void)curl_easy_getinfo(s->line->easy, CURLINFO_RESPONSE_CODE, &status);
	s->status = (int)status;
	http_transfer_type(s->line->easy, s->type);
	s->retry_after_ms = http_transfer_retry_after(s->line->easy);
}

struct http_client_stream *http_client_stream_open(struct http_client *c,
						   const struct http_client_request *req,
						   bool *ret_sent, struct error *err)
{
	struct http_client_stream *s = NULL;
	bool good = false;

	if (ret_sent)
		*ret_sent = false;
	if (!http_transfer_check(req, err))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s || !(s->line = http_line_take(c))) {
		free(s);
		error_oom(err);
		return NULL;
	}
	s->client = c;
	s->req = *req;
	strbuf_init(&s->pieces);
	s->transfer =
		(struct http_transfer){ .req = &s->req,
					.body = &s->pieces,
					.reply_max = HTTP_CLIENT_PIECES_MAX,
					.is_stream = true,
					.repeatable = http_transfer_repeatable(req) };
	good = begin(s, err);
	if (ret_sent)
		*ret_sent = s->transfer.sent;
	if (!good) {
		http_client_stream_close(s);
		return NULL;
	}
	read_head(s);
	return s;
}

void http_client_stream_close(struct http_client_stream *s)
{
	if (!s)
		return;
	/* The end often is here already, and then the connection can be used again. */
	if (s->is_added && !s->is_done && !http_transfer_is_cancelled(&s->req)) {
		strbuf_clear(&s->pieces);
		turn(s);
	}
	if (s->is_added)
		(void)curl_multi_remove_handle(s->line->multi, s->line->easy);
	http_line_return(s->client, s->line);
	http_headers_free(&s->headers);
	strbuf_wipe(&s->pieces);
	free(s);
}

int http_client_stream_status(const struct http_client_stream *s)
{
	return s->status;
}

const char *http_client_stream_type(const struct http_client_stream *s)
{
	return s->type;
}

int64_t http_client_stream_retry_after_ms(const struct http_client_stream *s)
{
	return s->retry_after_ms;
}

bool http_client_stream_is_private(const struct http_client_stream *s)
{
	return s->transfer.is_private;
}

const char *http_client_stream_header(struct http_client_stream *s, const char *name,
				      size_t index)
{
	struct curl_header *header = NULL;

	return curl_easy_header(s->line->easy, name, index, CURLH_HEADER, -1, &header) ==
			       CURLHE_OK
		       ? header->value
		       : NULL;
}

enum http_client_got http_client_stream_read(struct http_client_stream *s,
					     int64_t until_ms, const char **ret_bytes,
					     size_t *ret_length, struct error *err)
{
	if (s->is_given)
		strbuf_clear(&s->pieces);
	s->is_given = false;
	if (s->pieces.length == 0 && !s->is_done)
		go_on(s, until_ms, false);
	if (s->pieces.length > 0) {
		*ret_bytes = s->pieces.data;
		*ret_length = s->pieces.length;
		s->is_given = true;
		return HTTP_CLIENT_DATA;
	}
	if (s->result == CURLE_OK)
		return HTTP_CLIENT_END;
	http_transfer_fail(&s->transfer, s->result, err);
	return HTTP_CLIENT_FAILED;
}
