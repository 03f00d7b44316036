/* What servers list, again and again: that tells as well which of them are there. */
#include "gate/keeper.h"

void keeper_ask_definitions(struct keeper *k)
{
	for (size_t i = 0; i < k->settings->server_count; i++) {
		const char *server = k->settings->servers[i].name;
		struct look *look = &k->looks[i];
		const bool is_up = pins_is_up(k->pins, server) && !look->is_away;
		const int64_t every_ms = is_up ? KEEPER_UP_MS : KEEPER_DOWN_MS;

		if (look->waiting || k->now_ms - look->asked_ms < every_ms)
			continue;
		json_auto_t *message = json_pack("{s:s, s:s}", "m",
						 message_name(MSG_DEFINITIONS), "server",
						 server);
		look->waiting = message && k->caller && channel_send(k->caller, message);
		look->asked_ms = k->now_ms;
	}
}

static struct look *find_look(const struct keeper *k, const char *server)
{
	for (size_t i = 0; i < k->settings->server_count; i++)
		if (strcmp(k->settings->servers[i].name, server) == 0)
			return (struct look *)(uintptr_t)&k->looks[i];
	return NULL;
}

void keeper_server_is_away(struct keeper *k, const char *server)
{
	struct look *look = find_look(k, server);

	if (look)
		look->is_away = true;
}

bool keeper_server_is_settled(const struct keeper *k, const char *server)
{
	const struct look *look = find_look(k, server);

	return !look || look->found_ms == 0 || look->found_ms / 1000 < k->now_ms / 1000;
}

/* Whoever waits for an answer of this server need not wait for its turn. */
static void ask_again(struct keeper *k, const char *server)
{
	for (struct approval *a = k->approvals; a; a = a->next) {
		const char *of = json_get_string(a->body, "server");

		if (a->ended || !a->away || a->in_flight || !of ||
		    strcmp(of, server) != 0)
			continue;
		a->away = false;
		a->next_ms = k->now_ms;
	}
}

static void end_look(struct keeper *k, const char *server, bool is_up)
{
	struct look *look = find_look(k, server);

	if (!look)
		return;
	look->waiting = false;
	if (!is_up) {
		look->found_ms = 0;
		return;
	}
	if (look->found_ms == 0 || look->is_away)
		look->found_ms = k->now_ms;
	look->is_away = false;
	ask_again(k, server);
}

void keeper_supersede_changed(struct keeper *k, const char *server)
{
	for (struct approval *a = k->approvals; a; a = a->next) {
		const char *of = json_get_string(a->body, "server");
		const char *pin = json_get_string(a->body, "pin");
		struct error why = ERROR_INIT, err = ERROR_INIT;
		const struct tool_definition *d;

		if (a->ended || a->state > RECORD_PENDING || !of ||
		    strcmp(of, server) != 0)
			continue;
		d = pins_find(k->pins, server, json_get_string(a->body, "tool"), &why);
		if (d && pin && strcmp(d->pin, pin) == 0 && keeper_is_at_address(k, a))
			continue;
		if (d)
			error_set(&why, ERR_PRECONDITION_FAILED,
				  "the tool or its server's address is another now: read "
				  "it "
				  "with wingman pin %s, then ask again",
				  server);
		if (keeper_is_part(a)) {
			struct approval *head = keeper_bundle_of(k, a);

			if (head && !keeper_bundle_end(k, head, RECORD_SUPERSEDED, "gate",
						       why.message, &err))
				log_failure("approval.stuck", &err);
			continue;
		}
		if (!keeper_move(k, a,
				 &(struct move){ .to = RECORD_SUPERSEDED,
						 .by = "gate",
						 .why = why.message },
				 &err))
			log_failure("approval.stuck", &err);
	}
}

bool keeper_on_defined(struct keeper *k, const struct fields *f, struct error *err)
{
	struct error why = ERROR_INIT;
	const bool was_up = pins_is_up(k->pins, f->server);
	bool changed = false;

	(void)err;
	end_look(k, f->server, f->up && f->tools);
	if (!pins_learn(k->pins, f->server, f->up ? f->tools : NULL, &changed, &why))
		log_failure("pins.unreadable", &why);
	if (changed)
		keeper_supersede_changed(k, f->server);
	if (changed || was_up != pins_is_up(k->pins, f->server))
		keeper_slack_tell_changed(k, "servers", f->server, NULL);
	return true;
}

bool keeper_on_changed(struct keeper *k, const struct fields *f, struct error *err)
{
	(void)err;
	keeper_slack_tell_changed(k, "resource", f->server, f->uri);
	return true;
}

bool keeper_on_listening(struct keeper *k, const struct fields *f, struct error *err)
{
	json_auto_t *ready = NULL;

	if (k->url[0])
		return error_set(err, ERR_INVALID_ARGUMENT, "it listens twice");
	(void)snprintf(k->url, sizeof k->url, "%s", f->url);
	ready = json_pack("{s:b, s:{s:s, s:s}}", "ready", 1, "gate", "url", k->url,
			  "socket", k->socket_path);
	if (!ready || json_dumpf(ready, stdout, JSON_COMPACT) != 0 ||
	    putchar('\n') == EOF || fflush(stdout) != 0)
		return error_set(err, ERR_INTERNAL, "the ready line cannot be written");
	log_info("gate.ready", LOG_STR("url", k->url), LOG_STR("socket", k->socket_path));
	return true;
}
