#include "link/coordination/coordination_backend.h"

static bool copy(const char *id, char ret[static DIGEST_ID_BYTES], struct error *err)
{
	if (strlen(id) >= DIGEST_ID_BYTES)
		return error_set(err, ERR_INTERNAL,
				 "what the store is called is damaged");
	memmove(ret, id, strlen(id) + 1);
	return true;
}

bool coord_identity(struct coordination *c, char ret[static DIGEST_ID_BYTES],
		    struct error *err)
{
	char id[DIGEST_ID_BYTES];

	digest_random_id(id);
	return coord_identity_as(c, id, ret, err);
}

bool coord_identity_as(struct coordination *c, const char *id,
		       char ret[static DIGEST_ID_BYTES], struct error *err)
{
	_cleanup_free_ char *found = NULL, *existing = NULL;
	bool first = false;

	if (!coord_get(c, COORD_IDENTITY_KEY, &found, err))
		return false;
	if (found)
		return copy(found, ret, err);
	return coord_claim(c, COORD_IDENTITY_KEY, id, 0, &first, &existing, err) &&
	       copy(first || !existing ? id : existing, ret, err);
}
