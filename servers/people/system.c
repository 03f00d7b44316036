#include "servers/people/system.h"

#include <string.h>

static const char *const names[SYSTEM_COUNT] = {
	[SYSTEM_FILE] = "file",   [SYSTEM_LDAP] = "ldap",     [SYSTEM_OKTA] = "okta",
	[SYSTEM_SLACK] = "slack", [SYSTEM_GITHUB] = "github",
};

const char *system_name(enum people_system s)
{
	return names[s];
}

bool system_find(const char *name, enum people_system *ret)
{
	for (size_t i = 0; i < SYSTEM_COUNT; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum people_system)i;
			return true;
		}
	}
	return false;
}
