/*
 * up -- the parts of 'wingman up': what a folder needs before it can run, the
 * private sample directory, and the children.
 */
#ifndef CONSOLE_UP_H
#define CONSOLE_UP_H

#include "console/console.h"

enum { UP_PATH_MAX = 4096 };

/* The servers of the suite, in the order in which they start. */
enum suite_server { SUITE_PEOPLE, SUITE_ACCOUNTS, SUITE_PLAYBOOKS, SUITE_SERVERS };
extern const char *const suite_server_names[SUITE_SERVERS]; /* "accounts", ... */

struct suite {
	const struct statedir *dir;
	char program_dir[UP_PATH_MAX]; /* where wingman-gate and the servers lie */
	char person[129];              /* whom this uid is mapped to */
	bool sample;                   /* run the private slapd */
	int64_t directory_port, gate_port;
	/* 0: a folder from before there was such a server; it is not run. */
	int64_t server_ports[SUITE_SERVERS];
	/* There is a config/slack.yaml; where it listens on loopback, 0: not said. */
	bool slack;
	int64_t slack_port;
};

/*
 * Make what is missing: folders, keys, tokens, configuration with free loopback
 * ports. What is there is read and left alone. Progress goes to stderr.
 */
bool up_setup(const struct console *c, struct suite *s, struct error *err);

/* Put the file of sample people where the people server reads it, unless there is one. */
bool up_sample_people(const struct suite *s, struct error *err);
/* Fill the sample directory on the first start. Needs slapd (ERR_NOT_FOUND tells how to get it). */
bool up_sample_prepare(const struct suite *s, struct error *err);
/* How a child is started, again too: kept as long as it is supervised. */
struct up_child {
	const char *argv[8];
	char *owned[3];
};
void up_child_done(struct up_child *c);
/* The private slapd. */
bool up_sample_child(const struct suite *s, struct up_child *ret, struct error *err);
/* A sample file or folder: where 'make install' put it, else where the sources are; new. */
char *up_sample_file(const struct suite *s, const char *name) _must_use_;
/* Base DN of the sample. */
extern const char up_sample_base[];

/* The ready line of the suite; new reference. */
json_t *up_ready_line(const struct suite *s);

/* Whether something listens on this loopback port. */
bool up_port_answers(int64_t port);

#endif
