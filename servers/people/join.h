/*
 * join -- which accounts are one person's.
 *
 * Accounts are joined by what systems vouch for, in this order:
 *   link      a person said so, and another said yes; wins over all below
 *   file      a file lists them as one person's
 *   mail      both systems vouch for the same address (index_rules)
 *   login     one account names the other's login in a configured attribute
 *   number    the same employee number
 * never by names. Each step joins what the steps before it made. Where a step would make
 * one person of two accounts of one system, or by login or number of two with different
 * vouched-for addresses, all that this step would have joined there stays apart, and each
 * account says so: nobody guesses which of them is right. An address or login that a
 * closed account had and an open one has now is the open one's. The result does not
 * depend on the order in which accounts were read.
 */
#ifndef PEOPLE_JOIN_H
#define PEOPLE_JOIN_H

#include "servers/people/index_private.h"

/* Folded, in its main domain. */
bool mail_fold(const struct index_rules *rules, const char *mail, struct strbuf *sb,
	       struct error *err);

#endif
