/*
 * curl_late -- libcurl and the nineteen libraries it brings, where something is called
 * out over HTTP (base/library.h).
 *
 * Its functions that we use are those in the table of curl_late.c, and may be called
 * after curl_need. Private to link/http: http_client_load is for others.
 */
#ifndef LINK_CURL_LATE_H
#define LINK_CURL_LATE_H

#include "base/error.h"

bool curl_need(struct error *err);

#endif
