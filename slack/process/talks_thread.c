/*
 * What others wrote in a thread, for a conversation in it: only where config/slack.yaml says
 * thread_history, and with the scopes of deploy/slack/manifest-thread-history.yaml. Read anew
 * for each question and never kept. The newest messages, cut and masked; whoever is not of the
 * team, and whatever an app wrote, is called so. All of it is data to the model.
 */
#include "assistant/host/context.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "slack/process/talks_private.h"

enum {
	READ_MS = 5 * 1000,
	READ_MAX = 1000, /* of a longer thread its end is looked for (windows) */
	PAGE = 200,
	MESSAGES_MAX = 50,
	MESSAGE_BYTES = 4 * 1024,
	ALL_BYTES = 32 * 1024,
	LABEL_BYTES = 160,
};

/* Slack tells a thread from its beginning: of a long one what was said in the last hour, else
 * the last day, and so on. Seconds. */
static const int64_t windows[] = { 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600 };

struct reading {
	struct talks *talks;
	const char *bot; /* our own id */
	json_t *messages;
	size_t seen;
	bool is_long;
	bool in_window; /* of a long one: how long it is is known */
};

static bool is(const json_t *message, const char *member, const char *text)
{
	const char *value = json_get_string(message, member);

	return value && strcmp(value, text) == 0;
}

/* What was said to us or by us is in our own record. */
static bool is_ours(const struct reading *r, const json_t *message, const char *text)
{
	char mention[INBOUND_ID_BYTES + 4];

	(void)snprintf(mention, sizeof mention, "<@%s>", r->bot);
	return is(message, "user", r->bot) || strstr(text, mention) != NULL;
}

static void name_author(const struct reading *r, const json_t *message,
			char ret[static LABEL_BYTES])
{
	const char *user = json_get_string(message, "user");
	struct error ignored = ERROR_INIT;
	struct person p = { .in_team = false };

	if (json_get_string(message, "bot_id") || !user || !slack_is_user_id(user))
		(void)snprintf(ret, LABEL_BYTES, "an app (untrusted)");
	else if (who_ask(r->talks->front->who, user, &p, &ignored) && p.in_team)
		(void)snprintf(ret, LABEL_BYTES, "%s (in this thread, not to you)",
			       p.principal);
	else
		(void)snprintf(ret, LABEL_BYTES,
			       "somebody outside the team, %s (untrusted)", user);
}

/* Masked whole, then cut: half a credential would not be known as one. */
static json_t *words_of(const char *text)
{
	json_auto_t *masked = context_mask(text, strlen(text));
	const char *all = json_string_value(masked);

	return all ? json_stringn(all, utf8_cut(all, strlen(all), MESSAGE_BYTES)) : NULL;
}

static json_t *entry_of(const struct reading *r, const json_t *message, const char *text)
{
	const char *ts = json_get_string(message, "ts");
	const char *user = json_get_string(message, "user");
	char by[LABEL_BYTES], at[CLOCK_TEXT_BYTES];
	int64_t at_ms = ts ? strtoll(ts, NULL, 10) * 1000 : 0;

	name_author(r, message, by);
	return json_pack("{s:s, s:s, s:s, s:o, s:s}", "kind", "said", "by", by, "at",
			 clock_format(at_ms, at), "text", words_of(text), "user",
			 user && slack_is_user_id(user) ? user : "an app");
}

static bool take(void *context, const json_t *message, struct error *err)
{
	struct reading *r = context;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	r->seen++;
	r->is_long =
		r->is_long || r->seen > READ_MAX ||
		(!r->in_window && json_get_int64(message, "reply_count", 0) > READ_MAX);
	if (r->is_long)
		return error_set(err, ERR_RATE_LIMITED, "the thread is long");
	inbound_message_text(&text, message, NULL);
	if (!strbuf_ok(&text) || text.length == 0 || is_ours(r, message, text.data))
		return true;
	if (json_array_append(r->messages, (json_t *)(uintptr_t)message) != 0)
		return error_oom(err);
	if (json_array_size(r->messages) > MESSAGES_MAX)
		(void)json_array_remove(r->messages, 0);
	return true;
}

/* The newest that fit, the oldest of them first. */
static json_t *entries_of(const struct reading *r)
{
	json_auto_t *entries = json_array();
	size_t bytes = 0;

	for (size_t i = json_array_size(r->messages); entries && i-- > 0;) {
		const json_t *message = json_array_get(r->messages, i);
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		json_auto_t *entry = NULL;

		inbound_message_text(&text, message, NULL);
		entry = text.data ? entry_of(r, message, text.data) : NULL;
		if (!entry)
			return NULL;
		bytes += json_string_length(json_object_get(entry, "text"));
		if (bytes > ALL_BYTES)
			break;
		if (json_array_insert(entries, 0, entry) != 0)
			return NULL;
	}
	return TAKE(entries);
}

/* What stands behind 'oldest' (NULL: all of it); the first message comes in any case. */
static bool read_from(struct reading *r, const struct delivery *d, const char *oldest,
		      const struct rest_patience *patience, struct error *err)
{
	json_auto_t *arguments = json_pack("{s:s, s:s, s:i}", "channel", d->in.channel,
					   "ts", d->in.thread_ts, "limit", PAGE);

	r->seen = 0;
	r->is_long = false;
	if (!arguments || (oldest && json_object_set_new(arguments, "oldest",
							 json_string(oldest)) != 0))
		return error_oom(err);
	return slack_each(r->talks->front->slack, "conversations.replies", arguments,
			  "messages", patience, take, r, err);
}

static bool is_enough(const struct reading *r, const struct delivery *d, int64_t from_s)
{
	return json_array_size(r->messages) >= MESSAGES_MAX ||
	       strtoll(d->in.thread_ts, NULL, 10) >= from_s;
}

/* Counted from the message that wants an answer, by Slack's clock. A window that is too long
 * itself tells nothing better than the one before it. */
static bool read_end(struct reading *r, const struct delivery *d,
		     const struct rest_patience *patience, struct error *err)
{
	int64_t at_s = strtoll(d->in.ts, NULL, 10);

	r->in_window = true;
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		char oldest[32];
		struct error why = ERROR_INIT;
		json_auto_t *before = json_copy(r->messages);

		(void)snprintf(oldest, sizeof oldest, "%lld.000000",
			       (long long)(at_s - windows[i]));
		(void)json_array_clear(r->messages);
		if (!read_from(r, d, oldest, patience, &why)) {
			if (i > 0 && before) {
				(void)json_array_clear(r->messages);
				(void)json_array_extend(r->messages, before);
			}
			if (!r->is_long)
				*err = why;
			return r->is_long;
		}
		if (is_enough(r, d, at_s - windows[i]))
			break;
	}
	return true;
}

void talks_read_thread(struct job *j, const struct delivery *d)
{
	struct front *f = j->talks->front;
	const struct rest_patience patience = front_patience(f, READ_MS);
	json_auto_t *messages = json_array();
	struct reading r = { .talks = j->talks,
			     .bot = f->identity.user_id,
			     .messages = messages };
	struct error err = ERROR_INIT;
	bool ok;

	if (!f->settings.thread_history || !d->in.thread_ts[0] || !messages)
		return;
	ok = read_from(&r, d, NULL, &patience, &err);
	if (!ok && r.is_long) {
		error_clear(&err);
		ok = read_end(&r, d, &patience, &err);
	}
	if (!ok)
		log_failure("assistant.thread_not_read", &err);
	j->thread = entries_of(&r);
	log_info("assistant.thread_read", LOG_STR("channel", d->in.channel),
		 LOG_INT("messages", (int64_t)json_array_size(j->thread)),
		 LOG_STR("for", d->principal));
}
