/*
 * syslog -- audit lines as RFC 5424 messages, to a local socket.
 *
 * "/dev/log" or another absolute path is a Unix datagram socket; "udp:127.0.0.1:514" and
 * "udp:[::1]:514" are datagrams on loopback. Nothing else: what leaves the machine
 * without proof of its origin is no audit log, so the local daemon carries it on.
 *
 * A message is <PRI>1 AT HOST wingman-PROGRAM - EVENT [wingman@32473 seq prev hash
 * approval] and the line as it stands in the log. Facility 13 (log audit); what was
 * refused, failed or is unknown is a warning, all else a notice. 32473 is the number that
 * RFC 5612 keeps for examples. A line that is too long for a datagram leaves its text
 * behind: the elements, with its hash, are there.
 */
#ifndef CONSOLE_SYSLOG_H
#define CONSOLE_SYSLOG_H

#include "base/json.h"

enum { SYSLOG_DATAGRAM_MAX = 60 * 1024 };

struct syslog;

struct syslog *syslog_open(const char *address, struct error *err) _must_use_;
void syslog_close(struct syslog *s);
DEFINE_CLEANUP(struct syslog, syslog_close);

/* 'line' is what 'text' says. Waits while the receiver's queue is full. */
bool syslog_send(struct syslog *s, const json_t *line, const char *text,
		 struct error *err);

/* The message alone; 'text' may be NULL. */
void syslog_format(struct strbuf *sb, const char *host, const json_t *line,
		   const char *text);

#endif
