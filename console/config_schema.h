/*
 * config_schema -- one YAML file against its part of schemas/: every fault, with its
 * line. What only the program that reads the file can judge is left to it.
 */
#ifndef CONSOLE_CONFIG_SCHEMA_H
#define CONSOLE_CONFIG_SCHEMA_H

#include "base/json.h"

enum { CONFIG_FAULTS_MAX = 64 };

/*
 * 'name' is the file's without ".yaml": "policy" has a schema of its own, all others
 * are a definition of config.schema.json, or its "server". Faults are appended to
 * 'faults' as sentences; false when there was one.
 */
bool config_schema_check(const char *path, const char *name, json_t *faults);

#endif
