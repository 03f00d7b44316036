#include "guard/gate_store.h"

#include <inttypes.h>

enum { KEY_BYTES = 64, VALUE_BYTES = 64, TRIES = 8 };

struct seen {
	char store[DIGEST_ID_BYTES];
	int64_t epoch_ms;
};

static bool refuse(struct error *err, const char *why)
{
	(void)error_set(err, ERR_APPROVAL_INVALID, "grant: %s", why);
	return error_hint(err,
			  "gates that share a key share one store (docs/operators.md); "
			  "a gate whose store was lost needs a new key: wingman keys "
			  "rotate");
}

static bool read_seen(const char *text, struct seen *ret, struct error *err)
{
	int end = 0;

	if (sscanf(text, "%26[A-Za-z0-9._:-] %" SCNd64 "%n", ret->store, &ret->epoch_ms,
		   &end) == 2 &&
	    text[end] == '\0')
		return true;
	return error_set(err, ERR_INTERNAL,
			 "what is known of the gate's store is damaged");
}

static bool judge(const struct seen *seen, const struct grant *g, struct error *err)
{
	if (strcmp(seen->store, g->gate_store) != 0)
		return refuse(err,
			      "its gate has another store than the gate that was seen "
			      "first with this key");
	if (g->gate_epoch_ms < seen->epoch_ms &&
	    g->iat > seen->epoch_ms / 1000 + GATE_STORE_OVERLAP_S)
		return refuse(err, "the store of its gate has begun anew before it was "
				   "signed, by another gate with this key");
	return true;
}

bool gate_store_check(struct coordination *c, const struct grant *g, struct error *err)
{
	char key[KEY_BYTES], value[VALUE_BYTES];

	if (!*g->gate_store)
		return true;
	(void)snprintf(key, sizeof key, "gate/%s", g->kid);
	(void)snprintf(value, sizeof value, "%s %" PRId64, g->gate_store,
		       g->gate_epoch_ms);
	for (int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *found = NULL;
		struct seen seen;
		bool done = false;

		if (!coord_get(c, key, &found, err))
			return false;
		if (!found) {
			if (!coord_claim(c, key, value, 0, &done, NULL, err))
				return false;
		} else if (!read_seen(found, &seen, err) || !judge(&seen, g, err)) {
			return false;
		} else if (g->gate_epoch_ms <= seen.epoch_ms) {
			done = true;
		} else if (!coord_swap(c, key, found, value, &done, err)) {
			return false;
		}
		if (done)
			return true;
		/* Should the shared store have forgotten what our own still knows. */
		if (found && !coord_claim(c, key, found, 0, &done, NULL, err))
			return false;
	}
	return error_set(err, ERR_CONFLICT, "too many began at once; ask again");
}
