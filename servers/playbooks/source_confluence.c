/*
 * Pages of Confluence Cloud: API v2, and of v1 what v2 has not (restrictions, CQL).
 *
 * Every 'every_s' the spaces' pages are listed with their versions, and who may see each is
 * asked anew: a restriction changes no version. A page's text is fetched when its version
 * is another than the index has. confluence_list.c lists, confluence_readers.c says who may see
 * a page, confluence_people.c who of ours that is.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "servers/playbooks/confluence_private.h"
#include "servers/playbooks/source.h"
#include "servers/playbooks/storage.h"

enum { EVERY_S = 600, SYNC_MS = 15 * 60 * 1000 };

static const struct rest_vendor vendor = { .name = "Confluence" };

/* ---- Opening ---- */

static struct rest_credential *open_credential(const struct statedir *dir,
					       const json_t *config, struct error *err)
{
	const char *user = json_get_string(config, "user");
	const char *file = json_get_string(config, "token_file");
	_cleanup_free_ char *path = file ? statedir_file(dir, file) : NULL;
	_cleanup_(secret_freep) struct secret *token = NULL;
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf basic = STRBUF_INIT;
	struct secret *both;

	if (!user)
		return rest_credential_file("Bearer", dir, file ? file : "", err);
	token = path ? secret_read(path, true, err) : NULL;
	if (!token)
		return NULL;
	strbuf_add_format(&plain, "%s:", user);
	strbuf_add(&plain, secret_bytes(token), secret_length(token));
	digest_base64(&basic, plain.data, plain.length);
	both = strbuf_ok(&basic) ? secret_new(basic.data, basic.length) : NULL;
	strbuf_wipe(&plain);
	strbuf_wipe(&basic);
	if (!both) {
		error_oom(err);
		return NULL;
	}
	return rest_credential_fixed("Basic", both, err);
}

static void wiki_close(void *self)
{
	struct wiki *w = self;

	if (!w)
		return;
	rest_free(w->rest);
	rest_credential_free(w->credential);
	json_decref(w->nodes);
	json_decref(w->group_names);
	free(w);
}

static void *wiki_open(const struct statedir *dir, const json_t *config,
		       struct error *err)
{
	const json_t *own = json_object_get(config, "confluence");
	const char *ca = json_get_string(own, "ca_file");
	_cleanup_free_ char *ca_file = ca ? statedir_file(dir, ca) : NULL;
	const struct rest_options options = {
		.base = json_get_string(own, "url"),
		.ca_file = ca_file,
		.timeout_ms = json_get_int64(own, "timeout_ms", 0),
	};
	struct wiki *w = calloc(1, sizeof *w);

	if (!w || (ca && !ca_file) || !options.base) {
		free(w);
		error_oom(err);
		return NULL;
	}
	w->config = own;
	w->synced_ms = -1;
	w->every_ms = 1000 * json_get_int64(own, "every_s", EVERY_S);
	w->credential = open_credential(dir, own, err);
	if (w->credential)
		w->rest = rest_new(&vendor, rest_credential_auth(w->credential), &options,
				   err);
	if (!w->rest) {
		wiki_close(w);
		return NULL;
	}
	return w;
}

/* ---- Asking ---- */

bool wiki_get(struct wiki *w, const struct rest_patience *patience, const char *what,
	      const char *path, json_t **ret, struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	const struct rest_request request = { .what = what,
					      .method = "GET",
					      .path = path };

	if (!rest_call(w->rest, &request, patience, &reply, err))
		return false;
	if (!json_is_object(reply.body))
		return error_set(err, ERR_BACKEND_UNAVAILABLE,
				 "Confluence answered something odd to: %s", what);
	*ret = json_incref(reply.body);
	return true;
}

bool wiki_is_id(const char *text)
{
	return text && *text && strlen(text) < 32 &&
	       strspn(text, "0123456789") == strlen(text);
}

bool wiki_set(json_t *object, const char *name, json_t *value)
{
	return value && json_object_set_new(object, name, value) == 0;
}

/* ---- Syncing ---- */

static struct rest_patience patience_of(const atomic_bool *stopping)
{
	struct rest_patience patience = rest_patience(SYNC_MS);

	patience.cancel = stopping;
	return patience;
}

static bool sync_wiki(struct wiki *w, const atomic_bool *stopping, struct error *err)
{
	const struct rest_patience patience = patience_of(stopping);

	json_decref(w->nodes);
	json_decref(w->group_names);
	w->synced_ms = -1;
	w->nodes = json_object();
	w->group_names = json_object();
	if (!w->nodes || !w->group_names)
		return error_oom(err);
	if (!wiki_list(w, &patience, err) || !wiki_find_readers(w, &patience, err))
		return false;
	w->synced_ms = clock_mono_ms();
	return true;
}

static bool is_due(const struct wiki *w)
{
	return w->synced_ms < 0 || clock_mono_ms() - w->synced_ms >= w->every_ms;
}

static bool write_stamp(const json_t *node, struct strbuf *to, struct error *err)
{
	strbuf_add_format(to, "%lld ", (long long)json_get_int64(node, "version", 0));
	return json_write(to, json_object_get(node, "readers"), err);
}

static bool wiki_fingerprint(void *self, const atomic_bool *stopping, struct strbuf *to,
			     struct error *err)
{
	struct wiki *w = self;
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	char digest[DIGEST_HEX_BYTES];
	const char *id;
	json_t *node;

	if (is_due(w) && !sync_wiki(w, stopping, err))
		return false;
	json_object_foreach(w->nodes, id, node)
	{
		if (!json_is_true(json_object_get(node, "wanted")))
			continue;
		strbuf_add_format(&all, "%s ", id);
		if (!write_stamp(node, &all, err))
			return false;
		strbuf_add_char(&all, '\n');
	}
	digest_sha256_hex(all.data, all.length, digest);
	strbuf_add_string(to, digest);
	return (strbuf_ok(&all) && strbuf_ok(to)) || error_oom(err);
}

/* ---- Reading ---- */

static json_t *read_labels(struct wiki *w, const struct rest_patience *patience,
			   const char *id, const json_t *more, struct error *err)
{
	char path[128];
	json_auto_t *body = NULL, *tags = more ? json_deep_copy(more) : json_array();
	const json_t *label;
	size_t i;

	(void)snprintf(path, sizeof path, "/wiki/api/v2/pages/%s/labels?limit=100", id);
	if (!wiki_get(w, patience, "read a page's labels", path, &body, err))
		return NULL;
	json_array_foreach(json_object_get(body, "results"), i, label)
	{
		const char *name = json_get_string(label, "name");

		if (name && strlen(name) <= 64 && !wiki_add_name(tags, name)) {
			error_oom(err);
			return NULL;
		}
	}
	return TAKE(tags);
}

static bool add_page(struct wiki *w, const struct rest_patience *patience, const char *id,
		     const json_t *node, const char *stamp, struct sink *sink,
		     struct error *err)
{
	const json_t *readers = json_object_get(node, "readers");
	_cleanup_strbuf_ struct strbuf markdown = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf url = STRBUF_INIT;
	char path[128], revision[64];
	json_auto_t *body = NULL;
	json_auto_t *tags = read_labels(w, patience, id, sink->source->tags, err);
	struct error ignored = ERROR_INIT;

	(void)snprintf(path, sizeof path, "/wiki/api/v2/pages/%s?body-format=storage",
		       id);
	if (!tags || !wiki_get(w, patience, "read a page", path, &body, err))
		return false;
	const char *text = json_get_string(
		json_object_get(json_object_get(body, "body"), "storage"), "value");
	/* Of a page that changed since it was listed, the next look takes the rest. */
	(void)snprintf(revision, sizeof revision, "version %lld",
		       (long long)json_get_int64(json_object_get(body, "version"),
						 "number",
						 json_get_int64(node, "version", 0)));
	if (!text || !storage_to_markdown(text, strlen(text), &markdown)) {
		sink_skip(sink, id, "its text cannot be read");
		return true;
	}
	strbuf_add_format(&url, "%s/wiki%s", rest_base(w->rest),
			  json_get_string(node, "url"));
	struct page page = {
		.id = id,
		.body = markdown.data,
		.length = markdown.length,
		.revision = revision,
		.title = json_get_string(node, "title"),
		.url = url.data,
		.stamp = stamp,
		.tags = tags,
		.readers = json_is_null(readers) ? NULL : readers,
	};
	(void)clock_parse(json_get_string(node, "at"), &page.updated_ms, &ignored);
	return sink_add(sink, &page, err);
}

static bool wiki_read(void *self, struct sink *sink, struct error *err)
{
	struct wiki *w = self;
	const struct rest_patience patience = patience_of(sink->stopping);
	const char *id;
	json_t *node;

	if ((sink->fresh || w->synced_ms < 0) && !sync_wiki(w, sink->stopping, err))
		return false;
	json_object_foreach(w->nodes, id, node)
	{
		_cleanup_strbuf_ struct strbuf stamp = STRBUF_INIT;
		bool kept = false;

		if (!json_is_true(json_object_get(node, "wanted")))
			continue;
		if (!write_stamp(node, &stamp, err))
			return false;
		if (!sink->fresh && !sink_keep(sink, id, stamp.data, &kept, err) &&
		    error_is_set(err))
			return false;
		if (!kept && !add_page(w, &patience, id, node, stamp.data, sink, err))
			return false;
	}
	return true;
}

const struct source_kind source_confluence = {
	.name = "confluence",
	.open = wiki_open,
	.close = wiki_close,
	.fingerprint = wiki_fingerprint,
	.read = wiki_read,
};
