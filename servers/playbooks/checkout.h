/*
 * checkout -- the commit that a folder of a git checkout stands at.
 *
 * libgit2 reads the repository: the sandbox runs no other program, and whether a file is
 * what its commit has needs packs and trees, which nobody should read with code of their
 * own. Only what is below the folder or its repository's .git is touched, read-only; no
 * configuration of the user or the machine is.
 */
#ifndef PLAYBOOKS_CHECKOUT_H
#define PLAYBOOKS_CHECKOUT_H

#include "base/cleanup.h"

struct checkout;

/* NULL: the folder is in no checkout, or that cannot be read. */
struct checkout *checkout_open(const char *folder) _must_use_;
void checkout_close(struct checkout *c);
DEFINE_CLEANUP(struct checkout, checkout_close);

/* 40 hex digits of HEAD. */
const char *checkout_commit(const struct checkout *c);
/* Whether HEAD has exactly these bytes for a file below the folder. */
bool checkout_has(struct checkout *c, const char *path, const void *bytes, size_t length);

/* The .git that a folder belongs to, for the sandbox: "" if there is none. A new string;
 * NULL without memory. */
char *checkout_find(const char *folder) _must_use_;

#endif
