/*
 * source_rules -- what the configuration says of a source's attributes, the same for LDAP
 * and Okta: whose other accounts they name, the employee number, who is no employee.
 */
#ifndef PEOPLE_SOURCE_RULES_H
#define PEOPLE_SOURCE_RULES_H

#include "base/json.h"
#include "servers/people/account.h"

/* Borrowed from the configuration. */
struct source_rules {
	const char *claims[SYSTEM_COUNT]; /* attribute with the login there; NULL: none */
	const char *number, *kind;        /* attributes */
	const json_t *contractors, *services;           /* values of 'kind' */
	const json_t *service_subtrees, *left_subtrees; /* DNs */
};

void source_rules_read(struct source_rules *r, const json_t *config, const char *number,
		       const char *kind);
/* "github:adam"; NULL and "" say nothing. */
void source_rules_claim(struct account *a, enum people_system system, const char *login);
void source_rules_kind(const struct source_rules *r, struct account *a,
		       const char *value);
/* What the place of an entry says: a service, or somebody who left. */
bool source_rules_place(const struct source_rules *r, struct account *a, const char *dn,
			struct error *err);

#endif
