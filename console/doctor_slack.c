/* wingman doctor slack: configuration, secrets, and whether requests would arrive. */
#include "console/doctor.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/digest.h"
#include "base/secret.h"
#include "link/http/http_client.h"

enum { PROBE_MS = 5000, PROBE_BYTES_MAX = 64 * 1024 };

static struct config *read_config(const struct doctor *d, const char *name,
				  struct error *err)
{
	_cleanup_free_ char *path = statedir_path(d->console->dir, "config/%s", name);

	if (!path) {
		error_oom(err);
		return NULL;
	}
	return config_read(path, err);
}

/* --- what gate and surface must agree on ------------------------------------------- */

static bool is_same(const json_t *a, const json_t *b, const char *member)
{
	return json_equal(json_object_get(a, member), json_object_get(b, member));
}

static void compare(struct doctor *d, const json_t *root, const json_t *gate)
{
	const json_t *socket = json_object_get(root, "socket");
	const size_t before = d->count[DOCTOR_FAIL];

	if (!is_same(root, gate, "app") || !is_same(root, gate, "teams"))
		doctor_say(d, DOCTOR_FAIL, "gate",
			   "write the same 'app' and 'teams' into both files",
			   "config/gate.yaml has another app, or other teams");
	if (socket && !json_is_true(json_object_get(gate, "socket_mode")))
		doctor_say(d, DOCTOR_FAIL, "gate",
			   "'socket_mode: true' under 'slack' in config/gate.yaml; "
			   "docs/security.md says what that gives up",
			   "the gate believes nothing that comes by Socket Mode");
	if (json_object_get(root, "listen") && !json_object_get(gate, "signing_secrets"))
		doctor_say(d, DOCTOR_FAIL, "gate",
			   "name signing_secrets under 'slack' in config/gate.yaml",
			   "the gate has no signing secret, and takes no press");
	if (d->count[DOCTOR_FAIL] == before)
		doctor_say(d, DOCTOR_OK, "gate", NULL, "its configuration agrees");
}

static void check_gate(struct doctor *d, const json_t *root)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *file = read_config(d, "gate.yaml", &err);
	const json_t *gate = file ? json_object_get(config_root(file), "slack") : NULL;

	if (gate)
		compare(d, root, gate);
	else if (file)
		doctor_say(d, DOCTOR_FAIL, "gate",
			   "add 'slack' to config/gate.yaml: docs/slack.md",
			   "the gate knows nothing of Slack");
	else
		doctor_say(d, DOCTOR_WARN, "gate",
			   "run this as who may read config/gate.yaml", "%s",
			   err.message);
}

/* --- the signing secret -------------------------------------------------------------- */

/* The first of those that can be read; NULL: none. Each that cannot is told. */
static struct secret *check_secrets(struct doctor *d, const json_t *root)
{
	const json_t *names = json_object_get(root, "signing_secrets");
	struct secret *found = NULL;
	size_t i;
	json_t *one;

	json_array_foreach(names, i, one)
	{
		const char *name = json_is_string(one) ? json_string_value(one) : "";
		_cleanup_free_ char *path = statedir_file(d->console->dir, name);
		_cleanup_(secret_freep) struct secret *secret = NULL;
		struct error err = ERROR_INIT;

		if (statedir_is_credential(name)) {
			doctor_say(d, DOCTOR_WARN, "secret", NULL,
				   "%s is systemd's, and given to the program alone",
				   name);
			continue;
		}
		secret = path ? secret_read(path, true, &err) : NULL;
		if (!secret)
			doctor_say(d, DOCTOR_WARN, "secret",
				   "put Slack's signing secret into it, mode 0600, of "
				   "the user that runs wingman-slack",
				   "%s", err.message);
		else if (!found)
			found = TAKE(secret);
	}
	if (found)
		doctor_say(d, DOCTOR_OK, "secret", NULL, "there is a signing secret");
	else if (json_object_get(root, "listen"))
		doctor_say(d, DOCTOR_FAIL, "secret",
			   "Basic Information, Signing Secret: into keys/slack",
			   "no signing secret can be read");
	return found;
}

/* --- whether requests arrive --------------------------------------------------------- */

struct challenge {
	char word[DIGEST_ID_BYTES];
	char body[128];
	char timestamp[24], signature[80];
};

/* What Slack sends when it checks an address, signed as Slack does. */
static void make_challenge(struct challenge *c, const struct secret *secret)
{
	_cleanup_strbuf_ struct strbuf base = STRBUF_INIT;
	uint8_t mac[DIGEST_BYTES];
	char hex[DIGEST_HEX_BYTES];

	digest_random_id(c->word);
	(void)snprintf(c->body, sizeof c->body,
		       "{\"type\":\"url_verification\",\"challenge\":\"%s\"}", c->word);
	(void)snprintf(c->timestamp, sizeof c->timestamp, "%lld",
		       (long long)(clock_wall_ms() / 1000));
	strbuf_add_format(&base, "v0:%s:%s", c->timestamp, c->body);
	digest_hmac_sha256(secret_bytes(secret), secret_length(secret), base.data,
			   base.length, mac);
	digest_hex(mac, sizeof mac, hex);
	(void)snprintf(c->signature, sizeof c->signature, "v0=%s", hex);
}

/* The status; 0: nobody answered, and 'err' says why. */
static int ask(struct http_client *http, const char *url, const struct challenge *c,
	       bool is_signed, struct http_client_reply *reply, struct error *err)
{
	const struct http_client_header headers[] = {
		{ "Content-Type", "application/json" },
		{ is_signed ? "X-Slack-Request-Timestamp" : NULL, c->timestamp },
		{ "X-Slack-Signature", c->signature },
		{ 0 }
	};
	const struct http_client_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = c->body,
		.body_bytes = strlen(c->body),
		.timeout_ms = PROBE_MS,
		.reply_max = PROBE_BYTES_MAX,
	};

	return http_client_call(http, &request, reply, NULL, err) ? reply->status : 0;
}

static bool is_echo(const struct http_client_reply *reply, const struct challenge *c)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *answer =
		json_parse(reply->body.data, reply->body.length, JSON_SYNTAX, &ignored);
	const char *word = json_get_string(answer, "challenge");

	return word && strcmp(word, c->word) == 0;
}

static void check_address(struct doctor *d, struct http_client *http, const char *url,
			  const struct secret *secret, enum doctor_level if_not,
			  const char *remedy)
{
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;
	_cleanup_(http_client_reply_done) struct http_client_reply bare =
		HTTP_CLIENT_REPLY_INIT;
	struct error err = ERROR_INIT;
	struct challenge c;

	make_challenge(&c, secret);
	const int status = ask(http, url, &c, true, &reply, &err);
	if (status == 0) {
		doctor_say(d, if_not, "address", remedy, "%s: %s", url, err.message);
		return;
	}
	if (status != 200 || !is_echo(&reply, &c)) {
		doctor_say(d, if_not, "address",
			   status == 401
				   ? "the process has another signing secret, or "
				     "something between changes what is sent: start "
				     "it again, look at the proxy"
				   : remedy,
			   "%s answers %d to what Slack asks first", url, status);
		return;
	}
	if (ask(http, url, &c, false, &bare, &err) == 200)
		doctor_say(d, DOCTOR_FAIL, "address",
			   "stop it: whatever answers there believes anybody",
			   "%s takes what is not signed", url);
	else
		doctor_say(d, DOCTOR_OK, "address", NULL,
			   "%s answers what Slack asks first, and nothing unsigned", url);
}

static void check_local(struct doctor *d, struct http_client *http, const json_t *listen,
			const struct secret *secret)
{
	const char *address = json_get_string(listen, "address");
	const int64_t port = json_get_int64(listen, "port", 0);
	char url[128];

	if (!address || strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
		address = "127.0.0.1";
	if (port <= 0) {
		doctor_say(d, DOCTOR_WARN, "address",
			   "give 'listen' a port, so that a proxy can find it",
			   "it listens at any port, so nothing can be asked there");
		return;
	}
	(void)snprintf(url, sizeof url,
		       strchr(address, ':') ? "http://[%.60s]:%lld/slack/events"
					    : "http://%.60s:%lld/slack/events",
		       address, (long long)port);
	check_address(d, http, url, secret, DOCTOR_FAIL,
		      "start wingman-slack, or look at its log");
}

/* As Slack would, though from here: the way in from outside may be another. */
static void check_hosts(struct doctor *d, struct http_client *http, const json_t *listen,
			const struct secret *secret)
{
	size_t i;
	json_t *host;

	json_array_foreach(json_object_get(listen, "hosts"), i, host)
	{
		char url[320];

		(void)snprintf(url, sizeof url, "https://%.255s/slack/events",
			       json_is_string(host) ? json_string_value(host) : "");
		check_address(d, http, url, secret, DOCTOR_WARN,
			      "from outside it may be otherwise: look whether Slack says "
			      "'Verified' at the app's Event Subscriptions");
	}
}

static void check_arrival(struct doctor *d, const json_t *root,
			  const struct secret *secret)
{
	const json_t *listen = json_object_get(root, "listen");
	struct error err = ERROR_INIT;
	_cleanup_(http_client_freep) struct http_client *http = NULL;

	if (!listen && !json_object_get(root, "socket"))
		doctor_say(d, DOCTOR_FAIL, "address",
			   "write 'listen' or 'socket' into config/slack.yaml",
			   "nothing can come from Slack");
	if (!listen || !secret)
		return;
	http = http_client_new("wingman-doctor/" WINGMAN_VERSION, &err);
	if (!http) {
		doctor_say(d, DOCTOR_FAIL, "address", NULL, "%s", err.message);
		return;
	}
	check_local(d, http, listen, secret);
	check_hosts(d, http, listen, secret);
}

void doctor_slack(struct doctor *d)
{
	struct error err = ERROR_INIT;
	_cleanup_(config_freep) struct config *file = read_config(d, "slack.yaml", &err);
	_cleanup_(secret_freep) struct secret *secret = NULL;
	const json_t *root = file ? config_root(file) : NULL;

	if (!json_is_object(root)) {
		doctor_say(d, DOCTOR_FAIL, "config", "docs/slack.md says how to write it",
			   "%s", file ? "config/slack.yaml is empty" : err.message);
		return;
	}
	check_gate(d, root);
	secret = check_secrets(d, root);
	doctor_slack_api(d, root);
	check_arrival(d, root, secret);
}
