/*
 * coordination_backend -- what a twin of coordination brings.
 *
 * Private to link/coordination. A twin is a struct that begins with 'struct
 * coordination' and points to its row of functions. Keys, values and times are
 * checked by coordination.c before a twin sees them; a twin owes what
 * coordination.h promises, and coordination_contract.h asks it for.
 */
#ifndef LINK_COORDINATION_BACKEND_H
#define LINK_COORDINATION_BACKEND_H

#include "link/coordination/coordination.h"

/* Under which a store keeps what it is called. */
#define COORD_IDENTITY_KEY "store/id"

struct coord_backend {
	const char *name;
	void (*close)(struct coordination *c);
	bool (*now_ms)(struct coordination *c, int64_t *ret_now_ms, struct error *err);
	bool (*epoch_ms)(struct coordination *c, int64_t *ret_began_ms,
			 struct error *err);
	bool (*remembers_ms)(struct coordination *c, int64_t *ret_since_ms,
			     struct error *err);
	bool (*claim)(struct coordination *c, const char *key, const char *value,
		      int64_t ttl_ms, bool *ret_first, char **ret_existing,
		      struct error *err);
	bool (*put)(struct coordination *c, const char *key, const char *value,
		    int64_t ttl_ms, struct error *err);
	bool (*swap)(struct coordination *c, const char *key, const char *expected,
		     const char *value, bool *ret_changed, struct error *err);
	bool (*get)(struct coordination *c, const char *key, char **ret_value,
		    struct error *err);
	bool (*take)(struct coordination *c, const char *key, char **ret_value,
		     struct error *err);
	bool (*scan)(struct coordination *c, const char *prefix,
		     bool (*fn)(void *context, const char *key, const char *value),
		     void *context, struct error *err);
	bool (*count)(struct coordination *c, const char *key, int64_t by,
		      int64_t window_ms, int64_t *ret_total, struct error *err);
	bool (*lease)(struct coordination *c, const char *name, const char *holder,
		      int64_t ttl_ms, int64_t *ret_fence, struct error *err);
	bool (*lease_renew)(struct coordination *c, const char *name, int64_t fence,
			    int64_t ttl_ms, bool *ret_held, struct error *err);
	bool (*lease_release)(struct coordination *c, const char *name, int64_t fence,
			      struct error *err);
	bool (*publish)(struct coordination *c, const char *topic, const char *text,
			struct error *err);
	struct coord_subscription *(*subscribe)(struct coordination *c, const char *topic,
						void (*fn)(void *context,
							   const char *topic,
							   const char *text),
						void *context, struct error *err);
	void (*unsubscribe)(struct coord_subscription *s);
};

struct coordination {
	const struct coord_backend *backend;
};

/* A subscription knows its twin the same way. */
struct coord_subscription {
	const struct coord_backend *backend;
};

#endif
