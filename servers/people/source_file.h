/*
 * source_file -- a file in which somebody wrote down who is who, for teams that reach no
 * directory, for demonstrations and for tests.
 *
 *   {"people": [{"id", "name", "type", "status", "nicknames", "former_names",
 *                "slack": {"id", "handle", "display_name", "real_name", "email", "deleted"},
 *                "okta": {"id", "login", "email", "status"},
 *                "github": {"login", "name", "email"},
 *                "ldap": {"uid", "dn", "cn", "mail", "disabled"}}]}
 *
 * Further members: "emails" and "aliases" (texts or lists of them, also of a system),
 * "groups", "employee_number"; unknown ones are ignored, as are members beside "people"
 * ("rules", "lookups"). 'type' is employee, contractor, bot or service; 'status' active,
 * suspended or left; others leave a flag. What the file lists as one person is one; it says which nicknames
 * there are, so none is guessed. A file that is not of this form is refused as a whole.
 */
#ifndef PEOPLE_SOURCE_FILE_H
#define PEOPLE_SOURCE_FILE_H

#include "servers/people/source.h"

enum { SOURCE_FILE_BYTES_MAX = 16 * 1024 * 1024 };

/* The accounts of the people of such a value. */
bool source_file_accounts(const json_t *root, const struct source_sink *sink,
			  struct error *err);

#endif
