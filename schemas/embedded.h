/*
 * embedded -- the table that embed.py writes; between it and schemas.c alone.
 */
#ifndef SCHEMAS_EMBEDDED_H
#define SCHEMAS_EMBEDDED_H

#include "schemas/schemas.h"

extern const struct schema_file schemas_embedded[];
extern const size_t schemas_embedded_count;

#endif
