#include "slack/process/panels.h"

#include "base/clock.h"
#include "base/log.h"
#include "slack/home/home.h"
#include "slack/process/homes.h"

static const json_t *configured(const struct front *f)
{
	return f->settings.panels;
}

bool panels_are_there(const struct front *f)
{
	return json_array_size(configured(f)) > 0;
}

bool panels_have(const struct front *f, const char *server, const char *uri)
{
	size_t i;
	json_t *panel;

	if (!server || !uri)
		return false;
	json_array_foreach(configured(f), i, panel)
	{
		const char *shown = json_get_string(panel, "uri");

		if (strcmp(json_get_string(panel, "server"), server) == 0 &&
		    strncmp(shown, uri, strlen(shown)) == 0)
			return true;
	}
	return false;
}

static json_t *failed(const json_t *panel, const char *why)
{
	struct error err = ERROR_INIT;

	return slack_home_panel_fault(json_get_string(panel, "title"), why, &err);
}

/* --- reading --- */

static json_t *read_one(struct front *f, const json_t *panel, const char *turn,
			struct error *err)
{
	json_auto_t *reply = gate_ask_for(f->gate, MSG_CONTEXT,
					  json_pack("{s:s, s:O}", "turn", turn, "uri",
						    json_object_get(panel, "uri")),
					  HOMES_ASKED_MS, NULL, err);
	const char *server = json_get_string(reply, "server");
	const struct slack_home_read read = {
		.title = json_get_string(panel, "title"),
		.server = server,
		.text = json_get_string(reply, "text"),
		.is_cut = json_is_true(json_object_get(reply, "cut")),
		.read_ms = clock_wall_ms(),
	};

	if (!reply)
		return NULL;
	if (!server || !read.text ||
	    strcmp(server, json_get_string(panel, "server")) != 0) {
		error_set(err, ERR_PRECONDITION_FAILED,
			  "the gate reads that address from another server");
		return NULL;
	}
	return slack_home_panel(&read, err);
}

/* What it said before stays; it says itself when that was. */
static json_t *as_before(json_t *before, size_t index, const json_t *panel)
{
	json_t *was = json_array_get(before, index);

	return was && !json_object_get(was, "fault")
		       ? json_incref(was)
		       : failed(panel, "open App Home again to have it read.");
}

static json_t *read_or_fail(struct front *f, const json_t *panel, const char *turn)
{
	struct error err = ERROR_INIT;
	json_t *read = read_one(f, panel, turn, &err);
	_cleanup_strbuf_ struct strbuf why = STRBUF_INIT;

	if (read)
		return read;
	log_failure("slack.panel", &err);
	strbuf_add_format(&why, "it could not be read. %s", err.message);
	return failed(panel, strbuf_ok(&why) ? why.data : "it could not be read.");
}

void panels_read(struct front *f, const char *user, const char *turn, int64_t turn_ms)
{
	const bool may_read = turn[0] && clock_wall_ms() - turn_ms < HOMES_TURN_MS;
	json_auto_t *before = homes_panels(f->homes, user);
	json_auto_t *after = json_array();
	size_t i;
	json_t *panel;

	json_array_foreach(configured(f), i, panel)
	{
		json_auto_t *own = json_deep_copy(panel);
		json_t *drawn = !own       ? NULL
				: may_read ? read_or_fail(f, own, turn)
					   : as_before(before, i, own);

		if (!drawn || json_array_append_new(after, drawn) != 0)
			return; /* without memory: as it was */
	}
	homes_keep_panels(f->homes, user, TAKE(after));
}

/* --- what is shown --- */

bool panels_are_known(struct front *f, const char *user)
{
	json_auto_t *list = homes_panels(f->homes, user);

	return list || !panels_are_there(f);
}

json_t *panels_shown(struct front *f, const char *user)
{
	json_auto_t *list = homes_panels(f->homes, user);
	size_t i;
	json_t *panel;

	if (!panels_are_there(f) || list)
		return TAKE(list);
	list = json_array();
	json_array_foreach(configured(f), i, panel)
	{
		if (json_array_append_new(list, failed(panel, "it is being read.")) != 0)
			return NULL;
	}
	return TAKE(list);
}
