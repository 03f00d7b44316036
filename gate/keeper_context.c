/*
 * Reading for a conversation: as who asks there, only what the configuration names, so many
 * a turn, each in the audit log before it leaves. What was read is kept for a while, so that
 * the gate knows by itself what stood where (gate/keeper_sources.h).
 */
#include "gate/keeper_context.h"

#include "base/utf8.h"

#include "gate/keeper_sources.h"
#include "guard/ticket.h"

enum {
	WAIT_MS = 20 * 1000, /* the caller gives up before */
	KEEP_MS = 2 * 3600 * 1000,
	KEPT_MAX = 512,
	KEPT_BYTES_MAX = 16 * 1024 * 1024,
	OPEN_MAX = 64,
	BUDGET_MS = 60 * 1000, /* of a console's person */
	TURN_MS = 30 * 60 * 1000,
	HOME_READS_MAX = 480, /* of one opening of App Home: its panels, drawn anew */
};

/* Who asks, and how often that may be. */
struct asking {
	char person[129];
	const char *turn; /* NULL: a console's */
	bool is_home;
};

/* One that the caller is at, or that is kept. */
struct keeper_read {
	struct keeper_read *next;
	char id[RECORD_ID_BYTES];
	char person[129];
	struct peer *peer; /* that waits; NULL: nobody, or it is done */
	int64_t request;   /* of that peer's */
	int64_t at_ms;
	bool is_done;
	bool is_home; /* it is shown there: worth to be heard of */
	char *uri;
	char *query;        /* of a lookup of people; or NULL */
	json_t *text;       /* once it is done */
	const char *server; /* of the settings */
	const char *pattern;
};

static void read_free(struct keeper_read *r)
{
	if (!r)
		return;
	json_decref(r->text);
	free(r->uri);
	free(r->query);
	free(r);
}
DEFINE_CLEANUP(struct keeper_read, read_free);

static struct keeper_read *find(const struct keeper *k, const char *id)
{
	for (struct keeper_read *r = k->reads; r; r = r->next)
		if (strcmp(r->id, id) == 0)
			return r;
	return NULL;
}

static void drop(struct keeper *k, struct keeper_read *read)
{
	for (struct keeper_read **at = &k->reads; *at; at = &(*at)->next)
		if (*at == read) {
			*at = read->next;
			break;
		}
	read_free(read);
}

void keeper_reads_free(struct keeper *k)
{
	while (k->reads)
		drop(k, k->reads);
}

void keeper_reads_forget_peer(struct keeper *k, const struct peer *p)
{
	for (struct keeper_read *r = k->reads; r; r = r->next)
		if (r->peer == p)
			r->peer = NULL;
}

/* --- answering who asked --- */

/* 'members' is stolen; NULL: refuse with 'why'. */
static void answer(struct keeper_read *r, json_t *members, const struct error *why)
{
	struct peer *p = r->peer;
	json_auto_t *reply = members ? members
				     : json_pack("{s:b, s:o}", "ok", 0, "error",
						 fields_error(why, NULL));

	r->peer = NULL;
	if (!p || !reply)
		return;
	if ((members && json_object_set_new(reply, "ok", json_true()) != 0) ||
	    json_object_set_new(reply, "m", json_string(message_name(MSG_REPLY))) != 0 ||
	    json_object_set_new(reply, "id", json_integer(r->request)) != 0)
		return;
	(void)channel_send(p->channel, reply);
}

static void fail(struct keeper *k, struct keeper_read *r, const struct error *why)
{
	answer(r, NULL, why);
	drop(k, r);
}

/* --- asking --- */

static bool take_budget(struct keeper *k, const struct asking *a, struct error *err)
{
	const char *of = a->turn ? a->turn : a->person;
	const int64_t max = a->is_home ? HOME_READS_MAX : k->settings->context.per_turn;
	char digest[DIGEST_HEX_BYTES], key[COORD_KEY_MAX + 1];
	int64_t total = 0;

	digest_sha256_hex(of, strlen(of), digest);
	(void)snprintf(key, sizeof key, "reads/%s", digest);
	if (!coord_count(k->coordination, key, 1, a->turn ? TURN_MS : BUDGET_MS, &total,
			 err))
		return false;
	return total <= max ||
	       error_set(err, ERR_RATE_LIMITED,
			 a->turn ? "one turn reads %lld times at most"
				 : "one person's conversations read %lld times a minute "
				   "at most",
			 (long long)max);
}

static bool sign(struct keeper *k, const struct keeper_read *r, struct strbuf *ticket,
		 struct error *err)
{
	const struct settings_server *s = settings_find_server(k->settings, r->server);
	json_auto_t *arguments = json_pack("{s:s}", "uri", r->uri);
	char args[DIGEST_HEX_BYTES], request[DIGEST_HEX_BYTES];

	if (!s)
		return error_set(err, ERR_NOT_FOUND, "there is no server '%s'",
				 r->server);
	if (!arguments)
		return error_oom(err);
	return canonical_digest(arguments, args, err) &&
	       request_digest(r->server, "resources/read", args, request, err) &&
	       ticket_sign(ticket, s->instance, r->person, request, k->now_ms, k->key,
			   err);
}

static bool ask_caller(struct keeper *k, const struct keeper_read *r, struct error *err)
{
	_cleanup_strbuf_ struct strbuf ticket = STRBUF_INIT;
	json_auto_t *message = NULL;

	if (!sign(k, r, &ticket, err) ||
	    !audit_append(k->audit, "context.read",
			  json_pack("{s:s, s:s, s:s, s:s}", "read", r->id, "requester",
				    r->person, "server", r->server, "uri", r->uri),
			  NULL, err))
		return false;
	message = json_pack("{s:s, s:s, s:s, s:s, s:s}", "m", message_name(MSG_FETCH),
			    "approval", r->id, "server", r->server, "uri", r->uri,
			    "ticket", ticket.data);
	if (!message || (r->is_home && strchr(r->pattern, '{') &&
			 json_object_set_new(message, "listen", json_true()) != 0))
		return error_oom(err);
	return (k->caller && channel_send(k->caller, message)) ||
	       error_set(err, ERR_BACKEND_UNAVAILABLE, "the gate's caller is not there");
}

static size_t count_open(const struct keeper *k)
{
	size_t open = 0;

	for (const struct keeper_read *r = k->reads; r; r = r->next)
		open += !r->is_done;
	return open;
}

static struct keeper_read *read_new(struct keeper *k, const char *person, const char *uri,
				    struct error *err)
{
	_cleanup_(read_freep) struct keeper_read *r = calloc(1, sizeof *r);
	const struct context_template *t;
	json_auto_t *values = NULL;

	t = context_find(&k->settings->context, uri, &values);
	if (!t) {
		error_set(err, ERR_PERMISSION_DENIED,
			  "'%.200s' is nothing that the gate reads for conversations",
			  uri);
		return NULL;
	}
	if (!r || !(r->uri = strdup(uri))) {
		error_oom(err);
		return NULL;
	}
	record_new_id(k->now_ms, r->id);
	(void)snprintf(r->person, sizeof r->person, "%s", person);
	r->server = t->server;
	r->pattern = t->uri;
	r->at_ms = k->now_ms;
	if (strcmp(t->server, "people") == 0 && json_get_string(values, "q"))
		r->query = strdup(json_get_string(values, "q"));
	return TAKE(r);
}

/* Who asks: a turn's person in Slack, else the console's. */
static bool find_person(struct keeper *k, const struct peer *p, const struct fields *f,
			struct asking *ret, struct error *err)
{
	ret->turn = f->turn;
	if (p->is_slack) {
		if (!f->turn)
			return error_set(err, ERR_INVALID_ARGUMENT,
					 "it is read for somebody's turn");
		return keeper_slack_turn_person(k, f->turn, ret->person, &ret->is_home,
						err);
	}
	if (f->turn)
		return error_set(err, ERR_INVALID_ARGUMENT, "a console has no turns");
	if (!keeper_check_team(k, keeper_person(k, p), err))
		return false;
	(void)snprintf(ret->person, sizeof ret->person, "%s", keeper_person(k, p));
	return true;
}

json_t *keeper_on_context(struct keeper *k, struct peer *p, const struct fields *f,
			  struct error *err)
{
	struct keeper_read *r;
	struct asking who = { .person = "" };

	if (!keeper_refresh_policy(k, err) || !find_person(k, p, f, &who, err))
		return NULL;
	if (strlen(f->uri) > CONTEXT_URI_MAX) {
		error_set(err, ERR_INVALID_ARGUMENT, "an address has %d bytes at most",
			  CONTEXT_URI_MAX);
		return NULL;
	}
	if (count_open(k) >= OPEN_MAX) {
		error_set(err, ERR_RATE_LIMITED, "%d reads are under way already",
			  OPEN_MAX);
		return NULL;
	}
	r = read_new(k, who.person, f->uri, err);
	if (r)
		r->is_home = who.is_home;
	if (!r || !take_budget(k, &who, err) || !ask_caller(k, r, err)) {
		read_free(r);
		keeper_audit_refusal(k, "context.refused", who.person,
				     json_pack("{s:s}", "uri", f->uri), err);
		return NULL;
	}
	r->peer = p;
	r->request = json_integer_value(f->id);
	r->next = k->reads;
	k->reads = r;
	return json_null(); /* the reply comes when it has been read */
}

/* --- the answer --- */

/* The oldest go when there is too much. */
static void limit_kept(struct keeper *k)
{
	size_t count = 0, bytes = 0;

	for (struct keeper_read **at = &k->reads; *at;) {
		struct keeper_read *r = *at;

		count += r->is_done;
		bytes += r->is_done ? json_string_length(r->text) : 0;
		if (r->is_done && (count > KEPT_MAX || bytes > KEPT_BYTES_MAX ||
				   k->now_ms - r->at_ms > KEEP_MS)) {
			*at = r->next;
			read_free(r);
		} else {
			at = &r->next;
		}
	}
}

static void take_error(const json_t *error, struct error *ret)
{
	const char *code = json_get_string(error, "code");
	const char *message = json_get_string(error, "message");
	enum error_code number = code ? error_from_name(code) : ERR_INTERNAL;

	error_set(ret, number == ERR_NONE ? ERR_INTERNAL : number, "%s",
		  message ? message : "the server gave no reason");
}

bool keeper_on_fetched(struct keeper *k, const struct fields *f, struct error *err)
{
	struct keeper_read *r = find(k, f->approval);
	struct error why = ERROR_INIT;
	bool is_cut = false;

	if (!f->result == !f->error)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a result or an error, one of them");
	if (!r || r->is_done)
		return true; /* given up meanwhile */
	if (f->error) {
		take_error(f->error, &why);
		/* It is looked at soon, whoever reads next. */
		if (why.code == ERR_BACKEND_UNAVAILABLE)
			keeper_server_is_away(k, r->server);
		fail(k, r, &why);
		return true;
	}
	r->text = context_text(f->result, &is_cut);
	if (!r->text) {
		error_oom(&why);
		fail(k, r, &why);
		return true;
	}
	r->is_done = true;
	answer(r,
	       json_pack("{s:s, s:s, s:s, s:s, s:O, s:b}", "read", r->id, "server",
			 r->server, "template", r->pattern, "label", r->uri, "text",
			 r->text, "cut", is_cut),
	       NULL);
	limit_kept(k);
	return true;
}

void keeper_reads_tick(struct keeper *k)
{
	struct error why = ERROR_INIT;

	error_set(&why, ERR_TIMEOUT, "the server did not answer in time");
	for (struct keeper_read *r = k->reads, *next; r; r = next) {
		next = r->next;
		if (!r->is_done && k->now_ms - r->at_ms > WAIT_MS)
			fail(k, r, &why);
	}
	limit_kept(k);
}

/* --- what was read, as a piece of a conversation --- */

static enum provenance_kind kind_of(const struct keeper_read *r)
{
	return strcmp(r->server, "playbooks") == 0 ? PROVENANCE_PLAYBOOK
	       : strcmp(r->server, "tickets") == 0 ? PROVENANCE_TICKET
	       : strcmp(r->server, "logs") == 0    ? PROVENANCE_LOG
						   : PROVENANCE_RESOURCE;
}

static void label_of(char label[static PROVENANCE_LABEL_MAX + 1], const char *text)
{
	size_t length = utf8_cut(text, strlen(text), PROVENANCE_LABEL_MAX);

	(void)snprintf(label, PROVENANCE_LABEL_MAX + 1, "%.*s", (int)length, text);
}

/* Besides the whole answer, whom it names if that is one person. */
static bool add_resolved(struct provenance *p, const char *query, const json_t *found,
			 struct error *err)
{
	json_auto_t *names = query && strlen(query) <= PROVENANCE_LABEL_MAX
				     ? context_resolved(found)
				     : NULL;

	return !names ||
	       provenance_add(p, PROVENANCE_RESOLVED, query, json_string_value(names),
			      json_string_length(names), err);
}

bool keeper_reads_add(struct keeper *k, const char *person, const char *id,
		      struct provenance *p, struct error *err)
{
	const struct keeper_read *r = find(k, id);
	struct error ignored = ERROR_INIT;
	char label[PROVENANCE_LABEL_MAX + 1];
	json_auto_t *found = NULL;

	if (!r || !r->is_done || strcmp(r->person, person) != 0)
		return true;
	label_of(label, r->uri);
	if (r->query)
		found = json_parse(json_string_value(r->text),
				   json_string_length(r->text), JSON_CONTRACT, &ignored);
	return provenance_add(p, kind_of(r), label, json_string_value(r->text),
			      json_string_length(r->text), err) &&
	       add_resolved(p, r->query, found, err);
}

/* A call of the same person that ran: what it gave stands in its record. */
bool keeper_calls_add(struct keeper *k, const char *person, const char *approval,
		      struct provenance *p, struct error *err)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *body = keeper_load(k, approval, &ignored);
	const char *requester = json_get_string(body, "requester");
	const char *server = json_get_string(body, "server");
	const char *tool = json_get_string(body, "tool");
	const char *given = json_get_string(body, "arguments");
	const json_t *result = json_object_get(body, "result");
	const json_t *found = json_object_get(result, "structuredContent");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *arguments = NULL;
	char label[PROVENANCE_LABEL_MAX + 1];

	if (!result || !requester || strcmp(requester, person) != 0 || !server || !tool ||
	    !json_write(&text, found ? found : result, &ignored) ||
	    text.length > CONTEXT_TEXT_MAX)
		return true;
	(void)snprintf(label, sizeof label, "%s.%s", server, tool);
	if (!provenance_add(p, PROVENANCE_RESULT, label, text.data, text.length, err))
		return false;
	if (strcmp(server, "people") != 0 || strcmp(tool, "find_person") != 0 || !given)
		return true;
	arguments = json_parse(given, strlen(given), JSON_CONTRACT, &ignored);
	return add_resolved(p, json_get_string(arguments, "query"), found, err);
}

/* What may be asked for, for whoever puts it before a model. New reference. */
json_t *keeper_context_json(const struct keeper *k)
{
	const struct context_settings *s = &k->settings->context;
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < s->count; i++)
		if (json_array_append_new(list,
					  json_pack("{s:s, s:s, s:s}", "server",
						    s->templates[i].server, "uri",
						    s->templates[i].uri, "description",
						    s->templates[i].description)) != 0)
			return NULL;
	return TAKE(list);
}
