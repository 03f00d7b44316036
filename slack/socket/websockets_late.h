/* websockets_late -- libwebsockets, loaded by the process that uses Socket Mode alone: with
 * it come OpenSSL's TLS and libcap. See base/library.h. */
#ifndef SLACK_SOCKET_WEBSOCKETS_LATE_H
#define SLACK_SOCKET_WEBSOCKETS_LATE_H

#include "base/error.h"

bool websockets_need(struct error *err);

#endif
