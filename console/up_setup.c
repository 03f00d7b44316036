/* What a folder needs before it can run; made once, then left alone. */
#include <arpa/inet.h>
#include <pwd.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/file.h"
#include "base/secret.h"
#include "console/up.h"
#include "guard/names.h"
#include "guard/token.h"

const char *const suite_server_names[SUITE_SERVERS] = {
	[SUITE_PEOPLE] = "people",
	[SUITE_ACCOUNTS] = "accounts",
	[SUITE_PLAYBOOKS] = "playbooks",
};

enum { STATE_KEY_BYTES = 32, PASSWORD_BYTES = 24 };

/* --- ports -------------------------------------------------------------------- */

static struct sockaddr_in loopback(int64_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static bool free_port(int64_t *ret, struct error *err)
{
	struct sockaddr_in a = loopback(0);
	socklen_t length = sizeof a;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &length) != 0)
		return error_errno(err,
				   "cannot find a free port on the loopback address");
	*ret = ntohs(a.sin_port);
	return true;
}

bool up_port_answers(int64_t port)
{
	struct sockaddr_in a = loopback(port);
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

static bool port_is_free(int64_t port)
{
	struct sockaddr_in a = loopback(port);
	int on = 1;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	       bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
}

/* --- keys, tokens, passwords ------------------------------------------------------ */

static bool make_gate_key(const struct suite *s, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(s->dir, "keys/gate.key");
	_cleanup_free_ char *public_path = NULL;
	_cleanup_(sign_key_freep) struct sign_key *key = NULL;

	if (!path)
		return error_oom(err);
	key = file_exists(path) ? sign_key_read(path, err) : sign_key_create(path, err);
	if (!key)
		return false;
	public_path = statedir_path(s->dir, "keys/trusted/%s.pem", sign_key_kid(key));
	return public_path &&
	       (file_exists(public_path) || sign_key_write_public(key, public_path, err));
}

static bool make_token(const struct suite *s, const char *name, const char *principal,
		       const char *const *scopes, size_t count, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(s->dir, "tokens/%s.token", name);
	_cleanup_free_ char *index = statedir_path(s->dir, "callers/index.json");
	_cleanup_(secret_freep) struct secret *token = NULL;
	char id[65];

	if (!path || !index)
		return error_oom(err);
	return file_exists(path) ||
	       (token_create(index, principal, scopes, count, 0, clock_wall_ms(), &token,
			     id, err) &&
		file_write(path, secret_bytes(token), secret_length(token), 0600, err));
}

static bool make_tokens(const struct suite *s, struct error *err)
{
	static const char *const gate[] = { SCOPE_GATE };
	static const char *const server[] = { SCOPE_REGISTER };
	static const char *const client[] = { "accounts:read",  "accounts:write",
					      "people:read",    "people:write",
					      "playbooks:read", "playbooks:write" };
	static const char *const asks_people[] = { "people:read" };

	for (size_t i = 0; i < SUITE_SERVERS; i++) {
		char principal[64];

		(void)snprintf(principal, sizeof principal, "service/%s",
			       suite_server_names[i]);
		if (!make_token(s, suite_server_names[i], principal, server,
				ARRAY_SIZE(server), err))
			return false;
	}
	return make_token(s, "gate", "service/gate", gate, ARRAY_SIZE(gate), err) &&
	       /* With which the accounts server asks who is who. */
	       make_token(s, "accounts-people", "service/accounts", asks_people,
			  ARRAY_SIZE(asks_people), err) &&
	       make_token(s, "client", s->person, client, ARRAY_SIZE(client), err);
}

static bool make_random_file(const struct suite *s, const char *name, size_t bytes,
			     bool as_text, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(s->dir, "%s", name);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(secret_freep) struct secret *key = NULL;
	uint8_t random[64];
	bool ok;

	if (!path || bytes > sizeof random)
		return error_oom(err);
	if (file_exists(path))
		return true;
	if (!as_text) {
		key = secret_create(path, bytes, err);
		return key != NULL;
	}
	digest_random(random, bytes);
	digest_base64url(&text, random, bytes);
	ok = file_write(path, text.data, text.length, 0600, err);
	explicit_bzero(random, sizeof random);
	strbuf_wipe(&text);
	return ok;
}

/* --- configuration ------------------------------------------------------------------ */

/* Writes config/NAME.yaml unless it is there. */
static bool write_config(const struct suite *s, const char *name, struct strbuf *text,
			 struct error *err)
{
	_cleanup_free_ char *path = statedir_path(s->dir, "config/%s.yaml", name);

	if (!path || !strbuf_ok(text))
		return error_oom(err);
	return file_exists(path) || file_write(path, text->data, text->length, 0600, err);
}

static bool write_suite_config(const struct suite *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT;

	strbuf_add_format(
		&t,
		"# What 'wingman up' runs in this folder.\n"
		"# The sample directory holds made-up people; set 'sample: false' and "
		"edit\n"
		"# accounts.yaml to use a directory of your own. The other ports only "
		"serve\n"
		"# to write the servers' files and gate.yaml where these are missing.\n"
		"sample: true\n"
		"ports:\n"
		"  directory: %lld\n"
		"  gate: %lld\n",
		(long long)s->directory_port, (long long)s->gate_port);
	for (size_t i = 0; i < SUITE_SERVERS; i++)
		strbuf_add_format(&t, "  %s: %lld\n", suite_server_names[i],
				  (long long)s->server_ports[i]);
	return write_config(s, "suite", &t, err);
}

static bool write_accounts_config(const struct suite *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT;

	strbuf_add_format(
		&t,
		"# The accounts server. Paths are relative to the folder of the suite.\n"
		"listen:\n"
		"  address: 127.0.0.1\n"
		"  port: %lld\n"
		"gate:\n"
		"  url: http://127.0.0.1:%lld\n"
		"  token_file: tokens/accounts.token\n"
		"backend:\n"
		"  ldap:\n"
		"    uri: ldap://127.0.0.1:%lld\n"
		"    bind_dn: cn=wingman,ou=services,%s\n"
		"    password_file: accounts/ldap.password\n"
		"    people_base: %s\n"
		"    default_policy: cn=default,ou=policies,%s\n"
		"  protected:\n"
		"    subtrees: [\"ou=breakglass,%s\", \"ou=services,%s\"]\n"
		"    groups: [\"cn=service-accounts,ou=groups,%s\"]\n",
		(long long)s->server_ports[SUITE_ACCOUNTS], (long long)s->gate_port,
		(long long)s->directory_port, up_sample_base, up_sample_base,
		up_sample_base, up_sample_base, up_sample_base, up_sample_base);
	if (s->server_ports[SUITE_PEOPLE])
		strbuf_add_format(&t,
				  "  # Who is who is asked there.\n"
				  "  people:\n"
				  "    url: http://127.0.0.1:%lld/mcp\n"
				  "    token_file: tokens/accounts-people.token\n",
				  (long long)s->server_ports[SUITE_PEOPLE]);
	return write_config(s, "accounts", &t, err);
}

static bool write_people_config(const struct suite *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT;

	strbuf_add_format(
		&t,
		"# The people server. Paths are relative to the folder of the suite.\n"
		"listen:\n"
		"  address: 127.0.0.1\n"
		"  port: %lld\n"
		"gate:\n"
		"  url: http://127.0.0.1:%lld\n"
		"  token_file: tokens/people.token\n"
		"# The accounts server asks who is who, with a token of its own, and "
		"the\n"
		"# gate for conversations.\n"
		"freed_resources: [\"person://search{?q}\", \"person://{id}\"]\n"
		"freed_resources_for: [service/accounts, service/gate]\n"
		"backend:\n"
		"  sources:\n"
		"    file:\n"
		"      path: people.json    # in the folder 'people'\n",
		(long long)s->server_ports[SUITE_PEOPLE], (long long)s->gate_port);
	return !s->server_ports[SUITE_PEOPLE] || write_config(s, "people", &t, err);
}

/* Reading playbooks is no secret in here; config/policy.yaml says so too. */
static bool write_playbooks_config(const struct suite *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT;
	_cleanup_free_ char *folder = up_sample_file(s, "playbooks");

	if (!folder)
		return error_oom(err);
	strbuf_add_format(
		&t,
		"# The playbooks server. Paths are relative to the folder of the suite.\n"
		"listen:\n"
		"  address: 127.0.0.1\n"
		"  port: %lld\n"
		"gate:\n"
		"  url: http://127.0.0.1:%lld\n"
		"  token_file: tokens/playbooks.token\n"
		"freed_reads: [search_playbooks, get_playbook, list_playbooks]\n"
		"freed_resources: [\"playbook://search{?q}\", \"playbook://{+id}\", "
		"\"playbook-run://{id}\"]\n"
		"freed_prompts: [run_playbook, triage_alert]\n"
		"backend:\n"
		"  sources:\n"
		"    - name: sample\n"
		"      folder: ",
		(long long)s->server_ports[SUITE_PLAYBOOKS], (long long)s->gate_port);
	strbuf_add_json_string(&t, folder, strlen(folder));
	strbuf_add_char(&t, '\n');
	return !s->server_ports[SUITE_PLAYBOOKS] || write_config(s, "playbooks", &t, err);
}

static bool write_policy(const struct suite *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT;

	strbuf_add_string(&t,
			  "# Who may ask for what, and how many must say yes. See "
			  "docs/operators.md.\n"
			  "rules:\n"
			  "  - {name: searching playbooks is free, server: playbooks, "
			  "tool: search_playbooks, free: true}\n"
			  "  - {name: reading playbooks is free, server: playbooks, "
			  "tool: get_playbook, free: true}\n"
			  "  - {name: listing playbooks is free, server: playbooks, "
			  "tool: list_playbooks, free: true}\n"
			  "  - {name: everything else needs one of us, needed: 1}\n");
	return !s->server_ports[SUITE_PLAYBOOKS] || write_config(s, "policy", &t, err);
}

/* What the assistant may have read to it. */
static void add_context(const struct suite *s, struct strbuf *t)
{
	static const struct {
		int server;
		const char *uri, *description;
	} rows[] = {
		{ SUITE_PEOPLE, "person://search{?q}",
		  "Who is meant: by name, address, mention or handle." },
		{ SUITE_PEOPLE, "person://{id}", "The record of one person." },
		{ SUITE_PLAYBOOKS, "playbook://search{?q}",
		  "Which playbooks and sections are about something." },
		{ SUITE_PLAYBOOKS, "playbook://{+id}", "A playbook, by its id." },
	};

	strbuf_add_string(t, "context:\n  templates:");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (s->server_ports[rows[i].server])
			strbuf_add_format(t,
					  "\n    - server: %s\n      uri: \"%s\"\n"
					  "      description: \"%s\"",
					  suite_server_names[rows[i].server], rows[i].uri,
					  rows[i].description);
	if (!s->server_ports[SUITE_PEOPLE] && !s->server_ports[SUITE_PLAYBOOKS])
		strbuf_add_string(t, " []");
	strbuf_add_char(t, '\n');
}

static bool write_gate_config(const struct suite *s, struct error *err)
{
	_cleanup_strbuf_ struct strbuf t = STRBUF_INIT;

	strbuf_add_format(
		&t,
		"# The gate: who is who, who is in the team, which servers there are.\n"
		"listen:\n"
		"  address: 127.0.0.1\n"
		"  port: %lld\n"
		"persons:\n"
		"  - id: %s\n"
		"    unix: [%u]\n"
		"team: [%s]\n"
		"servers:\n",
		(long long)s->gate_port, s->person, (unsigned)getuid(), s->person);
	for (size_t i = 0; i < SUITE_SERVERS; i++)
		if (s->server_ports[i])
			strbuf_add_format(&t,
					  "  - name: %s\n"
					  "    url: http://127.0.0.1:%lld/mcp\n",
					  suite_server_names[i],
					  (long long)s->server_ports[i]);
	add_context(s, &t);
	return write_config(s, "gate", &t, err);
}

/* --- what is there already -------------------------------------------------------- */

static json_t *read_config(const struct suite *s, const char *name, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(s->dir, "config/%s.yaml", name);
	_cleanup_(config_freep) struct config *config = path ? config_read(path, err)
							     : NULL;

	return config ? json_incref(config_root(config)) : NULL;
}

static bool read_port(const json_t *config, const char *file, int64_t *ret,
		      struct error *err)
{
	*ret = json_get_int64(json_object_get(config, "listen"), "port", 0);
	if (*ret >= 1 && *ret <= 65535)
		return true;
	error_set(err, ERR_INVALID_ARGUMENT, "config/%s.yaml names no listen.port", file);
	return error_hint(err, "under 'wingman up' it must be a fixed port, 1 to 65535");
}

/* The ports that were chosen at the first start. */
static bool read_suite(struct suite *s, struct error *err)
{
	json_auto_t *suite = read_config(s, "suite", err);
	const json_t *ports = json_object_get(suite, "ports");

	if (!suite)
		return false;
	if (!json_is_integer(json_object_get(ports, "gate"))) {
		error_set(
			err, ERR_INVALID_ARGUMENT,
			"config/suite.yaml names no port of the gate (ports: {gate: …})");
		return error_hint(err, "put it back as it was ('wingman config check' "
				       "judges it), or begin in another folder");
	}
	s->sample = json_is_true(json_object_get(suite, "sample"));
	s->directory_port = json_get_int64(ports, "directory", 0);
	s->gate_port = json_get_int64(ports, "gate", 0);
	for (size_t i = 0; i < SUITE_SERVERS; i++)
		s->server_ports[i] = json_get_int64(ports, suite_server_names[i], 0);
	return true;
}

/* Run where somebody has written its file, which has the app's names and tokens. */
static bool read_slack(struct suite *s, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(s->dir, "config/slack.yaml");
	json_auto_t *slack = NULL;
	const json_t *listen;
	const char *address;

	if (!path)
		return error_oom(err);
	s->slack = file_exists(path);
	slack = s->slack ? read_config(s, "slack", err) : NULL;
	if (s->slack && !slack)
		return false;
	listen = json_object_get(slack, "listen");
	address = json_get_string(listen, "address");
	if (!address || strcmp(address, "127.0.0.1") == 0 ||
	    strcmp(address, "0.0.0.0") == 0)
		s->slack_port = json_get_int64(listen, "port", 0);
	return true;
}

/* The ports that the programs will really use. */
static bool read_ports(struct suite *s, struct error *err)
{
	json_auto_t *gate = read_config(s, "gate", err);

	for (size_t i = 0; i < SUITE_SERVERS; i++) {
		json_auto_t *server = NULL;

		if (s->server_ports[i] == 0)
			continue;
		server = read_config(s, suite_server_names[i], err);
		if (!server ||
		    !read_port(server, suite_server_names[i], &s->server_ports[i], err))
			return false;
	}
	return gate && read_port(gate, "gate", &s->gate_port, err) && read_slack(s, err);
}

static bool choose_ports(struct suite *s, struct error *err)
{
	fprintf(stderr,
		"wingman: first start in %s: making keys, tokens and configuration\n",
		statedir_root(s->dir));
	for (size_t i = 0; i < SUITE_SERVERS; i++)
		if (!free_port(&s->server_ports[i], err))
			return false;
	return free_port(&s->directory_port, err) && free_port(&s->gate_port, err) &&
	       write_suite_config(s, err);
}

static bool check_port(int64_t port, const char *file, struct error *err)
{
	if (port_is_free(port))
		return true;
	error_set(err, ERR_CONFLICT, "port %lld of config/%s.yaml is in use",
		  (long long)port, file);
	return error_hint(err, "end what uses it, or write another port there (and where "
			       "others name it)");
}

static bool check_server_ports(const struct suite *s, struct error *err)
{
	for (size_t i = 0; i < SUITE_SERVERS; i++)
		if (s->server_ports[i] &&
		    !check_port(s->server_ports[i], suite_server_names[i], err))
			return false;
	return true;
}

static void set_person(struct suite *s)
{
	const struct passwd *user = getpwuid(getuid());

	(void)snprintf(s->person, sizeof s->person, "%s@example.test",
		       user ? user->pw_name : "operator");
	if (!name_is_principal(s->person))
		(void)snprintf(s->person, sizeof s->person, "operator@example.test");
}

static void set_program_dir(const struct console *c, struct suite *s)
{
	const char *slash = strrchr(c->program_path, '/');

	(void)snprintf(s->program_dir, sizeof s->program_dir, "%.*s",
		       (int)(slash - c->program_path), c->program_path);
}

static bool make_folders(const struct suite *s, struct error *err)
{
	static const char *const folders[] = { "accounts", "people", "playbooks", "gate",
					       "directory" };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = statedir_path(s->dir, "%s", folders[i]);

		if (!path || !file_make_dir(path, 0700, err))
			return error_oom(err);
	}
	return true;
}

bool up_setup(const struct console *c, struct suite *s, struct error *err)
{
	_cleanup_free_ char *suite_yaml = statedir_path(s->dir, "config/suite.yaml");

	set_program_dir(c, s);
	set_person(s);
	if (!suite_yaml)
		return error_oom(err);
	return (file_exists(suite_yaml) || choose_ports(s, err)) && read_suite(s, err) &&
	       make_folders(s, err) && make_gate_key(s, err) && make_tokens(s, err) &&
	       make_random_file(s, "accounts/state.key", STATE_KEY_BYTES, false, err) &&
	       make_random_file(s, "playbooks/state.key", STATE_KEY_BYTES, false, err) &&
	       make_random_file(s, "accounts/ldap.password", PASSWORD_BYTES, true, err) &&
	       write_accounts_config(s, err) && write_people_config(s, err) &&
	       write_playbooks_config(s, err) && write_policy(s, err) &&
	       write_gate_config(s, err) && read_ports(s, err) &&
	       (!s->sample || check_port(s->directory_port, "suite", err)) &&
	       check_server_ports(s, err) && check_port(s->gate_port, "gate", err);
}

static json_t *list_servers(const struct suite *s)
{
	json_auto_t *servers = json_object();

	for (size_t i = 0; servers && i < SUITE_SERVERS; i++) {
		char url[64];

		if (s->server_ports[i] == 0)
			continue;
		(void)snprintf(url, sizeof url, "http://127.0.0.1:%lld/mcp",
			       (long long)s->server_ports[i]);
		json_t *one = json_pack("{s:s}", "url", url);

		if (!one || json_object_set_new(servers, suite_server_names[i], one) != 0)
			return NULL;
	}
	return TAKE(servers);
}

json_t *up_ready_line(const struct suite *s)
{
	_cleanup_free_ char *token = statedir_path(s->dir, "tokens/client.token");
	_cleanup_free_ char *gate = NULL, *directory = NULL;
	json_auto_t *line = NULL;
	json_auto_t *servers = list_servers(s);

	if (!servers ||
	    asprintf(&gate, "http://127.0.0.1:%lld", (long long)s->gate_port) < 0 ||
	    asprintf(&directory, "ldap://127.0.0.1:%lld", (long long)s->directory_port) <
		    0)
		return NULL;
	line = json_pack("{s:b, s:s, s:s, s:O, s:{s:s}}", "ready", 1, "dir",
			 statedir_root(s->dir), "token_file", token, "servers", servers,
			 "gate", "url", gate);
	if (line && s->sample)
		(void)json_object_set_new(line, "directory",
					  json_pack("{s:s, s:s}", "url", directory,
						    "base", up_sample_base));
	return TAKE(line);
}
