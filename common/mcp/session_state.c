/* What a session remembers of its client: who it is, what it wants to hear. */
#include "mcp/session_private.h"

bool session_settle(struct session *s, const struct session_client *client)
{
	session_lock(s);
	bool is_first = !s->is_settled;
	if (is_first) {
		s->client = *client;
		s->client.capabilities = json_deep_copy(client->capabilities);
		s->standing.is_primed = legacy_has_priming(client->revision);
		s->is_settled = true;
	}
	session_unlock(s);
	return is_first;
}

bool session_is_settled(struct session *s)
{
	session_lock(s);
	bool is_settled = s->is_settled;
	session_unlock(s);
	return is_settled;
}

struct session_client session_client(struct session *s)
{
	session_lock(s);
	struct session_client client = s->client;
	session_unlock(s);
	return client;
}

void session_set_level(struct session *s, enum mcp_level level)
{
	session_lock(s);
	s->level = level;
	session_unlock(s);
}

enum mcp_level session_level(struct session *s)
{
	session_lock(s);
	enum mcp_level level = s->level;
	session_unlock(s);
	return level;
}

/* ---- Subscriptions ---- */

static bool subscribe(struct session *s, const char *uri, struct error *err)
{
	size_t bytes = strlen(uri);

	if (json_object_get(s->uris, uri))
		return true;
	if (json_object_size(s->uris) >= SESSION_URIS_MAX ||
	    s->uri_bytes + bytes > SESSION_URI_BYTES_MAX)
		return error_set(err, ERR_RATE_LIMITED,
				 "this session has too many subscriptions already");
	if (!s->uris)
		s->uris = json_object();
	if (json_object_set_new(s->uris, uri, json_true()) != 0)
		return error_oom(err);
	s->uri_bytes += bytes;
	return true;
}

bool session_subscribe(struct session *s, const char *uri, struct error *err)
{
	session_lock(s);
	bool good = subscribe(s, uri, err);
	session_unlock(s);
	return good;
}

void session_unsubscribe(struct session *s, const char *uri)
{
	session_lock(s);
	if (json_object_del(s->uris, uri) == 0)
		s->uri_bytes -= strlen(uri);
	session_unlock(s);
}

static void tell(struct session *s, const char *message, size_t length)
{
	if (!outlet_has_unsent(&s->standing, message, length))
		(void)session_say_locked(s, &s->standing, OUTLET_WEIGHTY, message,
					 length);
}

void sessions_tell(struct sessions *all, const char *message, size_t length,
		   const char *uri)
{
	struct session *s;

	(void)pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < SESSION_BUCKETS; i++)
		LIST_FOREACH(s, &all->buckets[i], in_bucket)
		{
			if (s->is_settled && (!uri || json_object_get(s->uris, uri)))
				tell(s, message, length);
		}
	(void)pthread_mutex_unlock(&all->lock);
}
