/*
 * coordination_config -- the member 'store' of a program's configuration.
 *
 *   store: { redis: { address, port, prefix, user, password_file,
 *            tls: { ca, certificate, key }, timeout_ms, assume_durable } }
 *
 * An address that begins with '/' is a Unix socket.
 *
 * Without it, or without 'redis', the store is embedded (SQLite) and belongs to one
 * process on one machine. schemas/config.schema.json judges; here it is decoded, and
 * opened in two steps, because files are out of reach once a sandbox has closed.
 */
#ifndef LINK_COORDINATION_CONFIG_H
#define LINK_COORDINATION_CONFIG_H

#include "base/json.h"
#include "base/statedir.h"
#include "link/coordination/coordination_redis.h"

struct coord_config {
	bool is_redis;
	struct coord_redis_config redis; /* files as the configuration names them */
	const char *prefix;
};

/* 'store' may be NULL; the result borrows from it. */
void coord_config_decode(struct coord_config *c, const json_t *store);

/* Read what Redis needs; '*ret' NULL for the embedded store. Files are relative to the
 * suite's folder. */
bool coord_config_read(const struct coord_config *c, const struct statedir *dir,
		       struct coord_redis_access **ret, struct error *err);

/*
 * With '*access' (taken, also on failure): Redis, under "<prefix>/<program>", or for a
 * server "<prefix>/<program>/<instance>", and 'path' beside it for the claims of this
 * process ('instance' NULL: no such store). Without: the embedded store at 'path'.
 */
struct coordination *coord_config_open(const struct coord_config *c,
				       struct coord_redis_access **access,
				       const char *program, const char *instance,
				       const char *path, struct error *err) _must_use_;

#endif
