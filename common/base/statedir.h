/*
 * statedir -- the folder of the suite: --dir, $WINGMAN_DIR, or a default.
 *
 *   keys/gate.key            signing key of the gate, PKCS#8 PEM, 0600
 *   keys/trusted/<kid>.pem   public keys whose grants servers accept
 *   callers/index.json       hashes of every token: who, which client, scopes, until when
 *   tokens/<who>.token       a token's text, 0600
 *   config/<program>.yaml    configuration; policy in config/policy.yaml
 *   <server>/state.key       seals requestState (32 bytes, 0600)
 *   <server>/NAME.db         stores of that server; gate/ holds the gate's
 *   audit/<program>.jsonl    audit chain, which goes on in files in audit/<program>/ ;
 *                            audit/<program>.key signs its checkpoints,
 *                            audit/<program>.pem is the public half
 *   run/NAME.sock, NAME.pid   sockets and pids
 *   lock                     held by 'wingman up'
 *
 * Everything is created 0700 or 0600. Paths are built here and nowhere else.
 */
#ifndef BASE_STATEDIR_H
#define BASE_STATEDIR_H

#include "base/error.h"

struct statedir;
struct secret;

/* 'option' is the value of --dir or NULL. Makes the path absolute; the folder
 * need not exist. Default: $XDG_STATE_HOME/wingman or ~/.local/state/wingman. */
struct statedir *statedir_new(const char *option, struct error *err) _must_use_;
void statedir_free(struct statedir *d);
DEFINE_CLEANUP(struct statedir, statedir_free);
const char *statedir_root(const struct statedir *d);

/* ERR_NOT_FOUND, with what to do, unless there is such a folder. */
bool statedir_require(const struct statedir *d, struct error *err);

/* An absolute path below the folder, by printf; new string, NULL without memory. */
char *statedir_path(const struct statedir *d, const char *format, ...)
	_printf_(2, 3) _must_use_;

/* A file that a configuration names: below the folder unless the name is absolute, or
 * "credential:NAME", which systemd put into $CREDENTIALS_DIRECTORY (LoadCredential=). Where
 * it put none, that is a file below the folder that does not exist. */
char *statedir_file(const struct statedir *d, const char *name) _must_use_;

bool statedir_is_credential(const char *name);
/* The folder of what systemd passed to this process, borrowed; NULL where it passed nothing. */
const char *statedir_credentials(void);
/* The secret in such a file (secret_read(), without the end of its line). A credential that
 * systemd did not pass is ERR_INTERNAL "systemd gave no credentials…". */
struct secret *statedir_secret(const struct statedir *d, const char *name,
			       struct error *err) _must_use_;

/* Create the folder and its sub-folders (keys, keys/trusted, tokens, callers, config, audit, run). */
bool statedir_create(const struct statedir *d, struct error *err);

#endif
