#include "link/coordination/coordination.h"

static const char key[] = "store/id";

static bool copy(const char *id, char ret[static DIGEST_ID_BYTES], struct error *err)
{
	if (strlen(id) >= DIGEST_ID_BYTES)
		return error_set(err, ERR_INTERNAL,
				 "what the store is called is damaged");
	(void)snprintf(ret, DIGEST_ID_BYTES, "%s", id);
	return true;
}

bool coord_identity(struct coordination *c, char ret[static DIGEST_ID_BYTES],
		    struct error *err)
{
	_cleanup_free_ char *found = NULL, *existing = NULL;
	char id[DIGEST_ID_BYTES];
	bool first = false;

	if (!coord_get(c, key, &found, err))
		return false;
	if (found)
		return copy(found, ret, err);
	digest_random_id(id);
	return coord_claim(c, key, id, 0, &first, &existing, err) &&
	       copy(first || !existing ? id : existing, ret, err);
}
