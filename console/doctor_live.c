/* The part of doctor that asks what runs: gate, servers, machine. */
#include "console/doctor.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/file.h"
#include "console/endpoint.h"
#include "console/gate_link.h"
#include "console/program.h"
#include "console/tools.h"
#include "guard/names.h"
#include "link/http/http_client.h"

enum {
	PROBE_MS = 3000,
	PROBE_BYTES_MAX = 64 * 1024,
	LANDLOCK_VERSION = 1,
	SHOWN_MAX = 200
};
static const int64_t YEAR_2025_MS = INT64_C(1735689600000);
static const uint64_t MIB = 1024 * 1024;

/* --- the gate ------------------------------------------------------------------- */

static void check_person(struct doctor *d, const json_t *hello)
{
	const char *person = json_get_string(hello, "principal");
	const char *why = json_get_string(hello, "why");

	if (!person)
		doctor_say(d, DOCTOR_FAIL, "you",
			   "add your user id under 'persons' in config/gate.yaml",
			   "the gate does not know user id %u", (unsigned)getuid());
	else if (!json_is_true(json_object_get(hello, "team")) && why)
		doctor_say(d, DOCTOR_FAIL, "you",
			   "'team' in config/gate.yaml, and its 'membership'", "%s", why);
	else if (!json_is_true(json_object_get(hello, "team")))
		doctor_say(d, DOCTOR_FAIL, "you",
			   "add the person to 'team' in config/gate.yaml",
			   "%s is not in the team", person);
	else
		doctor_say(d, DOCTOR_OK, "you", NULL, "%s, in the team, %s", person,
			   json_is_true(json_object_get(hello, "pin_set"))
				   ? "with a PIN"
				   : "without a PIN");
}

/* A replica that has a store of its own does not start. */
static void check_stores(struct doctor *d, const json_t *status)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(status, "stores"), i, one)
	{
		const char *server = console_member(one, "server");

		if (json_get_string(one, "refused"))
			doctor_say(d, DOCTOR_FAIL, "store",
				   "give the replicas of a server one store; if it was "
				   "lost or replaced: wingman pin",
				   "a process of %s was refused, because it has another "
				   "store than the gate knows",
				   server);
		else if (!json_get_string(one, "store"))
			doctor_say(d, DOCTOR_WARN, "store",
				   "it does so within seconds of its start; else look at "
				   "its log in run/, and at 'gate: url' in its "
				   "configuration",
				   "%s has not told the gate which store it has, so that "
				   "nobody would notice a second one",
				   server);
	}
}

/* The group of LDAP or Okta that people must be in. */
static void check_membership(struct doctor *d, const json_t *m)
{
	const char *where = console_member(m, "where");
	const char *why = json_get_string(m, "why");

	if (!m)
		return;
	if (!json_is_true(json_object_get(m, "known")))
		doctor_say(d, DOCTOR_FAIL, "membership",
			   "its address, credential, group; IPAddressAllow of the "
			   "gate's caller; then look again",
			   "%s does not say who is in the team's group, so nobody may "
			   "do anything: %s",
			   where, why ? why : "there is no answer yet");
	else if (json_get_int64(m, "members", 0) == 0)
		doctor_say(d, DOCTOR_FAIL, "membership",
			   "are the persons of config/gate.yaml called by their mail "
			   "addresses there?",
			   "nobody of the team is in its group in %s", where);
	else if (why)
		doctor_say(d, DOCTOR_WARN, "membership",
			   "what was said last is believed for a minute",
			   "%s did not answer the last time: %s", where, why);
	else
		doctor_say(d, DOCTOR_OK, "membership", NULL,
			   "%lld of the team are in its group in %s",
			   (long long)json_get_int64(m, "members", 0), where);
}

static void check_status(struct doctor *d, struct gate_link *g)
{
	struct error err = ERROR_INIT;
	json_auto_t *status = gate_link_ask(g, MSG_STATUS, NULL, &err);
	const char *kid = json_get_string(status, "kid");
	_cleanup_free_ char *trusted =
		kid ? statedir_path(d->console->dir, "keys/trusted/%s.pem", kid) : NULL;

	if (!status) {
		doctor_say(d, DOCTOR_FAIL, "gate", err.hint[0] ? err.hint : NULL, "%s",
			   err.message);
		return;
	}
	if (!json_is_true(json_object_get(json_object_get(status, "audit"), "sound")))
		doctor_say(d, DOCTOR_FAIL, "gate",
			   "make room on the disk and start the gate again",
			   "the gate cannot write its audit log: nothing executes");
	check_stores(d, status);
	check_membership(d, json_object_get(status, "membership"));
	if (trusted && !file_exists(trusted))
		doctor_say(d, DOCTOR_FAIL, "gate",
			   "put the gate's public key into keys/trusted",
			   "no server trusts the gate's key %s", kid);
}

static void check_pins(struct doctor *d, struct gate_link *g)
{
	struct error err = ERROR_INIT;
	json_auto_t *servers = tools_fetch(g, NULL, &err);
	size_t i;
	json_t *server;

	json_array_foreach(servers, i, server)
	{
		const char *name = console_member(server, "name");
		char remedy[128];

		(void)snprintf(remedy, sizeof remedy, "wingman pin %.64s", name);
		if (!json_is_true(json_object_get(server, "up")))
			doctor_say(d, DOCTOR_FAIL, "server", "look at its log in run/",
				   "the gate does not reach %s", name);
		else if (json_is_false(json_object_get(server, "pinned")))
			doctor_say(d, DOCTOR_WARN, "server", remedy,
				   "%s changed since it was pinned", name);
	}
}

void doctor_gate(struct doctor *d)
{
	struct error err = ERROR_INIT;
	_cleanup_(gate_link_closep) struct gate_link *g =
		gate_link_open(d->console->dir, &err);
	const char *version;

	if (!g) {
		doctor_say(d, DOCTOR_FAIL, "gate", err.hint[0] ? err.hint : NULL, "%s",
			   err.message);
		return;
	}
	version = json_get_string(gate_link_hello(g), "version");
	if (version && strcmp(version, WINGMAN_VERSION) != 0)
		doctor_say(d, DOCTOR_WARN, "gate", "restart the suite after an update",
			   "the gate is of version %s, this is %s", version,
			   WINGMAN_VERSION);
	else
		doctor_say(d, DOCTOR_OK, "gate", NULL, "it answers");
	check_person(d, gate_link_hello(g));
	check_status(d, g);
	check_pins(d, g);
}

/* --- the servers ----------------------------------------------------------------- */

/* "http://host:1/mcp" and "/healthz" to "http://host:1/healthz"; NULL when there is no path. */
static char *sibling(const char *url, const char *path)
{
	const char *host = strstr(url, "://");
	const char *slash = host ? strchr(host + 3, '/') : NULL;
	_cleanup_free_ char *base =
		strndup(url, slash ? (size_t)(slash - url) : strlen(url));
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;

	if (!host || !base)
		return NULL;
	strbuf_add_format(&whole, "%s%s", base, path);
	return strbuf_take(&whole);
}

/* The status, or 0 with 'err'; the beginning of the body goes to 'ret_body'. */
static int probe(struct http_client *http, const char *url, struct strbuf *ret_body,
		 struct error *err)
{
	struct http_client_request request = { .method = "GET",
					       .url = url,
					       .timeout_ms = PROBE_MS,
					       .reply_max = PROBE_BYTES_MAX };
	_cleanup_(http_client_reply_done) struct http_client_reply reply =
		HTTP_CLIENT_REPLY_INIT;

	if (!http_client_call(http, &request, &reply, NULL, err))
		return 0;
	strbuf_add(ret_body, reply.body.data,
		   reply.body.length < SHOWN_MAX ? reply.body.length : SHOWN_MAX);
	return reply.status;
}

static bool check_path(struct doctor *d, struct http_client *http, const char *name,
		       const char *url, const char *path)
{
	_cleanup_free_ char *whole = sibling(url, path);
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int status = whole ? probe(http, whole, &body, &err) : 0;

	if (status == 200)
		return true;
	if (status == 0)
		doctor_say(d, DOCTOR_FAIL, "server",
			   "start the suite, or look at the server's log in run/",
			   "%s: %s", name,
			   err.message[0] ? err.message : "its address makes no sense");
	else
		doctor_say(d, DOCTOR_FAIL, "server", "look at the server's log in run/",
			   "%s: %s answers %d: %.*s", name, path, status,
			   (int)strcspn(body.data, "\r\n"), body.data);
	return false;
}

void doctor_servers(struct doctor *d)
{
	struct error err = ERROR_INIT;
	json_auto_t *list = endpoint_list(d->console, &err);
	_cleanup_(http_client_freep) struct http_client *http =
		list ? endpoint_http(d->console, "wingman-doctor", &err) : NULL;
	const char *name;
	json_t *url;

	if (!http) {
		doctor_say(d, DOCTOR_FAIL, "server", NULL, "no server can be asked: %s",
			   err.message);
		return;
	}
	json_object_foreach(list, name, url)
	{
		const char *text = json_string_value(url);

		if (check_path(d, http, name, text, "/healthz") &&
		    check_path(d, http, name, text, "/readyz"))
			doctor_say(d, DOCTOR_OK, "server", NULL,
				   "%s answers, and its backend too", name);
	}
}

/* --- the machine ------------------------------------------------------------------ */

static void check_disk(struct doctor *d)
{
	const char *root = statedir_root(d->console->dir);
	struct statvfs fs;
	uint64_t free_mib;

	if (statvfs(root, &fs) != 0)
		return;
	free_mib = (uint64_t)fs.f_bavail * fs.f_frsize / MIB;
	if (free_mib < 64 || (fs.f_files > 0 && fs.f_favail < 100))
		doctor_say(d, DOCTOR_FAIL, "disk",
			   "make room: without it nothing executes",
			   "%llu MiB and %llu files are left below %s",
			   (unsigned long long)free_mib, (unsigned long long)fs.f_favail,
			   root);
	else if (free_mib < 1024)
		doctor_say(d, DOCTOR_WARN, "disk", "make room soon",
			   "%llu MiB are left below %s", (unsigned long long)free_mib,
			   root);
	else
		doctor_say(d, DOCTOR_OK, "disk", NULL, "%llu MiB are left",
			   (unsigned long long)free_mib);
}

static void check_clock(struct doctor *d)
{
	struct timex t = { 0 };
	char text[CLOCK_TEXT_BYTES];
	int64_t now = clock_wall_ms();
	const char *shown = clock_format(now, text);

	if (now < YEAR_2025_MS)
		doctor_say(d, DOCTOR_FAIL, "clock",
			   "set the clock right: approvals are judged by it",
			   "the clock says %s", shown);
	else if (ntp_adjtime(&t) == TIME_ERROR || (t.status & STA_UNSYNC))
		doctor_say(d, DOCTOR_WARN, "clock",
			   "run a time service (chrony, systemd-timesyncd)",
			   "the clock says %s, but nothing keeps it right", shown);
	else
		doctor_say(d, DOCTOR_OK, "clock", NULL, "%s, kept right", shown);
}

static void check_kernel(struct doctor *d)
{
	struct utsname u = { 0 };
	/* The last argument asks for the version of the interface. */
	long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);

	(void)uname(&u);
	if (landlock < 1)
		doctor_say(d, DOCTOR_WARN, "kernel",
			   "boot with 'landlock' in the lsm= list",
			   "Linux %s has no Landlock: programs cannot shut themselves in",
			   u.release);
	else
		doctor_say(d, DOCTOR_OK, "kernel", NULL, "Linux %s, Landlock version %ld",
			   u.release, landlock);
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		doctor_say(d, DOCTOR_WARN, "kernel", NULL,
			   "no seccomp: programs cannot give system calls up");
}

void doctor_machine(struct doctor *d)
{
	check_disk(d);
	check_clock(d);
	check_kernel(d);
}

/* --- the programs ------------------------------------------------------------------ */

static void check_program(struct doctor *d, const char *name, bool *good)
{
	_cleanup_free_ char *path = program_path(d->console, name);
	const char *argv[] = { path, "--version", NULL };
	_cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
	struct error err = ERROR_INIT;
	int status = 0;

	if (!path) {
		doctor_say(d, DOCTOR_FAIL, "program", "install the whole of wingman",
			   "%s does not lie beside this program", name);
		*good = false;
	} else if (!program_run(argv, &output, &status, &err) || status != 0) {
		doctor_say(d, DOCTOR_FAIL, "program", NULL, "%s cannot be run", name);
		*good = false;
	} else if (!strstr(output.data, WINGMAN_VERSION)) {
		doctor_say(d, DOCTOR_WARN, "program", "install programs of one version",
			   "%s is '%.*s', this is %s", name,
			   (int)strcspn(output.data, "\n"), output.data, WINGMAN_VERSION);
		*good = false;
	}
}

void doctor_programs(struct doctor *d)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *list = endpoint_list(d->console, &ignored);
	bool good = true;
	const char *name;
	json_t *url;

	check_program(d, "wingman-gate", &good);
	json_object_foreach(list, name, url)
	{
		char program[64];

		if (!name_is_server(name))
			continue;
		(void)snprintf(program, sizeof program, "wingman-%s", name);
		check_program(d, program, &good);
	}
	if (good)
		doctor_say(d, DOCTOR_OK, "program", NULL, "all of version %s",
			   WINGMAN_VERSION);
}
