/* What a world has on disk: the folder, keys, configuration and pins; and what Slack signs. */
#include "replay/world_private.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "link/documents/documents.h"
#include "replay/clock.h"

/* 'expires_in' and 'good_for' (5 minutes, else 1) together may have PLAN_MINUTES. */
enum { PLAN_MINUTES = 28, WAITS_MINUTES_MAX = 27 };

/* --- files --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

void world_url(const struct world *w, const char *server,
	       char ret[static WORLD_URL_BYTES])
{
	const char *url = json_get_string(w->urls, server);

	(void)snprintf(ret, WORLD_URL_BYTES, "%s%s", url ? url : "http://127.0.0.1:1/",
		       url ? "" : server);
}

void world_remove_folder(const struct world *w)
{
	if (strstr(w->root, "/wingman-replay-"))
		(void)nftw(w->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool world_write_file(const struct world *w, const char *name, const struct strbuf *text,
		      struct error *err)
{
	_cleanup_free_ char *path = statedir_path(w->dir, "%s", name);

	if (!path || !strbuf_ok(text))
		return error_oom(err);
	return file_write(path, text->data, text->length, 0600, err);
}

static void add_team(const struct world *w, struct strbuf *sb)
{
	const char *before = "";

	strbuf_add_string(sb, "team: [");
	for (size_t i = 0; i < w->tools->people_count; i++) {
		if (!w->tools->people[i].in_team)
			continue;
		strbuf_add_format(sb, "%s'%s'", before, w->tools->people[i].principal);
		before = ", ";
	}
	strbuf_add_string(sb, "]\n");
}

/* A policy has minutes, and as many as a plan is kept: what a record gives beyond is cut. */
static int64_t expires_minutes(const struct world *w)
{
	int64_t minutes = (w->ttl_s + 59) / 60;

	return minutes < 1 ? 1 : minutes > PLAN_MINUTES - 5 ? WAITS_MINUTES_MAX : minutes;
}

bool world_write_config(struct world *w, struct error *err)
{
	_cleanup_strbuf_ struct strbuf gate = STRBUF_INIT, policy = STRBUF_INIT;
	const char *server;
	json_t *member;
	size_t i;

	strbuf_add_string(&gate, "persons:\n");
	for (i = 0; i < w->tools->people_count; i++)
		strbuf_add_format(&gate, "  - {id: '%s', slack: ['U0P%zu']}\n",
				  w->tools->people[i].principal, i);
	strbuf_add_format(&gate,
			  "slack: {unix: %u, app: " WORLD_APP ", teams: [" WORLD_TEAM
			  "], signing_secrets: [keys/slack], allow_shared_uid: true}\n",
			  w->slack_uid);
	add_team(w, &gate);
	strbuf_add_string(&gate, w->more_config ? w->more_config : "");
	strbuf_add_string(&gate, "servers:\n");
	json_object_foreach(w->listed, server, member)
	{
		char url[WORLD_URL_BYTES];

		world_url(w, server, url);
		strbuf_add_format(&gate, "  - {name: %s, url: '%s'}\n", server, url);
	}
	/* Nobody left to approve is somebody unknown. */
	strbuf_add_format(&policy,
			  "rules:\n  - {name: replay, needed: 1, four_eyes: %s, "
			  "expires_in: %lldm, good_for: %dm, approvers: [",
			  w->tools->four_eyes ? "true" : "false",
			  (long long)expires_minutes(w),
			  expires_minutes(w) == WAITS_MINUTES_MAX ? 1 : 5);
	json_array_foreach(w->approvers, i, member)
	{
		strbuf_add_format(&policy, "%s'%s'", i ? ", " : "",
				  json_string_value(member));
	}
	strbuf_add_string(&policy,
			  json_array_size(w->approvers) ? "]}\n" : "'nobody'] }\n");
	return world_write_file(w, "config/gate.yaml", &gate, err) &&
	       world_write_file(w, "config/policy.yaml", &policy, err);
}

/* --- opening --- */

/* As people accepted them once: whatever servers list later is held against this. */
bool world_pin(const struct world *w, struct error *err)
{
	_cleanup_free_ char *records = statedir_path(w->dir, "gate/records.db");
	_cleanup_(documents_closep) struct documents *d =
		documents_open_sqlite(records, err);
	const char *server;
	json_t *tools;
	int64_t revision;

	json_object_foreach(w->listed, server, tools)
	{
		char address[WORLD_URL_BYTES];

		world_url(w, server, address);
		json_auto_t *body = json_pack("{s:i, s:s, s:s, s:s, s:O, s:s, s:i}", "v",
					      1, "server", server, "instance", server,
					      "address", address, "tools", tools,
					      "approval", "01replay", "pinned_at", 1);
		if (!d || !body ||
		    !documents_put(d, "pins", server, body, DOCUMENT_NEW, &revision, err))
			return false;
	}
	return d != NULL;
}

/* In memory where there is such a place: processes are killed here, not machines, and a
 * thousand stores that wait for the disk take minutes. */
static const char *folder_of_folders(void)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp && strlen(tmp) < 32)
		return tmp;
	return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

bool world_make_folder(struct world *w, struct error *err)
{
	const char *tmp = folder_of_folders();
	_cleanup_free_ char *gate = NULL, *path = NULL, *trusted = NULL, *secret = NULL;
	_cleanup_(sign_key_freep) struct sign_key *key = NULL;

	(void)snprintf(w->root, sizeof w->root, "%s/wingman-replay-XXXXXX", tmp);
	if (!mkdtemp(w->root))
		return error_errno(err, "cannot make a folder");
	w->dir = statedir_new(w->root, err);
	if (!w->dir || !statedir_create(w->dir, err))
		return false;
	gate = statedir_path(w->dir, "gate");
	path = statedir_path(w->dir, "keys/gate.key");
	if (!gate || !path || !file_make_dir(gate, 0700, err))
		return false;
	secret = statedir_path(w->dir, "keys/slack");
	if (!secret || !file_write(secret, WORLD_SECRET, strlen(WORLD_SECRET), 0600, err))
		return false;
	key = sign_key_create(path, err);
	trusted = key ? statedir_path(w->dir, "keys/trusted/%s.pem", sign_key_kid(key))
		      : NULL;
	return trusted && sign_key_write_public(key, trusted, err);
}

/* --- Slack --- */

void world_slack_user(const struct world *w, const char *user, char ret[static 65])
{
	(void)snprintf(ret, 65, "%s", user);
	for (size_t i = 0; i < w->tools->people_count; i++)
		if (strcmp(w->tools->people[i].slack, user) == 0)
			(void)snprintf(ret, 65, "U0P%zu", i);
}

void world_slack_channel(const char *channel, char ret[static 65])
{
	size_t length = strspn(channel, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	(void)snprintf(ret, 65, "%s",
		       strchr("CDG", channel[0]) && length > 2 && length < 31 &&
				       !channel[length]
			       ? channel
			       : "C0REPLAY");
}

void world_sign(const char *key, const struct strbuf *body, char timestamp[static 24],
		char signature[static 80])
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	uint8_t mac[DIGEST_BYTES];

	/* Not from before the second in which the gate began. */
	(void)snprintf(timestamp, 24, "%lld",
		       (long long)(replay_clock_ms() + 999) / 1000);
	strbuf_add_format(&base, "v0:%s:", timestamp);
	strbuf_add(&base, body->data, body->length);
	digest_hmac_sha256(key, strlen(key), base.data, base.length, mac);
	memcpy(signature, "v0=", 3);
	digest_hex(mac, sizeof mac, signature + 3);
}
